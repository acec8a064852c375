"""The first visit: the sample, a question, a citation, its source. With the starter model and the real engine."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.browser.conftest import Served, Visitor

QUESTION = "Who pays for repairs to the roof?"


def test_a_question_about_the_sample_leads_to_the_very_words(served: Served, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.open(served.address)
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name=QUESTION).click()
    page.wait_for_selector(".ub-receipt")

    mark = page.locator(".ub-answer .ub-cite").first
    mark.hover()
    quotation = page.locator("#ub-card blockquote").inner_text()
    assert "landlord pays for repairs to the roof" in quotation
    mark.click()
    highlighted = page.locator("#panel-source mark.ub-cited")
    highlighted.first.wait_for()
    assert " ".join(highlighted.all_inner_texts()).split() == quotation.split()
    assert highlighted.first.bounding_box() is not None
    assert 0 < highlighted.first.bounding_box()["y"] < 900

    [document] = served.workspace.library.entries()
    [conversation] = served.workspace.conversations.list()
    [turn] = served.workspace.conversations.turns(conversation.id)
    text = served.workspace.library.document(document.id).text
    assert [text[citation.start : citation.end] for citation in turn.citations] == [quotation]
    assert f"{document.characters:,} of {document.characters:,} characters read" in page.locator(".ub-receipt").inner_text()
    assert visitor.hosts == {urlsplit(served.address).netloc}
    assert visitor.faults == []


def test_a_reload_finds_conversation_and_documents_again(served: Served, visit: Callable[..., Visitor]) -> None:
    page = visit().open(served.address)
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name=QUESTION).click()
    page.wait_for_selector(".ub-receipt")
    answer = page.locator(".ub-answer").inner_text()
    page.reload()
    page.wait_for_selector(".ub-receipt")
    assert page.locator(".ub-bubble").inner_text() == QUESTION
    assert page.locator(".ub-answer").inner_text() == answer
    assert page.locator(".ub-documents input").is_checked()
