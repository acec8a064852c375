"""The contract of an engine: token ids in, token ids out. Values and a protocol; no implementation, no documents.

Long work is a generator: it yields progress, returns its result (`result = yield from …`), and closing it stops the work.
All methods raise `ModelFileError` or `EngineFailed`; `read` raises `DoesNotFit` when tokens and reserve exceed the window.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from numpy import int32
from numpy.typing import NDArray

Tokens = NDArray[int32]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to run a model; 0 and "auto" mean chosen from the machine."""

    segments_folder: Path
    window: int = 0  # tokens; 0: as many as the reading needs and memory allows
    kv_type: str = "auto"  # f16, q8_0, q4_0; auto: q8_0 on a GPU, f16 on a CPU
    gpu_layers: int = -1  # the output layer first; -1: as many as the GPU holds beside a window
    threads: int = 0
    chunk_tokens: int = 512  # prefill submitted at once; a cancel waits for one chunk
    segment_tokens: int = 2048  # a killed prefill reads at most this much again
    segments_quota_bytes: int = 20 << 30
    rope_scaling: str = ""  # beyond the trained window, at some cost in accuracy: "linear", "yarn"; or the file's "longrope"
    rope_factor: float = 0.0  # how many times the trained window; 0 with "longrope"
    shortlists: bool | None = None  # sampling begins on the device; None: where a trial on a card says that it is worth it
    draft: bool = True  # propose words of the document to greedy answers; the answers stay the same


@dataclass(frozen=True, slots=True)
class Finder:
    """A model trained by this project to name a passage by one token: `numbers[i]` is the token of passage i+1.

    Prompt: doc (number passage)* user question assistant; the next token is a number. Below `threshold` (probability of
    the best number among those present) nothing in the document fits.
    """

    doc: int
    user: int
    assistant: int
    first_number: int
    numbers: int
    threshold: float


@dataclass(frozen=True, slots=True)
class ModelInfo:
    name: str
    path: Path
    architecture: str
    parameters: int
    size_bytes: int
    trained_window: int
    vocabulary: int
    kv_bytes_per_token: int
    fingerprint: str  # of weights and everything that changes the KV cache
    tokenizer: str  # "tiktoken" or "llama.cpp"
    device: str  # "CPU" or the GPU's name
    finder: Finder | None = None


@dataclass(frozen=True, slots=True)
class ChatFrame:
    """The fixed pieces of a chat template around a conversation, as token ids.

    prompt = head + document and first question + answer + [reply + next_question + question + answer]*
    Pieces are rendered once from the GGUF's own template, so a prefix never changes when turns are added.
    """

    head: Tokens
    answer: Tokens
    next_question: Tokens


@dataclass(frozen=True, slots=True)
class DocumentSpan:
    """Tokens `start` … `end` - 1 of a reading are of this document: the caller's id, by which to find what is on disk of it."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """`done` of `total` tokens are in the KV cache, `reused` of them from segments."""

    done: int
    total: int
    reused: int
    tokens_per_s: float  # of this reading, 0 until the first chunk is evaluated
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A prefix that is in the KV cache: counted, not assumed. `unsaved` says why segments could not be kept on disk."""

    key: str
    tokens: int
    reused: int
    evaluated: int
    window: int
    unsaved: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """temperature 0 is greedy."""

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    seed: int = 0
    grammar: str = ""  # GBNF: the answer is a sentence of it
    json_schema: str = ""  # the answer is JSON that the schema allows
    logprobs: bool = False  # log probability of every token that was chosen


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that became complete: never half of a UTF-8 character."""

    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    text: str
    tokens: tuple[int, ...]
    evaluated: int  # prompt tokens evaluated for this call
    reused: int  # prompt tokens found in a fork or in the reading
    finish: str  # "stop" or "length"
    logprobs: tuple[float, ...] = ()  # one per token (and one for the end), where `Sampling.logprobs` asked for them


@dataclass(frozen=True, slots=True)
class Choice:
    """`probabilities[i]` of option i, normalised over the options; `share` is what all options had of the whole vocabulary."""

    probabilities: tuple[float, ...]
    share: float
    evaluated: int

    @property
    def best(self) -> int:
        return max(range(len(self.probabilities)), key=self.probabilities.__getitem__)


@dataclass(frozen=True, slots=True)
class Quotation:
    """`passage[start:end]`, in code points of the passage that was given; mean log probability per token of the choice."""

    start: int
    end: int
    logprob: float
    evaluated: int


class Engine(Protocol):
    @property
    def info(self) -> ModelInfo: ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Each text by itself, never with special tokens: text that looks like `<|im_end|>` stays text."""
        ...

    def frame(self, system: str) -> ChatFrame:
        """The model's chat template around `system`; raises ModelFileError where the model has none that renders."""
        ...

    def window_for(self, tokens: int) -> int:
        """The window a reading of that many tokens would get; the largest possible one when it is more than fits."""
        ...

    def read(
        self, tokens: Tokens, *, reserve: int = 0, fresh: bool = False, documents: Sequence[DocumentSpan] = ()
    ) -> Generator[ReadProgress, None, Reading]:
        """Bring `tokens` into the KV cache: restored from segments, the rest prefilled. `reserve` tokens stay free after it.

        Closing the generator cancels; what was read is kept in segments. `fresh` ignores segments (and writes them anew).
        `documents` are noted beside the segments, for those who list, clear or pin them.
        """
        ...

    def generate(
        self,
        reading: Reading,
        prompt: Tokens,
        *,
        limit: int,
        sampling: Sampling = Sampling(),
        stop: Sequence[str] = (),
    ) -> Generator[Piece, None, Generation]:
        """Fork the reading, append `prompt`, decode up to `limit` tokens. Closing the generator stops."""
        ...

    def choose(self, reading: Reading | None, prompt: Tokens, options: Sequence[Tokens]) -> Choice:
        """How probable each option (one or more tokens) is right after reading + prompt; no reading: after the prompt alone."""
        ...

    def quote(
        self, reading: Reading | None, prompt: Tokens, passage: str, *, starts: Sequence[int], ends: Sequence[int], limit: int
    ) -> Quotation:
        """Greedy decoding that can only copy `passage` from one of `starts` to one of `ends` (code points), byte for byte."""
        ...

    def close(self) -> None:
        """Stop the engine process; safe to call twice."""
        ...
