"""From a GGUF file and options to a session that is ready to read. Runs in the engine process."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from unabridged.errors import ModelFileError, UsageError
from unabridged.models.chat_template import TemplatePieces, cut_template
from unabridged.models.engine import ChatFrame, EngineOptions, Finder, ModelInfo
from unabridged.models.extension import Rope, can_stretch, extension
from unabridged.models.footprint import Footprint, measure
from unabridged.models.gguf_header import GgufHeader, read_header
from unabridged.models.llama_context import KV_TYPES, Context, Rows
from unabridged.models.llama_library import LIBRARY_VERSION, Gpu, gpu_free_bytes, gpus, start_backend, usable_cores
from unabridged.models.llama_model import Model
from unabridged.models.placement import WINDOW_TO_HOLD, Placement, best_placement, kv_types, place
from unabridged.models.segment_cache import SegmentCache
from unabridged.models.segments import SegmentStore
from unabridged.models.session import OUTPUTS, SEQUENCES, SHORTLISTED, Session
from unabridged.models.shortlist_trial import is_worth_it
from unabridged.models.tokenizer import Tokenizer
from unabridged.models.window import Pool, WindowPolicy, host_free_bytes


@dataclass(slots=True)
class OpenModel:
    info: ModelInfo
    session: Session
    tokenizer: Tokenizer
    pieces: TemplatePieces | None
    bos: int | None

    def frame(self, system: str) -> ChatFrame:
        if self.pieces is None:
            raise ModelFileError("The model has no chat template.", hint="Choose a chat model; this one only completes text.")
        text = self.tokenizer.tokenize([system])[0]
        head = [self.tokenizer.markup(self.pieces.before_system)]
        if self.pieces.after_system is not None:
            head += [text, self.tokenizer.markup(self.pieces.after_system)]
        elif system:
            head += [text, self.tokenizer.tokenize(["\n\n"])[0]]
        whole = np.concatenate(head).astype(np.int32)
        if self.bos is not None and (not len(whole) or whole[0] != self.bos):
            whole = np.concatenate([np.array([self.bos], np.int32), whole])
        return ChatFrame(whole, self.tokenizer.markup(self.pieces.answer), self.tokenizer.markup(self.pieces.next_question))


def open_model(path: Path, options: EngineOptions) -> OpenModel:
    header = read_header(path)
    if not header.metadata.get("tokenizer.ggml.tokens"):
        raise ModelFileError(f"{path.name} has no tokenizer.", hint="Fetch a GGUF file of a whole model, not of a part of one.")
    if int(header.value("context_length", 1)) < 1:
        raise ModelFileError(f"{path.name} says that it has no window.", hint="Fetch the file again.")
    if options.kv_type not in ("auto", *KV_TYPES):
        raise UsageError(f"There is no KV type {options.kv_type!r}.", hint=f"Choose auto or one of {', '.join(KV_TYPES)}.")
    if options.chunk_tokens < 1 or options.segment_tokens < 1:
        raise UsageError("Chunks and segments need at least one token.", hint="Leave them at their defaults.")
    stretched = extension(header, scaling=options.rope_scaling, factor=options.rope_factor, window=options.window)
    start_backend()
    cards = gpus() if options.gpu_layers else []
    for kv_type in kv_types(options.kv_type, has_card=bool(cards)):
        footprint = measure(
            path,
            kv_type=kv_type,
            chunk_tokens=options.chunk_tokens,
            sequences=SEQUENCES,
            outputs=OUTPUTS,
            rope=stretched.rope,
            shortlisted=SHORTLISTED if _may_shortlist(options, cards) else (),
        )
        placement = _placement(header, footprint, options, cards)
        if placement.gpu_layers:
            break
    model = Model(path, gpu_layers=placement.gpu_layers, experts_on_host=placement.experts_on_host)
    if not model.has_decoder_only:
        raise ModelFileError(f"{path.name} is not a model that answers.", hint="Choose a chat model, not an encoder.")
    _try(model, kv_type)
    threads = options.threads or usable_cores()
    shortlists = options.shortlists
    if shortlists is None:
        shortlists = placement.gpu_layers > 0 and is_worth_it(model, kv_type=kv_type, threads=threads)
    device = cards[0].name if placement.gpu_layers else "CPU"
    print_of = fingerprint(header, options.segments_folder, kv_type=kv_type, device=device, rope=stretched.rope)
    tokenizer = Tokenizer(model, header)
    windows = WindowPolicy(
        fixed=options.window,
        trained=stretched.window,
        least=stretched.least,
        extendable=can_stretch(header) and not options.rope_factor,
        pools=_pools(placement),
    )
    name = str(header.metadata.get("general.name") or path.stem)
    session = Session(
        model,
        tokenizer,
        SegmentStore(
            SegmentCache(options.segments_folder, quota_bytes=options.segments_quota_bytes), print_of, model=name
        ),
        windows,
        fingerprint=print_of,
        kv_type=kv_type,
        threads=threads,
        chunk_tokens=options.chunk_tokens,
        segment_tokens=options.segment_tokens,
        draft=options.draft,
        rope=stretched.rope,
        on_cpu=not placement.gpu_layers,
        shortlisted=SHORTLISTED if shortlists else (),
    )
    info = ModelInfo(
        name=name,
        path=path,
        architecture=header.architecture,
        parameters=model.parameters,
        size_bytes=model.size_bytes,
        trained_window=int(header.value("context_length", model.trained_window)),
        vocabulary=model.vocabulary,
        kv_bytes_per_token=footprint.kv_bytes_per_token,
        fingerprint=print_of.hex(),
        tokenizer=tokenizer.kind,
        device=device,
        finder=_finder(header),
    )
    template = header.metadata.get("tokenizer.chat_template")
    pieces = cut_template(str(template), bos=model.bos_name, eos=model.eos_name) if template and info.finder is None else None
    return OpenModel(info, session, tokenizer, pieces, model.bos)


def _placement(header: GgufHeader, footprint: Footprint, options: EngineOptions, cards: Sequence[Gpu]) -> Placement:
    """As many layers on the cards as were asked for, or as the fastest way of holding a window allows."""
    if not cards or options.gpu_layers > 0:
        return place(header, footprint, gpu_layers=options.gpu_layers if cards else 0, gpus=len(cards))
    window = options.window or min(int(header.value("context_length", 0)), WINDOW_TO_HOLD)
    return best_placement(
        header, footprint, window=window, host_bytes=host_free_bytes(), gpu_bytes=gpu_free_bytes(), gpus=len(cards)
    )


def _may_shortlist(options: EngineOptions, cards: Sequence[Gpu]) -> bool:
    """Then its memory is counted; whether it is worth it shows when the model is loaded."""
    return bool(cards) if options.shortlists is None else options.shortlists


def _pools(placement: Placement) -> tuple[Pool, ...]:
    """What cells are taken from, once the weights are loaded; those on the host are only mapped and come in when used."""
    host, gpu = placement.host, placement.gpu
    found = [Pool(host_free_bytes, host.bytes_per_token, host.total_bytes(0))]
    if placement.gpu_layers:
        found.append(Pool(gpu_free_bytes, gpu.bytes_per_token, gpu.cache_bytes))
    return tuple(found)


def _try(model: Model, kv_type: str) -> None:
    """Evaluate one token: a file whose dimensions lie fails here, at load, and not in the middle of a reading."""
    with Context(model, window=256, chunk_tokens=32, sequences=2, outputs=2, kv_type=kv_type, threads=1) as context:
        context.decode([Rows(0, np.zeros(1, np.int32), 0, 1)])


def _finder(header: GgufHeader) -> Finder | None:
    """Written by this project into the models it trains."""
    names = ("doc", "user", "assistant", "first_number", "numbers", "threshold")
    values: dict[str, Any] = {name: header.metadata.get(f"unabridged.finder.{name}") for name in names}
    return None if None in values.values() else Finder(**values)


def fingerprint(header: GgufHeader, folder: Path, *, kv_type: str, device: str, rope: Rope) -> bytes:
    """sha256 of the weights and of every setting that changes what is in the KV cache."""
    settings = {
        "weights": model_hash(header.files, folder),
        "kv": kv_type,
        "device": device,
        "rope": asdict(rope),
        "library": LIBRARY_VERSION,
        "rotation": os.environ.get("LLAMA_ATTN_ROT_DISABLE", ""),
        "layout": "kv_unified swa_full flash_attn=auto",
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).digest()


def model_hash(files: Sequence[Path], folder: Path) -> str:
    """sha256 of the weights: of the file, or of the hashes of all parts."""
    parts = [weights_hash(file, folder) for file in files]
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode("ascii")).hexdigest()


def weights_hash(path: Path, folder: Path) -> str:
    """sha256 of the whole file, remembered under its inode, size and time, because a large file takes a while."""
    status = path.stat()
    known = f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}.sha256"
    note = folder / "weights" / known
    try:
        noted = note.read_text("ascii")
        if len(noted) == 64:
            return noted
    except (OSError, UnicodeDecodeError):
        pass
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_suffix(f".{os.getpid()}")
        temporary.write_text(digest, "ascii")
        temporary.replace(note)
    except OSError:  # it is hashed again next time
        pass
    return digest
