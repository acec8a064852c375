"""What a chat model is asked beside the answers: a title, a summary of what was said, what might be worth remembering.

Each is one short generation after the conversation as it stands in the window; nothing is read again for it, and none is cited.
"""

import re
from collections.abc import Sequence

from unabridged.models.engine import Engine, Reading, Sampling
from unabridged.prompts import ChatPrompt, Exchange

TITLE_TOKENS = 24
SUMMARY_TOKENS = 700
PROPOSAL_TOKENS = 96

_TITLE = "Give this conversation a title of at most eight words, in its own language. Write only the title."
_SUMMARY = (
    "Summarise this conversation so far for your own later use: what was asked, what was found and in which numbered passages, "
    "what was agreed. Keep names, numbers and dates. Write in the language of the conversation, only the summary."
)
_PROPOSAL = (
    "Did the user say something about themselves or about how they want answers that should still be known in later "
    "conversations? If so, write it as one short sentence. If not, write only: none"
)
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


def title(engine: Engine, prompt: ChatPrompt, reading: Reading, history: Sequence[Exchange]) -> str:
    """A few words; "" where the model gave none."""
    said = _said(engine, prompt, reading, history, _TITLE, limit=TITLE_TOKENS)
    return said.split("\n")[0].strip(" \t\"'“”「」《》*#.。")


def summary(engine: Engine, prompt: ChatPrompt, reading: Reading, history: Sequence[Exchange]) -> str:
    return _said(engine, prompt, reading, history, _SUMMARY, limit=SUMMARY_TOKENS)


def proposal(engine: Engine, prompt: ChatPrompt, reading: Reading, history: Sequence[Exchange]) -> str | None:
    """One sentence to remember, or None."""
    said = _said(engine, prompt, reading, history, _PROPOSAL, limit=PROPOSAL_TOKENS).split("\n")[0].strip()
    return None if not said or said.lower().strip(" .!。") in ("none", "无", "没有") else said


def _said(
    engine: Engine, prompt: ChatPrompt, reading: Reading, history: Sequence[Exchange], request: str, *, limit: int
) -> str:
    pieces = engine.generate(reading, prompt.question(engine, request, history), limit=limit, sampling=Sampling())
    return _THOUGHTS.sub("", "".join(piece.text for piece in pieces)).strip()
