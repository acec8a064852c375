"""Which program wrote an OLE container: Office before 2007, a newer file under a password, or a mail from Outlook.

Looks for the names of the streams inside ([MS-CFB] 2.6: UTF-16), parses nothing.
"""

from pathlib import Path

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("__substg1.0_", "msg"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)


def kind_of(path: Path) -> str:
    """ "doc", "xls", "ppt", "encrypted", "msg", "other" for any other container, "" for a file that is none."""
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            return ""
        content = file.read()
    return next((kind for name, kind in _STREAMS if name.encode("utf-16-le") in content), "other")
