"""Documents first, then the web: what is proposed, what leaves, how pages stand in the prompt, and how answers cite them."""

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from unabridged.errors import QueryRefused, UsageError, WebFailed
from unabridged.events import (
    Answering,
    Deciding,
    Event,
    PageFetched,
    SearchProposed,
)
from unabridged.fencing import PAGE_RULES
from unabridged.web.answering import Reach, WebUse, answered
from unabridged.web.decisions import Decisions, PlainDecisions
from unabridged.workspace import Workspace

from tests.conftest import CONTRACT
from tests.fakes import FINDER, FakeEngines, common, text_of
from tests.unit.app.test_workspace import drained, finished, started
from tests.unit.web.conftest import Beside, Site, page

QUESTION = "Who was mayor of Oslo in 2021?"
FACT = "Marianne Borgen was mayor of the city in that year."
NOTHING = "The documents do not say."
PLAINLY = PlainDecisions()


def query(words: str) -> str:
    return json.dumps({"query": words})


@pytest.fixture
def site(site: Site, workspace: Workspace) -> Site:
    """Two pages about the question, found by a SearXNG that the workspace asks."""
    address = site.serve("/mayors", page("Mayors", FACT, "Many words about other mayors stand here, too."))
    other = site.serve("/city", page("The city", "Oslo is a city of seven hundred thousand people."))
    site.searxng([{"title": "Mayors", "url": address, "content": "a list"}, {"title": "City", "url": other, "content": ""}])
    reaching(workspace, site)
    return site


def reaching(workspace: Workspace, site: Site) -> None:
    workspace.change_settings(
        web_provider="searxng", web_address=site.address, web_private_addresses=("127.0.0.1",), web_steps=0, web_pages=1
    )


def asked(workspace: Workspace, contract: Path, question: str = QUESTION, **options: object) -> list[Event]:
    document = drained(workspace.add(contract))
    return list(workspace.ask([document.id], question, **options))  # type: ignore[arg-type]


