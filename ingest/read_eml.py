"""Mail messages: who, whom, when, about what, then the text; attached messages too. Attachments are named, not opened.

Source: RFC 5322 and MIME, through the standard library. The plain text is read where there is one, else the HTML.
"""

import re
from email import errors, message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

from unabridged.errors import DocumentDamaged, DocumentEmpty
from unabridged.ingest.document import BlockKind, Document, ProblemKind
from unabridged.ingest.draft import Draft, usable
from unabridged.ingest.encodings import detect
from unabridged.ingest.html_blocks import HtmlBlocks
from unabridged.ingest.read_html import decode_html, parse_html
from unabridged.ingest.reader import Source

MEDIA_TYPE = "message/rfc822"
_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_DEPTH_LIMIT = 8
_HEADER = re.compile(
    rb"(From|To|Cc|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|X-[\w-]+|Content-Type): ?",
    re.IGNORECASE,
)


def is_mail(head: bytes) -> bool:
    """Whether a file begins like a mail message: at least three header lines, two of them well known ones of mail."""
    first = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    lines = [line for line in first.splitlines() if line[:1] not in (b" ", b"\t")]
    known = {match[1].lower() for line in lines if (match := _HEADER.match(line))}
    fields = sum(re.match(rb"[!-9;-~]+:", line) is not None for line in lines)
    return (
        len(known & {b"from", b"to", b"subject", b"date", b"received", b"message-id", b"mime-version"}) >= 2
        and fields >= len(lines) - 1
    )


def read_eml(source: Source) -> Document:
    data = source.path.read_bytes()
    encoding = detect(data).name
    if encoding.startswith(("utf-16", "utf-32")):
        data = data.decode(encoding, "replace").encode()
    draft = Draft()
    try:
        _message(message_from_bytes(data, policy=policy.default), draft, source, depth=0)
    except (errors.MessageError, LookupError, AttributeError, ValueError, IndexError, TypeError, OverflowError) as error:
        raise DocumentDamaged(
            f"{source.name} cannot be read as a mail message.", hint="Save it again from the mail program."
        ) from error
    if not draft.length:
        raise DocumentEmpty(f"{source.name} holds no text.", hint="Save it again from the mail program.")
    return draft.finish(media_type=MEDIA_TYPE, name=source.name)


def _message(message: EmailMessage, draft: Draft, source: Source, *, depth: int) -> None:
    subject = str(message.get("Subject", "")).strip()
    if subject:
        draft.add(BlockKind.HEADING, subject, level=min(9, depth + 1))
    headers = [f"{name}: {' '.join(str(message[name]).split())}" for name in _SHOWN if message[name]]
    draft.add(BlockKind.PARAGRAPH, "\n".join(headers))
    body = message.get_body(preferencelist=("plain", "html"))
    if body is not None:
        _body(body, draft, source)
    for part in [message] if message.get_content_type() == "message/rfc822" else message.iter_attachments():
        inner = part.get_payload(0) if part.get_content_type() == "message/rfc822" and part.is_multipart() else None
        if isinstance(inner, EmailMessage) and depth < _DEPTH_LIMIT:
            _message(inner, draft, source, depth=depth + 1)
        else:
            name = part.get_filename() or part.get_content_type()
            draft.problem(ProblemKind.DROPPED_OBJECT, f"attachment {name}", "Save it as a file and attach that.")


def _body(body: MIMEPart, draft: Draft, source: Source) -> None:
    data = body.get_payload(decode=True)
    raw = data if isinstance(data, bytes) else b""
    charset = body.get_content_charset() or ""
    if body.get_content_type() == "text/html":
        text, _ = decode_html(raw, charset)
        if text.strip():
            HtmlBlocks(draft).walk(parse_html(text, source))
        return
    text, _ = decode_html(raw, charset)
    for paragraph in re.split(r"\n[ \t]*\n", usable(text)):
        draft.add(BlockKind.PARAGRAPH, paragraph)
