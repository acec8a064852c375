"""The process that draws sheets of one PDF. Started by page_images with the path; told in JSON lines on stdin what to do.

The first line holds the password, or null. Each further line is a page and a width, answered with the number of bytes, a line
end and the PNG; 0 when the sheet cannot be drawn, -1 when the password does not open the file. Ends when stdin closes.
"""

import json
import resource
import sys

import pymupdf

MEMORY_BYTES = 4 << 30
CPU_S = 600
LIMITS = (
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
)
LONGEST_SIDE = 6000  # pixels


def main() -> None:
    for kind, most in LIMITS:
        if sys.platform == "linux" or kind != resource.RLIMIT_AS:  # macOS refuses a limit of the address space
            resource.setrlimit(kind, (most, most))
    pymupdf.TOOLS.mupdf_display_errors(False)
    with pymupdf.open(sys.argv[1], filetype="pdf") as document:
        password = json.loads(sys.stdin.buffer.readline() or b"null")
        locked = bool(document.needs_pass) and not document.authenticate(password or "")
        for line in sys.stdin.buffer:
            request = json.loads(line)
            content = b"" if locked else _png(document, request["page"], request["width"])
            sys.stdout.buffer.write(b"%d\n" % (-1 if locked else len(content)) + content)
            sys.stdout.buffer.flush()


def _png(document: pymupdf.Document, number: int, width: int) -> bytes:
    if not 1 <= number <= document.page_count:
        return b""
    page = document[number - 1]
    scale = min(width / max(1.0, page.rect.width), LONGEST_SIDE / max(1.0, page.rect.width, page.rect.height))
    content: bytes = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False).tobytes("png")
    return content


if __name__ == "__main__":
    main()
