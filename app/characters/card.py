"""A character card as it was written, seen through the fields of its specification (Character Card V1, V2, V3).

The JSON is kept as it came, with what no specification knows; the properties read it. Specifications:
github.com/malfoyslastname/character-card-spec-v2 and github.com/kwaroran/character-card-spec-v3.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unabridged.errors import DocumentDamaged, DocumentUnsupported

TEXTS = (
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "creator_notes",
    "system_prompt",
    "post_history_instructions",
    "creator",
    "character_version",
    "nickname",
)
LISTS_OF_TEXT = ("alternate_greetings", "group_only_greetings", "tags", "source")
V1_FIELDS = TEXTS[:6]
_OBJECTS = ("extensions", "character_book", "creator_notes_multilingual")
_EMPTY_V2: dict[str, Any] = {
    **dict.fromkeys(TEXTS[1:11], ""),
    "alternate_greetings": [],
    "tags": [],
    "extensions": {},
}
LONGEST_NAME = 200  # characters
_HINT = "Export the card again from the program that made it."


@dataclass(frozen=True, slots=True)
class Asset:
    """`kind`: icon, background, emotion, user_icon, …; `uri`: `embeded://PATH`, `__asset:N`, `ccdefault:` or a link."""

    kind: str
    uri: str
    name: str
    ext: str


@dataclass(frozen=True, slots=True)
class DepthPrompt:
    """Words that shall stand `depth` messages before the end of what was said."""

    text: str
    depth: int


@dataclass(frozen=True, slots=True)
class Card:
    """`raw` is the whole JSON object; treat it as frozen. Texts come out with unified line ends and whole characters."""

    raw: dict[str, Any]

    def __post_init__(self) -> None:
        """Raises DocumentUnsupported for what is no card, DocumentDamaged for a field of the wrong type."""
        _check(self.raw)

    @property
    def version(self) -> int:
        """1, 2 or 3: of the specification. A later one is read as 3."""
        spec = self.raw.get("spec")
        return 1 if spec is None else 2 if spec == "chara_card_v2" else 3

    @property
    def data(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.raw if self.version == 1 else self.raw["data"]
        return found

    def text(self, field: str) -> str:
        """A text field by the specification's name; "" where the card leaves it out."""
        return clean(self.data.get(field) or "")

    def texts(self, field: str) -> tuple[str, ...]:
        return tuple(clean(item) for item in self.data.get(field) or ())

    @property
    def name(self) -> str:
        return " ".join(self.text("name").split())

    @property
    def called(self) -> str:
        """What {{char}} stands for."""
        return " ".join(self.text("nickname").split())[:LONGEST_NAME] or self.name

    @property
    def greetings(self) -> tuple[str, ...]:
        """The first message, then the alternate ones; those without words are left out."""
        found = (self.text("first_mes"), *self.texts("alternate_greetings"))
        return tuple(greeting for greeting in found if greeting.strip())

    @property
    def creator_notes(self) -> Mapping[str, str]:
        """By language (ISO 639-1); "" is the language of the card."""
        notes = {"": self.text("creator_notes")} if self.text("creator_notes") else {}
        return notes | {key: clean(text) for key, text in (self.data.get("creator_notes_multilingual") or {}).items()}

    @property
    def extensions(self) -> Mapping[str, Any]:
        return self.data.get("extensions") or {}

    @property
    def book(self) -> Mapping[str, Any] | None:
        """The lorebook as the card writes it: see lorebook.py."""
        return self.data.get("character_book")

    @property
    def assets(self) -> tuple[Asset, ...]:
        return tuple(
            Asset(*(clean(item.get(key) or "") for key in ("type", "uri", "name", "ext")))
            for item in self.data.get("assets") or ()
        )

    @property
    def depth_prompt(self) -> DepthPrompt | None:
        """`extensions.depth_prompt`, where it has words."""
        found = self.extensions.get("depth_prompt")
        if not isinstance(found, dict) or not isinstance(found.get("prompt"), str) or not found["prompt"].strip():
            return None
        depth = found.get("depth")
        return DepthPrompt(clean(found["prompt"]), depth if isinstance(depth, int) and 0 <= depth <= 999 else 4)

    @property
    def talkativeness(self) -> float:
        """How likely it is to speak in a group without being spoken to, 0 … 1; 0.5 where the card does not say."""
        try:
            share = float(self.extensions.get("talkativeness", 0.5))
        except (TypeError, ValueError):
            return 0.5
        return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.5

    def edited(self, **fields: object) -> "Card":
        """The card with other values for fields of `data`, by the specification's names; all else stays as it is.

        Many programs write the fields of version 1 once more beside `data`: those change with it.
        """
        card = self if self.version > 1 or set(fields) <= set(V1_FIELDS) else self.as_version(2)
        raw = copy.deepcopy(card.raw)
        if card.version > 1:
            raw["data"].update(copy.deepcopy(fields))
        beside = V1_FIELDS if card.version == 1 else [field for field in V1_FIELDS if field in raw]
        raw.update({field: copy.deepcopy(value) for field, value in fields.items() if field in beside})
        return Card(raw)

    def as_version(self, version: int) -> "Card":
        """The same card for programs that read version 2 or 3; what only the other version knows stays in it."""
        if version == self.version:
            return self
        data = copy.deepcopy(dict(self.data))
        if self.version == 1:
            data = {**copy.deepcopy(_EMPTY_V2), **data}
        if version == 3:
            data.setdefault("group_only_greetings", [])
        rest = (
            {}
            if self.version == 1
            else {key: value for key, value in self.raw.items() if key not in ("spec", "spec_version", "data")}
        )
        return Card({"spec": f"chara_card_v{version}", "spec_version": f"{version}.0", "data": data, **copy.deepcopy(rest)})


