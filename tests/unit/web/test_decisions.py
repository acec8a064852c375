"""What a model decides on the web: in the words of its own template where that has tools called in JSON, else in plain JSON.

The templates here are small ones in the manner of Qwen and Hermes, of Llama 3.1, and of others.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from unabridged.errors import ModelFileError
from unabridged.events import Deciding, PageFetched, drained
from unabridged.home import Home
from unabridged.models.chat_template import cut_template
from unabridged.models.engine import EngineOptions
from unabridged.models.engine_process import EngineProcess
from unabridged.web.decisions import Decisions, Open, PlainDecisions, Search, ToolCalls, tool_calls
from unabridged.web.network_log import NetworkLog
from unabridged.web.reaching import reach, templates
from unabridged.workspace import Workspace

from tests.fakes import FakeEngines, text_of
from tests.unit.app.test_workspace import finished
from tests.unit.models.tiny_models import CHATML, write_tiny_model
from tests.unit.web.conftest import Site
from tests.unit.web.test_answering import NOTHING, QUESTION, of, query, reaching, stepwise
from tests.unit.web.test_answering import site as site  # the fixture

TURN = (
    "{% for m in messages %}{% if m.role == 'assistant' and m.tool_calls %}{CALL}{% else %}{WORDS}{% endif %}{% endfor %}{END}"
)
CHATML_WORDS = "<|im_start|>{{ m.role }}\n{{ m.content }}{% if loop.first and tools %}{TOOLS}{% endif %}<|im_end|>\n"
CHATML_END = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"


def chatml(tools: str, call: str) -> str:
    written = f"<|im_start|>assistant\n{{% for c in m.tool_calls %}}{call}{{% endfor %}}<|im_end|>\n"
    words = CHATML_WORDS.replace("{TOOLS}", tools)
    return TURN.replace("{CALL}", written).replace("{WORDS}", words).replace("{END}", CHATML_END)


LISTED = "{% for t in tools %}\n{{ t | tojson }}{% endfor %}"
HERMES = chatml(
    f"\n\n# Tools\n<tools>{LISTED}\n</tools>\nCall them within <tool_call></tool_call>.",
    '<tool_call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>',
)
LLAMA = (
    "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{% if m.role == 'system' and tools is defined %}Environment: ipython\n{% endif %}"
    "{% if m.role == 'user' and loop.index == 2 and tools is defined %}Answer with a function call.\n\n"
    "{% for t in tools %}{{ t | tojson(indent=4) }}\n\n{% endfor %}{% endif %}"
    "{% if m.tool_calls %}{% set c = m.tool_calls[0].function %}"
    '{"name": "{{ c.name }}", "parameters": {{ c.arguments | tojson }}}{% else %}{{ m.content }}{% endif %}<|eot_id|>'
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
MISTRAL = chatml(
    "[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]",
    '[TOOL_CALLS] [{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "000000004"}]',
)
XML = chatml(f"\n<tools>{LISTED}</tools>", "<tool_call><function={{ c.function.name }}></function></tool_call>")
KNOWN = {"hermes": HERMES, "llama": LLAMA}
PLAINLY = {
    "mistral": MISTRAL,
    "xml": XML,
    "no tools": CHATML,
    "none": "",
    "broken": CHATML + "{% if tools %}{{ tools[9].x.y }}{% endif %}",
}
WRAPPED = {"hermes": "<tool_call>\n%s\n</tool_call>", "llama": "%s"}
ARGUMENTS = {"hermes": "arguments", "llama": "parameters"}


def calls(name: str) -> ToolCalls:
    found = tool_calls(KNOWN[name])
    assert found is not None
    return found


def call(style: str, name: str, **arguments: object) -> str:
    return WRAPPED[style] % json.dumps({"name": name, ARGUMENTS[style]: arguments})


@pytest.mark.parametrize("style", KNOWN)
def test_a_template_describes_the_tools_in_its_own_words_and_control_tokens_stay_out(style: str) -> None:
    asked = calls(style).request("Who?", left=3)
    for tool in ("open_result", "search_web", "answer_now"):
        assert f'"name": "{tool}"' in asked
    assert asked.index("answer_now") < asked.index("3 steps are left") < asked.index("The question: Who?")
    assert "<|" not in asked
    assert "UNABRIDGED" not in asked
    assert ("Environment" in asked, "# Tools" in asked) == (False, style == "hermes")


@pytest.mark.parametrize("style", KNOWN)
def test_a_call_is_taken_in_the_form_that_the_template_gives_it(style: str) -> None:
    decisions = calls(style)
    assert decisions.decision(call(style, "open_result", result=2), results=3) == Open(2)
    assert decisions.decision(f"\n{call(style, 'search_web', query='a  b')}\n", results=3) == Search("a b")
    assert decisions.decision(call(style, "answer_now"), results=3) is None
    bare = call("llama", "open_result", result=1).replace("parameters", ARGUMENTS[style])
    assert decisions.decision(bare, results=3) == Open(1), "where the texts around it are control tokens"


@pytest.mark.parametrize("style", KNOWN)
def test_nothing_but_one_whole_call_is_a_decision(style: str) -> None:
    good = call(style, "open_result", result=1)
    bad = [
        f"The page says: {good}",
        f"{good} as the page says",
        f"{good}{good}",
        f"```json\n{good}\n```",
        f'"{good}"',
        f"[{good}]",
        good.replace("open_result", "fetch"),
        good.replace("1", "99"),
        good.replace("1", "0"),
        good.replace("1", "true"),
        good.replace("1", '"http://127.0.0.1:9/"'),
        good.replace("1", '1, "url": "http://127.0.0.1:9/"'),
        good.replace('"name"', '"id": 7, "name"'),
        good.replace(ARGUMENTS[style], "args"),
        call(style, "search_web", query=""),
        call(style, "search_web", query=["a"]),
        call(style, "search_web", words="a"),
        json.dumps({"action": "open", "result": 1}),
        "{" * 100_000,
        "",
    ]
    for text in bad:
        assert calls(style).decision(text, results=3) is None, text[:90]


@pytest.mark.parametrize(
    "text",
    [
        "I want to open http://evil.example.org",
        '{"action": "open", "result": 99}',
        '{"action": "open", "result": true}',
        '{"action": "open", "result": "http://127.0.0.1:1/"}',
        '{"action": "open", "result": 1, "url": "http://127.0.0.1:1/"}',
        '{"action": "fetch", "url": "http://127.0.0.1:1/"}',
        '{"action": "search"}',
        '{"action": "search", "query": ""}',
        '["open", 1]',
        call("hermes", "open_result", result=1),
        "",
    ],
)
def test_plain_decisions_are_taken_as_strictly(text: str) -> None:
    assert PlainDecisions().decision('{"action": "open", "result": 1}', results=3) == Open(1)
    assert PlainDecisions().decision(text, results=3) is None


@pytest.mark.parametrize("name", PLAINLY)
def test_other_templates_are_asked_for_plain_json(name: str) -> None:
    assert tool_calls(PLAINLY[name]) is None


def test_a_template_for_tools_beside_the_usual_one_is_the_one_that_is_read(tmp_path: Path) -> None:
    without, with_tools, beside = (tmp_path / f"{name}.gguf" for name in ("without", "with", "beside"))
    write_tiny_model(without)
    write_tiny_model(with_tools, chat_template=HERMES)
    write_tiny_model(beside, metadata={"tokenizer.chat_template.tool_use": HERMES})
    assert templates(without) == ("", CHATML)
    assert templates(with_tools) == (HERMES, HERMES)
    assert templates(beside) == (HERMES, CHATML)
    found = tool_calls(HERMES, without=CHATML)
    assert found is not None
    assert found == calls("hermes")


def test_a_model_that_knows_no_tools_follows_the_fixed_plan(workspace: Workspace, tmp_path: Path) -> None:
    workspace.change_settings(web_provider="folder", web_folder=str(tmp_path), web_steps=5)
    log: NetworkLog = workspace.network_log
    plain, knowing = write_tiny_model(tmp_path / "p.gguf"), write_tiny_model(tmp_path / "k.gguf", chat_template=LLAMA)
    assert reach(workspace.settings, log, library=None, chat_model=plain).steps == 0
    assert reach(workspace.settings, log, library=None, chat_model=None).steps == 0
    found = reach(workspace.settings, log, library=None, chat_model=knowing)
    assert (found.steps, found.decisions) == (5, calls("llama"))
    odd = write_tiny_model(tmp_path / "o.gguf", chat_template=MISTRAL)
    found = reach(workspace.settings, log, library=None, chat_model=odd)
    assert (found.steps, type(found.decisions)) == (5, PlainDecisions)
    with pytest.raises(ModelFileError):
        reach(workspace.settings, log, library=None, chat_model=tmp_path / "gone.gguf")


@pytest.mark.parametrize("style", KNOWN)
def test_the_tools_do_not_change_how_a_conversation_is_cut(style: str) -> None:
    """The description stands in the question, so that what was read of the documents stays as it is."""
    assert "open_result" not in repr(cut_template(KNOWN[style], bos="", eos=""))


@pytest.mark.parametrize("style", KNOWN)
def test_a_model_searches_and_opens_several_times_by_calls(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site, style: str
) -> None:
    reaching(workspace, site)
    replies = [
        call(style, "open_result", result=2),
        call(style, "search_web", query="Oslo mayors"),
        call(style, "open_result", result=1),
        call(style, "answer_now"),
    ]
    events = stepwise(workspace, engines, contract, [NOTHING, query("mayor"), *replies, "Borgen [9]."], decisions=calls(style))
    assert [(event.step, event.limit) for event in of(Deciding, events)] == [(n, 4) for n in range(1, 5)]  # type: ignore[attr-defined]
    assert [event.url for event in of(PageFetched, events)] == [f"{site.address}/city", f"{site.address}/mayors"]  # type: ignore[attr-defined]
    assert site.queries == ["mayor", "Oslo mayors"]
    assert finished(events).citations
    asked = text_of(engines.started[0].prompts[2])
    assert asked.index(">>> end of web") < asked.index('"name": "open_result"') < asked.index(f"The question: {QUESTION}")
    readings = {tuple(reading) for reading in engines.started[0].readings}
    assert len(readings) == 1, "the documents were read as if there were no tools"


@pytest.mark.parametrize("decisions", [PlainDecisions(), calls("hermes"), calls("llama")], ids=["plain", *KNOWN])
def test_a_real_engine_can_only_say_a_decision(home: Home, tmp_path: Path, decisions: Decisions) -> None:
    """A model that knows nothing, under the grammar: whatever it says is one of the three decisions."""
    engine = EngineProcess(write_tiny_model(tmp_path / "tiny.gguf"), EngineOptions(segments_folder=home.segments))
    said = set()
    try:
        reading = drained(engine.read(engine.tokenize(["A contract."])[0], reserve=1024))
        prompt = engine.tokenize(["Decide."])[0]
        for seed in range(16):
            given = decisions.sampling(3)
            sampling = type(given)(temperature=2.0, seed=seed, grammar=given.grammar, json_schema=given.json_schema)
            text = drained(engine.generate(reading, prompt, limit=600, sampling=sampling)).text
            found = decisions.decision(text, results=3)
            said.add(type(found).__name__)
            assert found is not None or "answer" in text, text
            assert not isinstance(found, Open) or 1 <= found.result <= 3
            if seed > 3 and len(said) > 1:
                break
    finally:
        engine.close()
    assert len(said) > 1, "so many seeds take more than one way"


@pytest.mark.parametrize("dress", ["\u200b".join, lambda text: text.replace(" ", "")], ids=["unseen", "glued"])
def test_a_call_cannot_send_words_of_a_document(
    workspace: Workspace, engines: FakeEngines, contract: Path, site: Site, dress: Callable[[str], str]
) -> None:
    reaching(workspace, site)
    secret = call("hermes", "search_web", query=dress("Birch Works pays nine thousand crowns each month"))
    stepwise(workspace, engines, contract, [NOTHING, query("mayor"), secret, "Borgen [8]."], decisions=calls("hermes"))
    assert site.queries == ["mayor"]
