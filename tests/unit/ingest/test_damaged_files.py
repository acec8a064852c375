"""Damaged files end in a Document that holds together or in a DocumentError; `tests/corpus/fuzz.py` runs thousands more."""

import io
from collections import Counter
from email.message import EmailMessage

import docx
import openpyxl
import pymupdf

from tests.corpus.fuzz import Seed, run

LAW = "第一章 总则\n\n第一条 为了保证刑法的正确实施，制定本法。\n\n（一）甲；\n（二）乙。\n"
PAGE = b"<html><body><h1>Terms</h1><p>You agree.</p><ol><li>one</ol><table><tr><td>a<td>b</table></body></html>"


def seeds() -> list[Seed]:
    word = docx.Document()
    word.add_heading("Lease", 1)
    word.add_paragraph("The fee is due.", style="List Number")
    word.add_table(2, 2).cell(0, 0).text = "cell"
    sheet = openpyxl.Workbook()
    sheet.active.append(["Item", 9])
    pdf = pymupdf.open()
    pdf.new_page().insert_text((72, 72), ["Section 1 Rent.", "The tenant pays the rent."])
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "Lease"
    mail.set_content("I accept.")
    made: list[Seed] = [Seed(".pdf", pdf.tobytes())]
    for suffix, document in ((".docx", word), (".xlsx", sheet)):
        packed = io.BytesIO()
        document.save(packed)
        made.append(Seed(suffix, packed.getvalue()))
    rtf = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}The rent{\footnote Net.} is \u31532? due.\par\trowd a\cell b\cell\row}"
    made += [Seed(".html", PAGE), Seed(".eml", bytes(mail)), Seed(".rtf", rtf), Seed(".csv", b"a;b\n1;2\n")]
    made += [
        Seed(".txt", LAW.encode("gb18030")),
        Seed(".txt", LAW.encode("utf-16")),
        Seed(".md", b"# A\n\n- b\n\n| c | d |\n|---|---|\n"),
    ]
    return made


def test_no_damage_brings_a_reader_down_or_moves_a_span() -> None:
    counts: Counter[str] = Counter()
    run(seeds(), 300, counts, seed=20)
    assert counts.total() == 300
    assert [what for what in counts if not what.endswith(" read") and " Document" not in what] == []
    assert (
        sum(count for what, count in counts.items() if what.endswith(" read")) > 100
    )  # damage that is no damage proves little else
