"""Zip containers (Word, Excel, PowerPoint, EPUB, OpenDocument): opened with limits, read member by member, nothing extracted.

Member names are only ever looked up, never used as paths on disk. Declared sizes are binding: Python's zipfile reads no
further, so their sum bounds what a bomb can unpack.
"""

import zipfile
import zlib
from dataclasses import dataclass
from posixpath import normpath
from types import TracebackType
from typing import Self

from lxml import etree
from unabridged.errors import DocumentDamaged, DocumentEncrypted, DocumentTooCostly
from unabridged.ingest.reader import Source

_ENTITIES = tuple("<!ENTITY".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))


@dataclass(slots=True)
class Archive:
    source: Source
    _zip: zipfile.ZipFile
    _names: dict[str, str]  # lower-case name → name: Office ignores case in part names

    @classmethod
    def open(cls, source: Source) -> Self:
        try:
            archive = zipfile.ZipFile(source.path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise _damaged(source) from error
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > source.limits.unpacked_bytes or len(members) > source.limits.members:
            archive.close()
            raise DocumentTooCostly(
                f"{source.name} would unpack to {unpacked / 2**20:,.0f} MB in {len(members):,} parts; too much to open.",
                hint="It may be a zip bomb. If you trust it, split it or remove its pictures and try again.",
            )
        if any(member.flag_bits & 1 for member in members):
            archive.close()
            raise DocumentEncrypted(
                f"{source.name} is protected with a password.", hint="Save it without a password and attach it again."
            )
        return cls(source, archive, {member.filename.lower().lstrip("/"): member.filename for member in members})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._names

    @property
    def names(self) -> list[str]:
        return list(self._names.values())

    def content_kind(self) -> str:
        """docx, xlsx, pptx, epub, odt, …: what the parts inside say; "" for any other archive."""
        if "mimetype" in self:
            media_type = self.read("mimetype")[:100].strip()
            for mark, kind in ((b"epub", "epub"), (b"opendocument.text", "odt"), (b"opendocument", "odf")):
                if mark in media_type:
                    return kind
        for folder, kind in (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")):
            if any(name.startswith(folder) for name in self._names):
                return kind
        return "epub" if "META-INF/container.xml" in self else ""

    def size(self, name: str) -> int:
        return self._zip.getinfo(self._names[_key(name)]).file_size

    def read(self, name: str) -> bytes:
        """The bytes of a member; raises DocumentDamaged when it is missing or broken."""
        try:
            return self._zip.read(self._names[_key(name)])
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise _damaged(self.source, name) from error

    def xml(self, name: str) -> etree._Element:
        """A member parsed as XML: no entities, no DTD, no network; raises DocumentDamaged where it is not XML."""
        return parse_xml(self.read(name), self.source, name)


def parse_xml(data: bytes, source: Source, name: str) -> etree._Element:
    if any(declaration in data for declaration in _ENTITIES):
        raise DocumentDamaged(
            f"{source.name} declares XML entities ({name} inside it), which no document needs and attacks use.",
            hint="If you trust it, open it with the program that wrote it and save it anew.",
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _damaged(source, name) from error
    return root


def _key(name: str) -> str:
    return normpath(name).lower().lstrip("/")


def _damaged(source: Source, part: str = "") -> DocumentDamaged:
    inside = f" ({part} inside it)" if part else ""
    return DocumentDamaged(
        f"{source.name} is damaged or cut short{inside}.",
        hint="Fetch or export it again; Word and LibreOffice can often repair a file that they open.",
    )
