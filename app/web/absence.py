"""Whether "not in the documents" holds: all was read, the answer cites nothing, and the question's words are looked up.

The words are looked for literally, in their forms, in every passage. Where one passage holds all of them the answer may have
been overlooked: then absence is not confirmed, and nothing leaves unless the user says so.
"""

from dataclasses import dataclass

from unabridged.answers import Answer
from unabridged.context import Context
from unabridged.web.words import content_words, is_chinese, normal, times


@dataclass(frozen=True, slots=True)
class Absence:
    """`found`: how often the documents have each word of the question; `together`: a passage that has all, 0 for none."""

    question: str
    characters: int
    characters_read: int
    pages_without_text: int
    found: tuple[tuple[str, int], ...]
    together: int

    @property
    def confirmed(self) -> bool:
        return self.characters_read == self.characters and not self.pages_without_text and not self.together

    @property
    def reason(self) -> str:
        """One or two sentences in the language of the question."""
        return _reason_zh(self) if is_chinese(self.question) else _reason_en(self)


def absence(answer: Answer, context: Context, question: str) -> Absence | None:
    """None when the answer rests on the documents."""
    if answer.citations and not answer.unsure:
        return None
    words = content_words(question)
    texts = [normal(numbered.text) for numbered in context.passages]
    whole = [normal(share.document.text) for share in context.shares]
    together = 0
    if words:
        together = next((number for number, text in enumerate(texts, 1) if all(times(word, text) for word in words)), 0)
    documents = [share.document for share in context.shares]
    return Absence(
        question=question,
        characters=sum(len(document.text) for document in documents),
        characters_read=sum(share.characters for share in context.shares),
        pages_without_text=sum(page.is_empty for document in documents for page in document.pages),
        found=tuple((word, sum(times(word, text) for text in whole)) for word in words),
        together=together,
    )


def _reason_en(absence: Absence) -> str:
    if absence.characters_read < absence.characters or absence.pages_without_text:
        without = f"{absence.pages_without_text:,} pages hold no text"
        return f"The documents were not read whole ({without}), and what was read does not answer."
    read = f"All {absence.characters:,} characters were read and do not answer"
    if absence.together:
        return (
            f"All {absence.characters:,} characters were read and no passage clearly answers, but passage {absence.together} "
            "has all words of the question: look there first."
        )
    missing = [f"“{word}”" for word, count in absence.found if not count]
    if missing:
        return f"{read}; {', '.join(missing)} {'stands' if len(missing) == 1 else 'stand'} nowhere in them."
    return f"{read}; the words of the question never stand together in them."


def _reason_zh(absence: Absence) -> str:
    if absence.characters_read < absence.characters or absence.pages_without_text:
        return f"文件未能全部读到（{absence.pages_without_text:,} 页没有文字），读到的部分没有回答这个问题。"
    read = f"已读完全部 {absence.characters:,} 个字符"
    if absence.together:
        return f"{read}，没有段落明确回答，但第 {absence.together} 段含有问题中的全部词语，请先查看该段。"
    read = f"{read}，其中没有回答"
    missing = [f"“{word}”" for word, count in absence.found if not count]
    if missing:
        return f"{read}；文中找不到{'、'.join(missing)}。"
    return f"{read}；问题中的词语从未在同一段中出现。"
