"""The curriculum: what is practised, in which order, with how much help. Values only.

In the circuit a question's word looks only at its own kind: S = 22 puts e**22 between a match and anything else, and no
gradient comes back from the words it does not match. So training begins with blunt attention and tells it where to look, and
ends with the circuit's own sharpness and no help.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """`sharpness` (of the full layer; 1: the circuit's) and `supervision` (the attention loss) go from first to last."""

    name: str
    kinds: tuple[tuple[str, float], ...]  # of examples, and how often: "self-made", "human", "sentences"
    tokens: tuple[int, ...]  # lengths of documents, one taken at random
    words_kept: tuple[float, float]  # of a sentence, in a self-made question
    rivals: float  # of the questions that get passages with the same words into their document
    sharpness: tuple[float, float]
    supervision: tuple[float, float]
    share: float  # of all steps


STAGES = (
    Stage("words", (("self-made", 1.0),), (300, 500), (0.5, 0.9), 0.0, (0.3, 0.5), (1.0, 1.0), 0.15),
    Stage("people", (("human", 0.6), ("sentences", 0.4)), (500, 1000), (0.25, 0.7), 0.25, (0.4, 0.8), (1.0, 0.5), 0.4),
    Stage(
        "rivals",
        (("human", 0.5), ("sentences", 0.25), ("self-made", 0.25)),
        (1000, 2500),
        (0.25, 0.7),
        1.0,
        (0.8, 1.0),
        (0.5, 0.0),
        0.35,
    ),
    Stage("long", (("human", 0.6), ("self-made", 0.4)), (4000, 8000), (0.25, 0.7), 1.0, (1.0, 1.0), (0.0, 0.0), 0.1),
)
DEVELOPMENT = Stage("development", STAGES[2].kinds, (1000, 2000), (0.25, 0.7), 0.5, (1.0, 1.0), (0.0, 0.0), 0.0)


def stage_at(step: int, steps: int) -> tuple[Stage, float, float]:
    """(stage, sharpness, supervision) of a step among all."""
    done = step / steps
    for stage in STAGES:
        if done < stage.share or stage is STAGES[-1]:
            within = min(1.0, done / stage.share)
            sharpness, supervision = (first + within * (last - first) for first, last in (stage.sharpness, stage.supervision))
            return stage, sharpness, supervision
        done -= stage.share
    raise AssertionError("a curriculum without stages")
