"""The engine process with a llama.cpp that once never comes back from a batch; the file HANG_ONCE remembers that it did."""

import ctypes
import os
from pathlib import Path

from llama_cpp import llama_cpp as lib
from unabridged.models import watch, worker

BEFORE = 12  # batches that go well

decode, batches = lib.llama_decode, 0


def decode_and_hang(context: object, batch: object) -> int:
    global batches
    batches += 1
    mark = Path(os.environ["HANG_ONCE"])
    if batches > BEFORE and not mark.exists():
        mark.touch()
        ctypes.CDLL(None).pause()  # waits for ever, inside C and without the interpreter lock
    return int(decode(context, batch))


if __name__ == "__main__":
    lib.llama_decode = decode_and_hang
    watch.FLOOR_S = 1.0
    worker.main()
