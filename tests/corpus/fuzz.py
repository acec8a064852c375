"""Damaged files by the thousand: every reader must end in a Document that holds together or in a DocumentError.

Run as a program: `python tests/corpus/fuzz.py [inputs] [seed]`. Seeds are small files made here, and the small ones of the corpus
where it is there. Inputs are made by flipping, cutting, doubling and splicing bytes, for zip formats also inside their members.
Batches run in forked processes with a time limit for each input, so a crash of a library is counted and not suffered.
"""
# ruff: noqa: E501

import io
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from unabridged.errors import DocumentError
from unabridged.ingest.passages import passages
from unabridged.ingest.reader import Source, reader_for
from unabridged.ingest.validation import tiles, validate
from unabridged.ingest.wire import decode, encode

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents" / "ingestion"
# Loaded once, so that the processes that are forked need not.
_READERS = ("docx", "eml", "epub", "html", "odt", "pdf", "pptx", "rtf", "text", "xlsx")
_SUFFIXES = (".pdf", ".docx", ".pptx", ".xlsx", ".epub", ".odt", ".rtf", ".html", ".eml", ".csv", ".md", ".txt")
_SEED_BYTES = 60_000
_INPUT_S = 20
_BATCH = 40
_MEMORY_BYTES = 4 << 30
_SPLICES = (
    b"",
    b"\0",
    b"\xff\xff\xff\xff",
    b"<",
    b"&#0;",
    b"]]>",
    b"(" * 300,
    b"%PDF-",
    b"endobj",
    b"9" * 25,
    b"-1",
    b"\\u55357?",
    b"{" * 200,
)


@dataclass(frozen=True, slots=True)
class Seed:
    suffix: str
    data: bytes


def corpus_seeds(limit: int = 12) -> list[Seed]:
    """Small real files of every format, the same ones each time."""
    found: dict[str, list[Seed]] = {}
    for path in sorted(DOCUMENTS.rglob("*")):
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES or not path.is_file() or not 0 < path.stat().st_size <= _SEED_BYTES:
            continue
        if len(found.setdefault(suffix, [])) < limit:
            found[suffix].append(Seed(suffix, path.read_bytes()))
    return [seed for seeds in found.values() for seed in seeds]


def mutated(seed: Seed, chance: random.Random) -> bytes:
    if seed.data.startswith(b"PK") and chance.random() < 0.7:
        try:
            return _inside(seed.data, chance)
        except (ValueError, OSError, zipfile.BadZipFile):
            pass  # a real file that is damaged as it is
    return _bytes(seed.data, chance)


def _inside(data: bytes, chance: random.Random) -> bytes:
    """One member of the archive mutated, the rest as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        names = [info for info in old.infolist() if not info.is_dir()]
        texts = [
            info for info in names if info.filename.endswith((".xml", ".rels", ".xhtml", ".html", ".opf", ".ncx"))
        ] or names
        victim = chance.choice(texts).filename
        for info in names:
            content = old.read(info)
            new.writestr(info.filename, _bytes(content, chance) if info.filename == victim else content)
    return packed.getvalue()


def _bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(6):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + chance.choice((1, 8, 200, 4000))]
            case 2:
                changed[at:at] = changed[at : at + chance.choice((4, 60, 900))] * chance.choice((1, 2, 30))
            case 3:
                changed[at : at + chance.choice((0, 1, 4))] = chance.choice(_SPLICES)
            case 4:
                other = chance.randrange(len(changed))
                changed[at : at + 64] = changed[other : other + 64]
            case 5 if chance.random() < 0.3:
                del changed[at:]
    return bytes(changed)


def outcome(path: Path) -> str:
    """What became of one input: "read", an error's class, or what must not happen, in capitals."""
    source = Source(path, path.name, options={"ocr": "off"})
    try:
        document = reader_for(source)(source)
    except DocumentError as error:
        return type(error).__name__
    except MemoryError:
        return "memory"
    except RecursionError:
        return "recursion"
    try:
        validate(document)
        again = decode(json.loads(json.dumps(encode(document))), id="", name=document.name)
        if again.text != document.text or (document.text.strip() and not tiles(passages(document), len(document.text))):
            return "WRONG SPANS"
    except DocumentError as error:
        return f"WRONG: {error.message}"
    return "read"


def run(seeds: Sequence[Seed], inputs: int, counts: Counter[str], *, seed: int, keep: Path | None = None) -> None:
    """Adds up outcomes in `counts`. Inputs that end in capitals are kept in `keep`."""
    for first in range(0, inputs, _BATCH):
        if first and first % 1000 == 0:
            print(f"{first:,} inputs", file=sys.stderr, flush=True)
        for suffix, result, data in _batch(seeds, range(first, min(first + _BATCH, inputs)), seed):
            counts[f"{suffix} {result}"] += 1
            if keep is not None and result[:1].isupper() and not result.startswith("Document"):
                (keep / f"{len(list(keep.iterdir()))}{suffix}").write_bytes(data)


def _batch(seeds: Sequence[Seed], numbers: range, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Runs the numbers one after the other in a forked process; where it dies, goes on behind the one that killed it."""
    position = numbers.start
    with tempfile.TemporaryDirectory() as folder:
        while position < numbers.stop:
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reading)
                _work(seeds, range(position, numbers.stop), seed, Path(folder), writing)
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8") as lines:
                results = [json.loads(line) for line in lines]
            _, status = os.waitpid(child, 0)
            for result in results:
                yield (*_made(seeds, position, seed)[:1], result, _made(seeds, position, seed)[1])
                position += 1
            if position < numbers.stop:
                how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "ended"
                yield (
                    _made(seeds, position, seed)[0],
                    "hang" if how == "SIGALRM" else f"CRASH {how}",
                    _made(seeds, position, seed)[1],
                )
                position += 1


def _made(seeds: Sequence[Seed], number: int, seed: int) -> tuple[str, bytes]:
    chance = random.Random(seed * 1_000_003 + number)
    chosen = seeds[number % len(seeds)]
    return chosen.suffix, mutated(chosen, chance)


def _work(seeds: Sequence[Seed], numbers: range, seed: int, folder: Path, writing: int) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for number in numbers:
            suffix, data = _made(seeds, number, seed)
            path = folder / f"input{suffix}"
            path.write_bytes(data)
            signal.alarm(_INPUT_S)
            try:
                result = outcome(path)
            except Exception as error:  # noqa: BLE001  (what a reader must not raise is what is looked for)
                place = error.__traceback__
                while place is not None and place.tb_next is not None:
                    place = place.tb_next
                result = f"EXCEPTION {type(error).__name__} in {Path(place.tb_frame.f_code.co_filename).name if place else '?'}:{place.tb_lineno if place else 0}"
            signal.alarm(0)
            os.write(writing, (json.dumps(result) + "\n").encode())
    finally:
        os._exit(0)


def main() -> None:
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    keep = Path(tempfile.mkdtemp(prefix="fuzz-"))
    started = time.perf_counter()
    seeds = corpus_seeds()
    for name in _READERS:
        import_module(f"unabridged.ingest.read_{name}")
    counts: Counter[str] = Counter()
    try:
        run(seeds, inputs, counts, seed=seed, keep=keep)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    for what, count in sorted(counts.items()):
        print(f"{count:6d}  {what}")
    seconds = time.perf_counter() - started
    print(f"{counts.total():,} inputs from {len(seeds)} seeds in {seconds:,.0f} s; offenders in {keep}")


if __name__ == "__main__":
    main()
