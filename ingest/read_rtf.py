"""RTF: its words in order, with notes where they are called and table rows as lines.

Source: Rich Text Format specification 1.9.1 (Microsoft). List numbers stand in the text where the writing program put
them for old readers (`\\listtext`, `\\pntext`). Hidden and deleted text is not read; pictures and
embedded objects are reported.
"""

import codecs
import re
from dataclasses import dataclass, field, replace

from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.draft import Draft
from unabridged.ingest.reader import Source

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
_SKIPPED = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "themedata", "colorschememapping", "datastore",
    "latentstyles", "listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "fldinst", "shpinst", "filetbl",
    "revtbl", "header", "footer", "headerl", "headerr", "headerf", "footerl", "footerr", "footerf", "bkmkstart",
    "bkmkend", "nonshppict", "panose", "falt", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "mmathPr", "wgrffmtfilter",
    "pgdsctbl", "nonesttables",
}  # fmt: skip
_SIGNS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "•", "emspace": "\u2003", "enspace": "\u2002", "~": "\u00a0", "_": "\u2011", "-": "", "lbrack": "[",
}  # fmt: skip
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_DEPTH_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits and its end gives back."""

    skipped: bool = False
    codec: str = "cp1252"
    fallback: int = 1  # characters after \\u that are for old readers
    note: bool = False
    fonts: bool = False


@dataclass(slots=True)
class _Reading:
    draft: Draft = field(default_factory=Draft)
    state: _State = field(default_factory=_State)
    stack: list[_State] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    held: bytearray = field(default_factory=bytearray)  # bytes of a multi-byte encoding not yet decoded
    note: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0
    cells: list[str] = field(default_factory=list)
    in_table: bool = False
    rows: list[str] = field(default_factory=list)
    codecs: dict[int, str] = field(default_factory=dict)  # of fonts
    font: int = 0
    to_skip: int = 0
    hidden: int = 0
    objects: int = 0

    def read(self, data: bytes) -> None:
        for match in _TOKEN.finditer(data):
            word, number, coded, sign, brace, text = match.groups()
            if coded or text:
                self._bytes(bytes.fromhex(coded.decode()) if coded else text)
                continue
            self._decode()
            if match[0].strip():
                self.to_skip = 0
            if brace == b"{":
                if len(self.stack) < _DEPTH_LIMIT:
                    self.stack.append(self.state)
            elif brace == b"}":
                self._close()
            elif word:
                self._control(word.decode(), None if number is None else int(number))
            elif sign:
                self._sign(sign.decode("latin-1"))
        self._decode()
        self.in_table = False
        self._end_paragraph()
        self._end_table()

    def _bytes(self, data: bytes) -> None:
        dropped, self.to_skip = min(self.to_skip, len(data)), max(0, self.to_skip - len(data))
        if not self.state.skipped:
            self.held += data[dropped:]

    def _decode(self) -> None:
        if self.held:
            self._say(self.held.decode(self.state.codec, "replace"))
            self.held.clear()

    def _say(self, text: str) -> None:
        if not self.state.skipped:
            (self.note if self.state.note else self.words).append(text)

    def _close(self) -> None:
        before = self.state
        if self.stack:
            self.state = self.stack.pop()
        if before.note and not self.state.note:
            self.notes.append(f"[^{self.count}] {''.join(self.note).strip()}")
            self.note.clear()

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self.state = replace(self.state, skipped=True)  # a destination that only newer readers know
        elif sign in _SIGNS:
            self._say(_SIGNS[sign])
        elif sign in "\\{}":
            self._say(sign)
        elif sign in "\r\n":
            self._end_paragraph()

    def _control(self, word: str, number: int | None) -> None:
        if word in _SKIPPED:
            self.objects += word in ("pict", "object") and not self.state.skipped
            self.state = replace(self.state, skipped=True, fonts=word == "fonttbl" or self.state.fonts)
        elif word in ("v", "deleted") and number != 0:
            self.hidden += not self.state.skipped
            self.state = replace(self.state, skipped=True)
        elif word in ("shptxt", "fldrslt"):
            self.state = replace(self.state, skipped=False)
        elif word == "ansicpg" and number is not None:
            self._use(f"cp{number}" if number != 936 else "gb18030")
        elif word == "f" and number is not None:
            self.font = number
            if not self.state.fonts:
                self._use(self.codecs.get(number, self.state.codec))
        elif word == "fcharset" and self.state.fonts and number in _CHARSETS and number != 0:
            self.codecs[self.font] = _CHARSETS[number]
        elif word == "uc":
            self.state = replace(self.state, fallback=number or 0)
        elif word == "u" and number is not None:
            self._say(chr(number % 65536))
            self.to_skip = 0 if self.state.skipped else self.state.fallback
        elif word == "footnote" and not self.state.skipped:
            self.count += 1
            self._say(f"[^{self.count}]")
            self.state = replace(self.state, note=True)
        elif word in ("par", "sect", "page") and not self.state.skipped:
            self._end_paragraph()
        elif word in ("intbl", "trowd", "pard") and not self.state.skipped:
            self.in_table = word != "pard"
        elif word in ("nestcell", "nestrow"):
            self._say(" | " if word == "nestcell" else "; ")
        elif word == "cell" and not self.state.skipped:
            self.cells.append(" ".join("".join(self.words).split()))
            self.words.clear()
        elif word == "row" and not self.state.skipped:
            self.rows.append(" | ".join(self.cells).rstrip())
            self.cells.clear()
        elif word in _SIGNS:
            self._say(_SIGNS[word])

    def _use(self, codec: str) -> None:
        try:
            codecs.lookup(codec)
        except LookupError:
            return
        self.state = replace(self.state, codec=codec)

    def _end_paragraph(self) -> None:
        if self.state.note:
            self.note.append("\n")
            return
        text = _paired("".join(self.words))
        if self.in_table:
            self.words.append(" ")
            return
        if text.strip():
            self._end_table()
            self.draft.add(BlockKind.PARAGRAPH, text.strip("\n"))
        self.words.clear()
        for note in self.notes:
            self.draft.add(BlockKind.FOOTNOTE, _paired(note))
        self.notes.clear()

    def _end_table(self) -> None:
        if self.rows:
            self.draft.add(BlockKind.TABLE, _paired("\n".join(row for row in self.rows if row.strip(" |"))))
            self.rows.clear()


def _paired(text: str) -> str:
    """Surrogates written as two `\\u` words become the one character they mean."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_rtf(source: Source) -> Document:
    reading = _Reading()
    data = source.path.read_bytes()
    reading.read(data)
    if data.count(b"{") - data.count(b"}") > 50 or len(reading.stack) >= _DEPTH_LIMIT:
        raise DocumentDamaged(f"{source.name} is cut short or damaged.", hint="Open it in Word and save it as .docx.")
    draft = reading.draft
    if not draft.length:
        raise DocumentEmpty(
            f"{source.name} holds no text.", hint="If it holds pictures of text, save it as PDF and attach that."
        )
    if reading.hidden:
        draft.problem(
            ProblemKind.REVISIONS, f"{reading.hidden:,} places", "Hidden or deleted text stands there and was not read."
        )
    if reading.objects:
        draft.problem(ProblemKind.DROPPED_OBJECT, f"{reading.objects:,} pictures or embedded objects", "They were not read.")
    return draft.finish(media_type="application/rtf", name=source.name)
