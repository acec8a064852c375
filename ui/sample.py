"""The sample document that ships with the program, in each language: our own text, and questions that it answers."""

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "sample"


@dataclass(frozen=True, slots=True)
class Sample:
    path: Path
    questions: tuple[str, ...]


SAMPLES = {
    "en": Sample(
        _FOLDER / "Harbour lease.md",
        ("Who pays for repairs to the roof?", "How can the tenant end the lease early?", "Where may fuel be kept?"),
    ),
    "zh": Sample(_FOLDER / "码头租约.md", ("屋顶的维修费用由谁承担？", "承租人如何提前终止合同？", "本合同适用哪国法律？")),
}
