"""LaTeX as MathML, which browsers draw by themselves. Formulas come from models, so only listed elements are written."""

import html
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

LONGEST_FORMULA = 4000  # characters; longer ones stay text

# The converter does not escape \text{…} and lets \href and \style through: only its tree is used, and of it these.
ELEMENTS = frozenset(
    {"math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded", "mphantom"}
    | {"msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "menclose"}
    | {"mtable", "mtr", "mtd"}
)
ATTRIBUTES = frozenset(
    {"display", "displaystyle", "mathvariant", "stretchy", "fence", "form", "separator", "accent", "accentunder"}
    | {"movablelimits", "largeop", "linethickness", "columnalign", "rowlines", "columnlines", "scriptlevel", "notation"}
)
REFUSALS: tuple[type[Exception], ...] = (
    *(error for error in vars(exceptions).values() if isinstance(error, type) and issubclass(error, Exception)),
    *(IndexError, KeyError, ValueError, TypeError, AttributeError, RecursionError, StopIteration),  # seen on broken input
)


def formula(latex: str, *, block: bool) -> str:
    """HTML of a formula, or of its source when it cannot be read as one."""
    mark = "$$" if block else "$"
    as_text = f'<code class="ub-formula">{html.escape(mark + latex + mark)}</code>'
    if len(latex) > LONGEST_FORMULA:
        return as_text
    try:
        return _written(convert_to_element(latex, display="block" if block else "inline"))
    except REFUSALS:
        return as_text


def _written(element: Element) -> str:
    inside = html.escape(html.unescape(element.text or ""), quote=False) + "".join(_written(child) for child in element)
    if element.tag not in ELEMENTS:
        return inside
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in element.attrib.items() if name in ATTRIBUTES)
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"