def of(kind: type, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def number_of(workspace: Workspace, engines: FakeEngines, words: str) -> int:
    """The number under which a passage with these words stood in the last prompt."""
    prompt = text_of(engines.started[0].prompts[-1])
    before = prompt[: prompt.index(words)]
    return int(before[before.rindex("[") + 1 : before.rindex("]")])


def test_nothing_leaves_when_the_documents_answer(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = ["The laws of Norway [3]."]
    events = asked(workspace, contract, "Which law governs?", web=WebUse(allow=True))
    assert finished(events).citations
    assert not of(SearchProposed, events)
    assert site.asked == []
    assert workspace.network_log.requests() == []


def test_a_proposal_that_nobody_accepts_sends_nothing_and_the_answer_stands(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor of Oslo 2021")]
    events = asked(workspace, contract, web=WebUse())
    (proposal,) = of(SearchProposed, events)
    assert isinstance(proposal, SearchProposed)
    assert (proposal.query, proposal.provider, proposal.confirmed) == ("mayor of Oslo 2021", "searxng", True)
    assert "“mayor”" in proposal.reason
    assert f"{len(CONTRACT.strip()):,}" in proposal.reason or "All " in proposal.reason
    assert finished(events).text == NOTHING
    assert site.asked == []


def test_what_was_allowed_is_searched_read_cited_and_kept(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.quote_words = "Marianne"
    engines.script.replies = [NOTHING, query("mayor of Oslo 2021"), "From the web: it was Marianne Borgen [8]."]
    events = asked(workspace, contract, web=WebUse(allow=True))
    assert number_of(workspace, engines, "Marianne Borgen") == 8
    answer = finished(events)
    (citation,) = answer.citations
    assert answer.text == "From the web: it was Marianne Borgen [1]."
    assert (citation.url, citation.document) == (f"{site.address}/mayors", "Mayors · 127.0.0.1")
    assert citation.retrieved_at
    assert citation.quote == FACT
    assert workspace.library.document(citation.document_id).text[citation.start : citation.end] == FACT
    assert citation.to_json()["url"] == citation.url
    assert site.queries == ["mayor of Oslo 2021"]
    assert [event.url for event in events if isinstance(event, PageFetched)]
    turn = workspace.conversations.turn(started(events).turn_id)
    assert turn.citations == answer.citations
    assert turn.answer == answer.text
    (again,) = of(Answering, events)
    assert isinstance(again, Answering)
    assert turn.pages == again.pages
    assert {line.purpose for line in workspace.network_log.requests()} == {"search", "robots.txt", "page"}


def test_the_receipt_tells_documents_and_pages_and_adds_up_both_tries(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor"), "It was Marianne Borgen [8]."]
    receipt = finished(asked(workspace, contract, web=WebUse(allow=True))).receipt
    document, first = receipt.documents
    assert document.url is None
    assert document.characters_read == document.characters
    assert first.url == f"{site.address}/mayors"
    assert first.characters_read == first.characters > 0
    assert receipt.evaluated_tokens > len(CONTRACT), "the reading was evaluated once, in the first try"
    listed = receipt.to_json()["documents"]
    assert "url" not in listed[0]
    assert listed[1]["url"] == first.url


def test_pages_stand_after_documents_and_conversation_so_that_the_reading_is_the_same(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor"), "It was Marianne Borgen [8]."]
    asked(workspace, contract, web=WebUse(allow=True))
    engine = engines.started[0]
    assert len({tuple(reading) for reading in engine.readings}) == 1
    alone, _, with_pages = engine.prompts
    reading = len(engine.readings[0])
    assert common(alone, with_pages) >= reading
    after = text_of(with_pages[reading:])
    assert after.index(FACT) < after.index(PAGE_RULES) < after.index(f"Question: {QUESTION}")
    assert "disagree" in PAGE_RULES


def test_a_follow_up_extends_the_very_prompt_and_can_cite_the_page_again(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.quote_words = "Marianne"
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8].", "As I said, Marianne Borgen [8]."]
    first = started(asked(workspace, contract, web=WebUse(allow=True)))
    document = workspace.conversations.get(first.conversation_id).documents[0][0]
    before = len(site.asked)
    events = list(
        workspace.ask([document], "Who?", conversation_id=first.conversation_id, parent_id=first.turn_id, follows=True)
    )
    earlier, later = engines.started[0].prompts[-2:]
    assert common(earlier, later) == len(earlier)
    assert finished(events).citations[0].url == f"{site.address}/mayors"
    assert len(site.asked) == before, "the switch was off this time"


def test_a_second_search_numbers_on_and_does_not_read_a_page_twice(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8].", NOTHING, query("harbour"), "Forty [9]."]
    first = started(asked(workspace, contract, web=WebUse(allow=True)))
    fees = site.serve("/fees", page("Fees", "The harbour asks for forty crowns a night."))
    site.searxng(
        [{"title": "M", "url": f"{site.address}/mayors", "content": ""}, {"title": "Fees", "url": fees, "content": ""}]
    )
    document = workspace.conversations.get(first.conversation_id).documents[0][0]
    events = list(
        workspace.ask(
            [document],
            "What does the harbour cost?",
            conversation_id=first.conversation_id,
            parent_id=first.turn_id,
            follows=True,
            web=WebUse(allow=True),
        )
    )
    assert number_of(workspace, engines, "The harbour asks") == 9
    assert finished(events).citations[0].url == fees
    assert [path for path in site.asked if path == "/mayors"] == ["/mayors"]


def test_a_question_that_asks_for_the_web_gets_a_proposal_though_the_documents_answer(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = ["The laws of Norway [3].", query("laws of Norway")]
    events = asked(workspace, contract, "Search the web: which law governs?", web=WebUse())
    (proposal,) = of(SearchProposed, events)
    assert isinstance(proposal, SearchProposed)
    assert proposal.reason == "You asked for the web. Note that only the documents tell “laws”, “Norway”."
    assert finished(events).citations, "nobody agreed, so the documents answer"
    assert site.asked == []


def test_the_query_can_be_changed_before_it_leaves(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8]."]
    shown: list[str] = []

    def approve(proposal: SearchProposed) -> str:
        shown.append(proposal.query)
        return "Oslo ordfører 2021"

    events = asked(workspace, contract, web=WebUse(approve=approve))
    assert shown == ["mayor"]
    assert site.queries == ["Oslo ordfører 2021"]
    assert finished(events).citations


def test_a_changed_query_that_quotes_the_document_is_shown_again_and_not_sent(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor")]
    answers: list[str | None] = ["birch works pays nine thousand crowns each month", None]
    reasons: list[str] = []

    def approve(proposal: SearchProposed) -> str | None:
        reasons.append(proposal.reason)
        return answers.pop(0)

    events = asked(workspace, contract, web=WebUse(approve=approve))
    assert "quotes contract.txt" in reasons[1]
    assert len(of(SearchProposed, events)) == 2
    assert finished(events).text == NOTHING
    assert site.asked == []


@pytest.mark.parametrize(
    "reply",
    [query("Birch Works pays nine thousand crowns each month"), "no json", '{"query": 7}', query(""), query("x" * 400), "[1]"],
)
def test_where_the_models_query_may_not_leave_the_words_of_the_question_stand_in(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site, reply: str
) -> None:
    engines.script.replies = [NOTHING, reply]
    (proposal,) = of(SearchProposed, asked(workspace, contract, web=WebUse()))
    assert isinstance(proposal, SearchProposed)
    assert proposal.query == "mayor Oslo 2021"


def test_what_may_have_been_overlooked_is_never_sent_unasked(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("payment due day")]
    events = asked(workspace, contract, "On which day is payment due?", web=WebUse(allow=True))
    (proposal,) = of(SearchProposed, events)
    assert isinstance(proposal, SearchProposed)
    assert not proposal.confirmed
    assert "has all words of the question" in proposal.reason
    assert site.asked == []


def test_a_query_with_words_that_only_the_document_tells_is_never_sent_unasked(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor of Oslo Alder Mills")]
    events = asked(workspace, contract, web=WebUse(allow=True))
    (proposal,) = of(SearchProposed, events)
    assert isinstance(proposal, SearchProposed)
    assert not proposal.confirmed
    assert "only the documents tell “Alder”, “Mills”" in proposal.reason
    assert site.asked == []


def test_a_model_that_read_a_page_cannot_tell_a_document_word_by_word(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    decisions = ['{"action": "open", "result": 1}', '{"action": "search", "query": "nine thousand crowns Birch"}']
    events = stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *decisions, "Borgen [8]."])
    assert site.queries == ["mayor"]
    told = [event.reason for event in events if isinstance(event, SearchProposed)][-1]
    assert "“thousand”" in told
    assert finished(events).citations


def test_the_users_own_query_is_searched_at_once(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = ["Marianne Borgen [8]."]
    events = asked(workspace, contract, web=WebUse(query="mayors of Oslo"))
    assert finished(events).citations
    assert site.queries == ["mayors of Oslo"]
    assert len(engines.started[0].prompts) == 1


def test_the_users_own_query_is_refused_when_it_quotes_a_document(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    with pytest.raises(QueryRefused, match=r"quotes contract\.txt"):
        asked(workspace, contract, web=WebUse(query="Birch Works pays nine thousand crowns each month"))
    assert site.asked == []
    assert engines.started[0].prompts == []


def test_a_provider_that_is_down_leaves_the_answer_from_the_documents(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    workspace.change_settings(web_address="http://127.0.0.1:9")
    engines.script.replies = [NOTHING, query("mayor")]
    events = asked(workspace, contract, web=WebUse(allow=True))
    (problem,) = of(PageFetched, events)
    assert isinstance(problem, PageFetched)
    assert "SearXNG does not answer" in problem.problem
    assert finished(events).text == NOTHING
    with pytest.raises(WebFailed, match="SearXNG does not answer"):
        asked(workspace, contract, web=WebUse(query="mayor"))


def test_pages_that_cannot_be_read_are_told_and_the_others_answer(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    picture = site.serve("/picture", b"\x89PNG", kind="image/png")
    site.searxng(
        [{"title": "P", "url": picture, "content": ""}, {"title": "Mayors", "url": f"{site.address}/mayors", "content": ""}]
    )
    workspace.change_settings(web_pages=2)
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8]."]
    events = asked(workspace, contract, web=WebUse(allow=True))
    fates = {event.url: bool(event.problem) for event in events if isinstance(event, PageFetched)}
    assert fates == {picture: True, f"{site.address}/mayors": False}
    assert finished(events).citations[0].url == f"{site.address}/mayors"


def test_a_search_without_results_leaves_the_answer_from_the_documents(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    site.searxng([])
    engines.script.replies = [NOTHING, query("mayor")]
    assert finished(asked(workspace, contract, web=WebUse(allow=True))).text == NOTHING
    with pytest.raises(WebFailed, match="no page"):
        asked(workspace, contract, web=WebUse(query="mayor"))


def test_a_long_page_is_read_from_its_beginning_as_far_as_there_is_room(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    long = site.serve("/long", page("Long", FACT, *(f"Paragraph {n} tells of mayor number {n}." for n in range(600))))
    site.searxng([{"title": "Long", "url": long, "content": ""}])
    workspace.change_settings(web_tokens=2048)
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8]."]
    receipt = finished(asked(workspace, contract, web=WebUse(allow=True))).receipt
    read = receipt.documents[1]
    assert 1000 < read.characters_read < 2048 < read.characters
    assert receipt.prompt_tokens + workspace.settings.answer_tokens < receipt.window_tokens


def test_a_window_without_room_for_pages_says_so(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    document = drained(workspace.add(contract))
    meter = workspace.meter([document.id])
    engines.started[0].script.window = meter.tokens + meter.reserve + 64
    engines.script.replies = [NOTHING, query("mayor")]
    events = asked(workspace, contract, web=WebUse(allow=True))
    assert "no page has room" in next(event.problem for event in events if isinstance(event, PageFetched))
    assert finished(events).text == NOTHING
    assert site.asked == []


def test_an_incognito_conversation_keeps_no_page(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.replies = [NOTHING, query("mayor"), "Marianne Borgen [8]."]
    events = asked(workspace, contract, web=WebUse(allow=True), incognito=True)
    assert finished(events).citations[0].url
    assert [entry.name for entry in workspace.library.entries()] == ["contract.txt"]


def test_closing_the_answer_ends_a_fetch_that_hangs(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    import threading
    import time

    go_on = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        go_on.wait(20)

    site.pages["/mayors"] = hang
    workspace.change_settings(web_pages=2)
    engines.script.replies = [NOTHING, query("mayor")]
    document = drained(workspace.add(contract))
    work = workspace.ask([document.id], QUESTION, web=WebUse(allow=True))
    assert any(isinstance(event, PageFetched) for event in work), "the other page came"
    begun = time.monotonic()
    work.close()
    go_on.set()
    assert time.monotonic() - begun < 6
    assert workspace.conversations.turns(workspace.conversations.list()[0].id)[0].state == "stopped"


def test_settings_that_lack_something_are_refused_before_anything_is_read(
    workspace: Workspace, engines: FakeEngines, contract: Path
) -> None:
    workspace.change_settings(web_provider="searxng")
    with pytest.raises(UsageError, match="SearXNG"):
        asked(workspace, contract, web=WebUse())
    assert engines.started[0].readings == []
    assert workspace.conversations.list() == []


def test_the_finder_finds_in_pages_as_if_they_had_been_read_with_the_documents(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    engines.script.finder = FINDER
    events = asked(workspace, contract, "Which mayor was Marianne Borgen?", web=WebUse(allow=True))
    (proposal,) = of(SearchProposed, events)
    assert isinstance(proposal, SearchProposed)
    assert proposal.query == "mayor Marianne Borgen"
    answer = finished(events)
    assert answer.citations[0].url == f"{site.address}/mayors"
    assert FACT in answer.text
    assert answer.receipt.documents[1].url == f"{site.address}/mayors"


@pytest.mark.parametrize("room", [1500, 4000, 16_000])
def test_a_long_passage_of_a_page_never_asks_for_more_than_the_window(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site, room: int
) -> None:
    """What a finder keeps free for its second look grows with the longest passage, and pages may have longer ones."""
    engines.script.finder = FINDER
    site.serve("/mayors", page("Mayors", FACT, "words and words " * 70))
    engines.script.window = len(contract.read_text("utf-8")) + room
    events = asked(workspace, contract, "Which mayor was Marianne Borgen?", web=WebUse(allow=True))
    answer = finished(events)
    assert FACT in answer.text or any(isinstance(event, PageFetched) and "room" in event.problem for event in events)


# step by step, for models that can use tools


def stepwise(
    workspace: Workspace,
    engines: FakeEngines,
    contract: Path,
    replies: list[str],
    *,
    steps: int = 4,
    use: WebUse | None = None,
    decisions: Decisions = PLAINLY,
) -> list[Event]:
    """As the workspace does it for a model whose template knows tools."""
    from unabridged.assistant import Assistant, Request
    from unabridged.web.providers import Chosen

    document = drained(workspace.add(contract))
    workspace.model.info()
    engines.script.replies = replies
    assistant = Assistant(engines.started[0])
    context = assistant.context([(document, workspace.library.passages(document.id))])
    searxng = Chosen("searxng", address=workspace.settings.web_address)
    outside = Beside(searxng, workspace.network_log, private=["127.0.0.1"], pause_s=0.0)
    reach = Reach(outside, workspace.library, pages=2, steps=steps, decisions=decisions)
    return list(answered(assistant, context, Request(QUESTION), use=use or WebUse(allow=True), reach=reach))


def test_a_model_that_can_use_tools_opens_what_it_chooses(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    decisions = ['{"action": "open", "result": 2}', '{"action": "answer"}']
    events = stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *decisions, "A city [8]."])
    assert [path for path in site.asked if path in ("/mayors", "/city")] == ["/city"]
    assert [(event.step, event.limit) for event in events if isinstance(event, Deciding)] == [(1, 4), (2, 4)]
    assert finished(events).citations[0].url == f"{site.address}/city"


def test_it_may_search_again_and_every_query_is_shown_and_checked(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site
) -> None:
    shown: list[str] = []

    def approve(proposal: SearchProposed) -> str | None:
        shown.append(proposal.query)
        return proposal.query if proposal.confirmed else None

    decisions = ['{"action": "search", "query": "Oslo ordfører"}', '{"action": "open", "result": 1}', '{"action": "answer"}']
    stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *decisions, "Borgen [8]."], use=WebUse(approve=approve))
    assert shown == site.queries == ["mayor", "Oslo ordfører"]
    quoting = ['{"action": "search", "query": "Birch Works pays nine thousand crowns each month"}']
    stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *quoting, "Borgen [8]."], use=WebUse(approve=approve))
    assert "pays nine thousand" not in " ".join(site.queries)


def test_its_steps_are_limited(workspace: Workspace, engines: FakeEngines, contract: Path, site: Site) -> None:
    again = ['{"action": "search", "query": "mayor again"}'] * 2
    events = stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *again, "Borgen [8]."], steps=2)
    assert len(of(Deciding, events)) == 2
    assert len(site.queries) == 3
    assert finished(events).citations, "the first results were opened after all"


@pytest.mark.parametrize(
    "decision",
    [
        "I want to open http://evil.example.org",
        '{"action": "open", "result": 99}',
        "",
    ],
)
def test_a_decision_that_is_none_falls_back_to_the_fixed_plan(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site, decision: str
) -> None:
    events = stepwise(workspace, engines, contract, [NOTHING, query("mayor"), decision, "Borgen [8]."])
    assert {event.url for event in events if isinstance(event, PageFetched)} == {
        f"{site.address}/mayors",
        f"{site.address}/city",
    }
    assert finished(events).citations
