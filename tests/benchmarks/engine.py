"""Every number of the engine, each beside its plain counterpart in the same run. Prints one table.

    python tests/benchmarks/engine.py [--only NAME …] [--quick] [--model FILE.gguf] [--threads N] [--cpu-time]

Without --model a random model of six layers is written (its answers are nonsense, its arithmetic is real). --quick shows that
everything runs; its numbers say little.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as the engine process has it; read when llama.cpp is loaded
from unabridged.models.llama_library import start_backend

from tests.benchmarks.engine_keeping import forking, killing, memory, reopening
from tests.benchmarks.engine_sharing import batching, drafting, interleaving, picking
from tests.benchmarks.engine_speed import bare_loop, high_level, planning, tokenising
from tests.benchmarks.measuring import Run, header

BENCHMARKS = {
    work.__name__: work
    for work in (
        bare_loop, high_level, reopening, forking, killing, memory, batching, picking, interleaving, drafting, tokenising,
        planning,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(BENCHMARKS)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), metavar="NAME", help=names)
    parser.add_argument("--quick", action="store_true", help="short texts, once each")
    parser.add_argument("--model", type=Path, help="a GGUF file instead of the random model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of the processor, for a machine that is busy")
    given = parser.parse_args()
    start_backend()
    print(f"{platform.processor() or platform.machine()}, {given.threads} threads")
    header()
    with tempfile.TemporaryDirectory() as scratch:
        clock = time.process_time if given.cpu_time else time.perf_counter
        run = Run(Path(scratch), given.threads, given.quick, clock, given.model)
        for name in given.only:
            began = time.perf_counter()
            BENCHMARKS[name](run)
            print(f"    {name}: {time.perf_counter() - began:.0f} s in all", flush=True)


if __name__ == "__main__":
    main()
