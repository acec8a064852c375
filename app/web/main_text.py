"""The main text of a web page, by trafilatura, in a process without network: menus, scripts and hidden text stay out.

`main_text` starts it; `python -m unabridged.web.main_text` is it. What comes back is HTML of headings, paragraphs, lists
and tables, to be read by the reader for HTML files like any other file; the page as it came is kept nowhere and shown never.
"""

import json
import os
import resource
import socket
import subprocess
import sys
from html import escape
from pathlib import Path

from unabridged.errors import WebFailed
from unabridged.ingest.confinement import die_with_parent, forbid_network, lower_limit
from unabridged.ingest.read_html import decode_html

TIME_S = 60.0
CPU_S = 50
MEMORY_BYTES = 2 << 30
TITLE_CHARACTERS = 120
_STYLE = "concat(translate(@style, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ ', 'abcdefghijklmnopqrstuvwxyz'), ';')"  # spaces go, being last
_HIDING = (
    *("display:none", "visibility:hidden", "visibility:collapse", "font-size:0", "font-size:1px", "opacity:0;", "opacity:0.0"),
    *("text-indent:-99", "left:-99", "top:-99", "clip:rect(0", "clip:rect(1px", "transform:scale(0)", "color:transparent"),
)
_PRUNED = " | ".join(
    [
        *("//nav", "//footer", "//aside", "//form", "//template", "//noscript", "//*[@hidden]", "//*[@aria-hidden='true']"),
        *(f"//*[contains({_STYLE}, '{style}')]" for style in _HIDING),
    ]
)


def main_text(page: Path, *, media_type: str, charset: str) -> tuple[str, str]:
    """Title and HTML of the main text. Raises WebFailed where the page holds none, or costs too much."""
    request = json.dumps({"path": str(page), "media_type": media_type, "charset": charset, "parent": os.getpid()})
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "unabridged.web.main_text"],
            input=request.encode(),
            capture_output=True,
            timeout=TIME_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WebFailed("The page takes too long to understand.", hint="Save it as PDF and attach it.") from error
    if done.returncode != 0:
        raise WebFailed("The page cannot be understood.", hint="Save it as PDF in a browser and attach it.")
    found = json.loads(done.stdout)
    if not found["html"]:
        raise WebFailed("The page holds no text.", hint="If a script fills it, print it to PDF in a browser and attach that.")
    return found["title"], found["html"]


def extracted(source: str, *, plain: bool) -> tuple[str, str]:
    """Title ("" for none) and main text as HTML ("" for none)."""
    if plain:
        paragraphs = [part.strip() for part in source.replace("\r\n", "\n").split("\n\n")]
        return "", _page("", "".join(f"<p>{escape(part)}</p>\n" for part in paragraphs if part))
    import trafilatura
    from trafilatura.settings import use_config

    config = use_config()
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")  # a short page is a page, too
    config.set("DEFAULT", "MIN_OUTPUT_SIZE", "1")
    tree = trafilatura.load_html(source)
    if tree is None:
        return "", ""
    title = " ".join((tree.findtext(".//title") or tree.findtext(".//h1") or "").split())[:TITLE_CHARACTERS]
    found = trafilatura.extract(
        source,
        output_format="html",
        include_comments=False,
        include_tables=True,
        include_links=False,
        favor_recall=True,
        prune_xpath=_PRUNED,
        config=config,
    )
    body = (found or "").partition("<body>")[2].rpartition("</body>")[0]
    return title, _page(title, _bare(body)) if body.strip() else ""


def _bare(body: str) -> str:
    """Elements without attributes: no style, no address and no handler of the page is kept."""
    from lxml import html

    root = html.fragment_fromstring(body, create_parent="div")
    for element in root.iter():
        for name in set(element.attrib) - {"colspan", "rowspan"}:
            del element.attrib[name]
    return str(html.tostring(root, encoding="unicode"))


def decoded(data: bytes, charset: str) -> str:
    """The page as text: by byte order mark, the server's word where it holds, the page's own word, or how the bytes look."""
    if charset and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode({"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252"}.get(charset, charset))
        except (LookupError, UnicodeError):
            pass  # servers are often wrong about this; the page itself is asked next
    return decode_html(data)[0]


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    return f"<!doctype html>\n<html><head>{head}</head><body>\n{body}\n</body></html>\n"


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    die_with_parent(request["parent"])
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        lower_limit(kind, most)
    socket.has_ipv6 = False  # trafilatura imports urllib3, which would make an IPv6 socket to see whether it can
    forbid_network()
    source = decoded(Path(request["path"]).read_bytes(), request["charset"])
    title, html = extracted(source, plain=request["media_type"] == "text/plain")
    answers.write(json.dumps({"title": title, "html": html}).encode())
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
