"""What reads the files here: a document that another edition read is read again when it is next added.

An edition is the program's version, the revision of its readers and the text recognition that they find. LibreOffice is no part
of it: without it old Office files are refused, and nothing is kept of them. Looks for programs and loads none.
"""

import shutil
from importlib.metadata import version
from importlib.util import find_spec

READERS = 3  # counted up when readers make another text of the same file


def edition() -> str:
    found = f"{version('unabridged')}, readers {READERS}"
    if find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None:
        return found + ", RapidOCR"
    return found + (", Tesseract" if shutil.which("tesseract") else "")
