"""A model's words become HTML in which nothing but our own marks can act."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unabridged.ui.formulas import formula
from unabridged.ui.markdown import answer_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](https://example.org/?q=secret)",
    "![pixel](https://example.org/x.png)",
    "<https://example.org>",
    "[a]: https://example.org\n[a]",
    '<a href="javascript:alert(1)">x</a>',
    "<svg/onload=alert(1)>",
    "&lt;script&gt;",
    "`<b>`",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\style{background:url(https://example.org)}{x}$",
    "$$\\text{</math><script>alert(1)</script>}$$",
    "<think><img src=x onerror=alert(1)></think>done",
]
TAGS = re.compile(r"<\s*/?\s*([a-zA-Z][\w-]*)([^>]*)>")
MARKDOWN = {"p", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "br"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
OURS = {"a", "span", "div", "details", "summary", "h1", "h2", "h3", "h4", "h5", "h6"}
MATHML = re.compile(r"m[a-z]+")


def html(text: str, cited: tuple[int, ...] = ()) -> str:
    return answer_html(text, cited=cited, thinking_label="Reasoning")


def assert_harmless(made: str) -> None:
    for tag, attributes in TAGS.findall(made):
        assert tag in MARKDOWN | TABLES | OURS or MATHML.fullmatch(tag), tag
        assert not re.search(r"\b(on\w+|href|src|srcset|action)\s*=", attributes), attributes
        assert "style" not in attributes or re.fullmatch(r' style="text-align:(left|right|center)"', attributes)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    assert_harmless(html(text))


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_text_makes_an_element_that_is_not_listed(text: str) -> None:
    assert_harmless(html(text, (1,)))


@given(st.text(alphabet='\\{}[]()^_$&<>"=abtexhrfsylmi12 ', max_size=60))
def test_no_formula_makes_an_element_that_is_not_listed(latex: str) -> None:
    assert_harmless(formula(latex, block=False))


def test_links_stay_as_they_were_written() -> None:
    assert "[click](https://example.org/?q=secret)" in html("[click](https://example.org/?q=secret)")


def test_only_placed_citations_become_links() -> None:
    made = html("Norway [1], Sweden [2].", (1,))
    assert '<a class="ub-cite" role="button" tabindex="0" data-n="1">1</a>' in made
    assert "Sweden [2]." in made


def test_a_marker_is_greyed_until_its_quotation_is_placed() -> None:
    made = answer_html("Norway [1]", cited=(), thinking_label="", pending=True)
    assert '<span class="ub-cite ub-pending">1</span>' in made
    assert "data-n" not in made


def test_numbers_in_code_are_no_citations() -> None:
    assert "data-n" not in html("`list[1]`", (1,))


def test_tables_and_formulas_are_drawn() -> None:
    assert "<table>" in html("|a|b|\n|-|-|\n|1|2|")
    assert "<mfrac>" in html("$\\frac{a}{b}$")
    assert "<mfrac>" in html("\\(\\frac{a}{b}\\)")


def test_money_is_no_formula() -> None:
    assert "<math" not in html("It costs $5 or $6 a month.")


def test_what_cannot_be_read_as_a_formula_stays_text() -> None:
    assert formula("\\left( x", block=False) == '<code class="ub-formula">$\\left( x$</code>'


def test_reasoning_is_folded_even_while_it_streams() -> None:
    made = html("<think>first this")
    assert made.startswith('<details class="ub-thinking"><summary>Reasoning</summary>')
    assert "first this" in made
    assert html("<think>a</think>**b**").endswith("<p><strong>b</strong></p>\n")


@pytest.mark.parametrize("marks", ["“”", "「」", '""'])
@given(quote=st.text("[]*_`~$#-|>&<0123.)\\( \n甲a", min_size=1, max_size=60))
def test_a_quotation_stands_there_as_in_the_source(marks: str, quote: str) -> None:
    """Redactions, bullets, prices and table lines of a contract are its own words, not Markdown."""
    said = f"{marks[0]}{quote}{marks[1]} [1]\n\nThat is **all**."
    made = answer_html(said, cited=[1], quotes=[quote], thinking_label="")
    shown = unescape(made.replace("<br>\n", "\n"))
    assert f"{marks[0]}{quote}{marks[1]}" in shown
    assert "<strong>all</strong>" in made
    assert 'data-n="1"' in made
    assert_harmless(made)


def test_redactions_in_a_quotation_are_no_emphasis() -> None:
    quote = "upon [***] written notice (effective at the end of such [***])"
    made = answer_html(f"“{quote}” [1]", cited=[1], quotes=[quote], thinking_label="")
    assert quote in made
    assert "<em>" not in made


@pytest.mark.parametrize("quote", ['x" onmouseover="alert(1)', "<img src=x onerror=alert(1)>", "\ue0000\ue001", "$x$"])
def test_a_hostile_quotation_stays_text_wherever_it_stands(quote: str) -> None:
    for said in (f"“{quote}”", f"```“{quote}”\ncode\n```", f"`“{quote}”`", f"$“{quote}”$", f"\ue0007\ue001“{quote}”"):
        seen: list[tuple[str, set[str]]] = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, attributes, seen=seen: seen.append((tag, {name for name, _ in attributes}))  # type: ignore[method-assign]
        parser.feed(answer_html(said, cited=[1], quotes=[quote], thinking_label=""))
        assert seen
        assert all(tag in MARKDOWN | OURS or MATHML.fullmatch(tag) for tag, _ in seen)
        assert set().union(*(names for _, names in seen)) <= {"class", "display"}
