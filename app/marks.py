"""How a passage is named in running text: [12], [3, 4], 【7】. The one pattern for all who write, read or disarm such marks.

Beside it, what in a model's words is no such mark, because it is code; and no words at all, because it was only thought.
"""

import re

MARKER = re.compile(r"[\[【]\s*(\d{1,7}(?:\s*[,，、;]\s*\[?\d{1,7})*)\s*[\]】]")
QUOTATION_MARKS = (("“", "”"), ("「", "」"), ('"', '"'))  # between which a citation's words stand as they are in the source
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


def ends_in_code(text: str) -> bool:
    """Whether what follows stands in a Markdown code block or between backquotes: numbers in brackets are no markers there."""
    if len(re.findall(r"^ {0,3}(?:```|~~~)", text, re.MULTILINE)) % 2:
        return True
    return text.rpartition("\n")[2].count("`") % 2 == 1


def without_thoughts(text: str) -> str:
    """What was said, without the reasoning that some models write before it."""
    return _THOUGHTS.sub("", text).strip()
