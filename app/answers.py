"""An answer as a value, and the JSON object that scripts get of it."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from unabridged.citations import Citation
from unabridged.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds. `first_token` counts from the end of the reading, `total` from the request."""

    ingest: float
    prefill: float
    first_token: float
    total: float


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said: the text with footnote numbers, its citations, and for a follow-up the very tokens of the reply."""

    text: str
    citations: tuple[Citation, ...]
    reply_tokens: tuple[int, ...] = ()
    stopped: bool = False  # at the longest answer allowed, before the model's own end
    unsure: bool = False  # the citations are no more than the nearest passages


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    citations: tuple[Citation, ...]
    receipt: Receipt
    seconds: Seconds
    model: str
    stopped: bool = False  # at the longest answer allowed, before the model's own end
    reply_tokens: tuple[int, ...] = ()  # as the model wrote them: a follow-up appends them again, byte for byte
    unsure: bool = False  # the citations are no more than the nearest passages

    def to_json(self) -> dict[str, Any]:
        return {
            "answer": self.text,
            "citations": [citation.to_json() for citation in self.citations],
            "receipt": self.receipt.to_json(),
            "seconds": {name: round(value, 3) for name, value in dataclasses.asdict(self.seconds).items()},
            "model": self.model,
        }