def new_card(name: str, **fields: object) -> Card:
    """A card of version 3 made here."""
    return Card(
        {
            "spec": "chara_card_v3",
            "spec_version": "3.0",
            "data": {**_EMPTY_V2, "group_only_greetings": [], "name": name, **fields},
        }
    )


def clean(text: str) -> str:
    """What can be shown and tokenised: line ends as \\n, no NUL, half a character as U+FFFD."""
    return (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\0", "")
        .encode("utf-16-le", "surrogatepass")
        .decode("utf-16-le", "replace")
    )


def _check(raw: Mapping[str, Any]) -> None:
    spec = raw.get("spec")
    if spec is None and isinstance(raw.get("entries"), dict | list):
        raise DocumentUnsupported(
            "This is a lorebook, not a character.", hint="Let a character learn it: unabridged character learn CHARACTER FILE."
        )
    if spec is not None and not (isinstance(spec, str) and spec.startswith("chara_card_v")):
        raise DocumentUnsupported(
            f"This JSON says that it is {clean(str(spec))[:40]!r}, not a character card.",
            hint="Choose a card of version 1, 2 or 3.",
        )
    data = raw if spec is None else raw.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or not clean(data["name"]).strip():
        raise DocumentUnsupported(
            "This JSON is no character card: it names nobody.", hint="Choose a card of version 1, 2 or 3."
        )
    if len(data["name"]) > LONGEST_NAME:
        raise DocumentDamaged(
            f"The card's name has {len(data['name']):,} characters.", hint=f"Up to {LONGEST_NAME} are a name."
        )
    if spec is None and not any(isinstance(data.get(field), str) for field in V1_FIELDS[1:]):
        raise DocumentUnsupported(
            "This JSON is no character card: it describes nobody.", hint="Choose a card of version 1, 2 or 3."
        )
    for field in TEXTS if spec else V1_FIELDS:
        _expect(data, field, str, "a text")
    if spec is None:
        return
    for field in _OBJECTS:
        _expect(data, field, dict, "an object")
    for field in (*LISTS_OF_TEXT, "assets"):
        _expect(data, field, list, "a list")
    for field in LISTS_OF_TEXT:
        if not all(isinstance(item, str) for item in data.get(field) or ()):
            raise _wrong(field, "a list of texts")
    if not all(isinstance(text, str) for text in (data.get("creator_notes_multilingual") or {}).values()):
        raise _wrong("creator_notes_multilingual", "texts by language")
    for item in data.get("assets") or ():
        if not isinstance(item, dict) or not all(
            isinstance(item.get(key), str | None) for key in ("type", "uri", "name", "ext")
        ):
            raise _wrong("assets", "a list of files with type, uri, name and ext")


def _expect(data: Mapping[str, Any], field: str, kind: type, words: str) -> None:
    """Many programs write null for what they leave out."""
    if data.get(field) is not None and not isinstance(data[field], kind):
        raise _wrong(field, words)


def _wrong(field: str, words: str) -> DocumentDamaged:
    return DocumentDamaged(f"The card's {field} is not {words}.", hint=_HINT)
