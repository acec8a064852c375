"""The commands as a script or a person meets them, over the real readers, the real engine and the starter model."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pymupdf
import pytest
from unabridged.cli import main, parser
from unabridged.home import Home
from unabridged.ingest.document import Document

from tests.conftest import CONTRACT, written

CITATION = ["n", "document", "page", "page_label", "path", "start", "end", "quote"]
TOKENS = ["window_tokens", "prompt_tokens", "reused_tokens", "evaluated_tokens", "generated_tokens", "evidence_tokens"]
RECEIPT = ["documents", *TOKENS]
DOCUMENT = ["name", "characters", "characters_read", "pages", "pages_without_text", "pages_ocr"]
SECONDS = ["ingest", "prefill", "first_token", "total"]
INSPECTION = ["name", "media_type", "characters", "pages", "tokens", "blocks", "outline", "problems"]


def test_ask_prints_one_json_object_and_its_quotations_are_in_the_text_that_inspect_prints(
    contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(contract), "--json", "--text"]) == 0
    inspected = json.loads(capsys.readouterr().out)
    assert list(inspected) == [*INSPECTION, "text"]
    assert inspected["characters"] == len(inspected["text"])
    assert inspected["text"].split() == CONTRACT.split()
    assert inspected["tokens"] > 0

    assert main(["ask", str(contract), "By the laws of which country is this agreement governed?", "--json"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert list(answer) == ["answer", "citations", "receipt", "seconds", "model"]
    assert list(answer["receipt"]) == RECEIPT
    assert answer["receipt"]["reused_tokens"] + answer["receipt"]["evaluated_tokens"] == answer["receipt"]["prompt_tokens"]
    assert list(answer["receipt"]["documents"][0]) == DOCUMENT
    assert list(answer["seconds"]) == SECONDS
    assert answer["receipt"]["documents"][0]["characters_read"] == inspected["characters"]
    assert answer["citations"], "the starter finds these words"
    for citation in answer["citations"]:
        assert list(citation) == CITATION
        assert inspected["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert f"[{citation['n']}]" in answer["answer"]
    assert "Norway" in answer["citations"][0]["quote"]


def test_a_second_question_from_another_process_evaluates_about_the_question(tmp_path: Path) -> None:
    file = a_long_file(tmp_path, clauses=200)
    questions = ("Who pays the mill?", "Which clause is last?")
    first, second = (json.loads(run("ask", str(file), question, "--json").stdout) for question in questions)
    assert first["receipt"]["evaluated_tokens"] > 2000
    assert second["receipt"]["evaluated_tokens"] < 50
    assert second["receipt"]["prompt_tokens"] - second["receipt"]["reused_tokens"] < 50


def test_a_plan_says_what_fits_and_refuses_what_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "plan", "starter", "--window", "4096", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["fits"]
    assert plan["needed_bytes"] == sum(line["size_bytes"] for line in plan["lines"]) > 0
    assert main(["models", "plan", "starter", "--window", "9000000000"]) == 4
    assert "does not fit" in capsys.readouterr().out


def test_kept_readings_are_listed_verified_and_cleared(
    contract: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", str(contract)]) == 0
    capsys.readouterr()
    assert main(["cache", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["readings"][0]["tokens"] > 0
    assert [(item["name"], item["pinned"]) for item in listed["documents"]] == [(contract.name, False)]
    assert 0 < listed["documents"][0]["size_bytes"] <= listed["total_bytes"]
    (segment,) = home.segments.glob("*/*.segment")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert main(["cache", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"checked": 1, "damaged": 1, "size_bytes": 0}
    assert main(["read", str(contract)]) == 0
    assert main(["cache", "clear"]) == 0
    assert not list(home.segments.glob("*/*.segment"))


def test_a_document_is_pinned_and_its_readings_are_cleared_by_name(
    contract: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    other = contract.with_name("other.txt")
    other.write_text("Another lease.\n\nIt is governed by the laws of Iceland.\n", "utf-8")
    assert main(["read", str(contract)]) == main(["read", str(other)]) == 0
    assert main(["cache", "pin", contract.name]) == 0
    assert main(["cache", "clear", "other.txt"]) == 0
    assert main(["library", "remove", contract.name]) == 0
    capsys.readouterr()
    assert main(["cache", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "(removed document" in lines[0]
    assert lines[0].endswith("pinned")
    assert main(["cache", "unpin", json_id(capsys)]) == 0
    assert main(["cache", "clear", "nothing"]) == 2
    assert "no document called nothing" in capsys.readouterr().err
    assert list(home.segments.glob("*/*.segment"))


def json_id(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["cache", "list", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["documents"]
    assert document["pinned"]
    return str(document["document"])


def test_read_can_be_interrupted_and_goes_on_where_it_was(tmp_path: Path) -> None:
    file = a_long_file(tmp_path, clauses=600)
    pipe = subprocess.PIPE
    process = subprocess.Popen(command("read", str(file)), stderr=pipe, stdout=pipe, text=True, preexec_fn=_heeds_interrupts)
    assert process.stderr is not None
    while "Reading" not in (line := process.stderr.readline()):
        assert line, "the reading never began"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "kept" in complaint
    assert "Traceback" not in complaint
    again = json.loads(run("read", str(file), "--json").stdout)["receipt"]
    assert again["reused_tokens"] > 0
    assert again["reused_tokens"] + again["evaluated_tokens"] == again["prompt_tokens"]


def test_answers_for_people_show_sources_and_receipt(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", str(contract), "By the laws of which country is this agreement governed?"]) == 0
    shown = capsys.readouterr().out
    assert "Sources\n[1] contract.txt" in shown
    assert "does not reason" in shown
    assert "Read " in shown


def test_an_output_without_chinese_gets_escapes_and_the_same_json(law: Path) -> None:
    answers = []
    for encoding in ("ascii", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        inspect = command("inspect", str(law), "--json", "--text")
        done = subprocess.run(inspect, capture_output=True, check=True, env=environment)
        answers.append(json.loads(done.stdout.decode(encoding)))
    assert answers[0] == answers[1]
    shown = subprocess.run(
        command("find", "上诉"), capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert b"1 found" in shown.stdout


def test_find_and_library_list_and_forget(contract: Path, law: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (contract, law):
        assert main(["inspect", str(file), "--json"]) == 0
    capsys.readouterr()
    assert main(["find", "上诉", "--json"]) == 0
    (place,) = json.loads(capsys.readouterr().out)["found"]
    assert (place["document"], place["words"]) == ("law.txt", "上诉")
    assert main(["find", "laws of Norway"]) == 0
    assert "«laws of Norway»" in capsys.readouterr().out
    assert main(["library", "remove", "law.txt"]) == 0
    capsys.readouterr()
    assert main(["library", "list", "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)["documents"]] == ["contract.txt"]


def test_models_are_listed_and_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    assert main(["models", "use", str(own)]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert [(model["name"], model["used"]) for model in listed] == [("starter", False), ("own.gguf", True)]
    assert main(["models", "use", "starter"]) == 0


def test_doctor_looks_at_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["name"] for check in checks] == ["python", "home folder", "library", "starter", "engine and model", "OCR"]


def a_zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"\0" * (1 << 30))


BAD_FILES = {
    "missing.txt": None,
    "empty.txt": b"",
    "blank.txt": b" \n\n ",
    "broken.pdf": b"%PDF-1.7\nthis is not a PDF",
    "not a zip.docx": b"these are words, not a zip",
    "binary.txt": bytes(range(256)) * 64,
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_one_sentence_one_hint_and_status_3(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused(["ask", str(tmp_path / name), "What is it?", "--json"], 3, capsys)


def test_a_folder_and_a_zip_bomb_get_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_zip_bomb(tmp_path / "bomb.docx")
    refused(["inspect", str(tmp_path / "bomb.docx"), "--json"], 3, capsys)
    refused(["inspect", str(tmp_path), "--json"], 3, capsys)


def test_a_script_gives_the_password_of_a_pdf_in_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked.pdf"
    with pymupdf.open() as pdf:
        pdf.new_page().insert_text((72, 72), "The rent is due.")
        pdf.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="alder", owner_pw="mill")
    assert "is protected with a password" in refused(["inspect", str(path)], 3, capsys)
    monkeypatch.setenv("UNABRIDGED_PDF_PASSWORD", "birch")
    assert "does not open" in refused(["inspect", str(path)], 3, capsys)
    monkeypatch.setenv("UNABRIDGED_PDF_PASSWORD", "alder")
    assert main(["inspect", str(path), "--text"]) == 0
    assert "The rent is due." in capsys.readouterr().out
    assert "UNABRIDGED_PDF_PASSWORD" in parser().format_help()


def test_a_bad_model_gets_status_5(contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.gguf").write_bytes(b"no model at all")
    (tmp_path / "short.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(40))
    for name in ("nowhere.gguf", "words.gguf", "short.gguf"):
        refused(["ask", str(contract), "What?", "--model", str(tmp_path / name)], 5, capsys)


def test_a_question_without_text_gets_status_2(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(["ask", str(contract), " "], 2, capsys)
    refused(["ask", str(contract)], 2, capsys)
    refused(["ask", str(contract), str(contract)], 2, capsys)


def test_what_does_not_fit_gets_status_4_and_choices(home: Home, contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.settings.write_text(json.dumps({"window": 64}))
    assert "window" in refused(["ask", str(contract), "What?", "--json"], 4, capsys)


def test_a_home_that_cannot_be_used_gets_status_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNABRIDGED_HOME", str(written(tmp_path / "file", "") / "home"))
    refused(["library", "list"], 5, capsys)


def test_a_fault_of_the_program_is_reported_without_words_of_a_document(
    home: Home, contract: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(document: Document, **options: object) -> dict[str, object]:
        raise KeyError(document.text)

    monkeypatch.setattr("unabridged.commands_library.inspection", fail)
    complaint = refused(["inspect", str(contract), "--json"], 5, capsys)
    (report,) = home.reports.iterdir()
    assert report.name in complaint
    assert "in fail" in report.read_text("utf-8")
    assert "Norway" not in report.read_text("utf-8") + complaint


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    probe = (
        "import sys, unabridged.cli; unabridged.cli.parser().format_help(); "
        "print([name for name in ('gradio', 'torch', 'llama_cpp', 'numpy', 'pymupdf', 'sqlite_utils') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    began = time.process_time()
    parser().format_help()
    assert time.process_time() - began < 0.3


def _heeds_interrupts() -> None:
    """Even where these tests run in the background of a shell, which lets its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def a_long_file(folder: Path, *, clauses: int) -> Path:
    text = "\n\n".join(f"Clause {n}. The party named {n} pays {n * 7} crowns to the mill." for n in range(clauses))
    return written(folder / "long.txt", text)


def refused(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> str:
    """What stderr says of it: a sentence and a hint, and nothing on stdout."""
    capsys.readouterr()
    assert main(arguments) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    complaint = printed.err[printed.err.index("unabridged: ") :]
    assert len(complaint.strip().splitlines()) == 2
    return complaint


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "unabridged", *arguments]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=True, env=os.environ)
