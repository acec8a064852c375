"""What is asked of a model file without opening a session: sizes, counts of tokens, a calibration. Runs in the engine process.

Each is asked in a process of its own, because the file may be damaged; see `plan.py` and `counting.py` for who asks.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unabridged.errors import EngineFailed
from unabridged.models.calibration import calibrate
from unabridged.models.footprint import measure
from unabridged.models.gguf_header import read_header
from unabridged.models.llama_library import gpu_free_bytes, gpus, start_backend
from unabridged.models.llama_model import Model
from unabridged.models.session import OUTPUTS, SEQUENCES, SHORTLISTED
from unabridged.models.tokenizer import Tokenizer


def measured(header: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    """Footprints by KV type (a type that the model's dimensions rule out is left out), and the memory of the GPUs."""
    del texts
    start_backend()
    found, path, chunk_tokens, cards = {}, Path(header["path"]), header["chunk_tokens"], gpus()
    for kv_type in header["kv_types"]:
        with contextlib.suppress(EngineFailed):
            found[kv_type] = asdict(
                measure(
                    path,
                    kv_type=kv_type,
                    chunk_tokens=chunk_tokens,
                    sequences=SEQUENCES,
                    outputs=OUTPUTS,
                    shortlisted=SHORTLISTED if cards else (),
                )
            )
    return {"footprints": found, "gpus": [card.name for card in cards], "gpu_bytes": gpu_free_bytes()}


def counted(header: dict[str, Any], texts: Sequence[str]) -> list[int]:
    """Tokens of each text, with the vocabulary alone."""
    path = Path(header["path"])
    gguf = read_header(path)
    start_backend()
    model = Model(path, vocabulary_only=True)
    counts = [len(tokens) for tokens in Tokenizer(model, gguf).tokenize(texts)]
    model.close()
    return counts


def timed(header: dict[str, Any], texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Chunks of a prefill: first token, last token + 1, seconds."""
    del texts
    start_backend()
    path, options = Path(header["path"]), header["options"]
    return calibrate(path, **options)


CALLS = {"footprints": measured, "count": counted, "calibrate": timed}
