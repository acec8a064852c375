"""Word formulas (OMML) in one line: (a)/(b), x^(2), x_(i), √(x), sums and integrals with their limits.

Source: ECMA-376 part 1, §22.1. What a screen reader would say rather than how it looks; unknown
structures give their words in order.
"""

from lxml import etree
from unabridged.ingest.ooxml import M, W


def linear(element: etree._Element) -> str:
    tag = element.tag
    if tag == M + "t":
        return element.text or ""
    if tag == M + "f":
        return f"{_group(element, 'num')}/{_group(element, 'den')}"
    if tag == M + "sSup":
        return f"{_inner(element, 'e')}^{_group(element, 'sup')}"
    if tag == M + "sSub":
        return f"{_inner(element, 'e')}_{_group(element, 'sub')}"
    if tag == M + "sSubSup":
        return f"{_inner(element, 'e')}_{_group(element, 'sub')}^{_group(element, 'sup')}"
    if tag == M + "rad":
        degree = _inner(element, "deg")
        return f"√{f'[{degree}]' if degree else ''}({_inner(element, 'e')})"
    if tag == M + "nary":
        sign = _value(element, "naryPr", "chr") or "∫"
        low, high = _group(element, "sub"), _group(element, "sup")
        return f"{sign}{f'_{low}' if low else ''}{f'^{high}' if high else ''} {_inner(element, 'e')}"
    if tag == M + "d":
        left, right = _value(element, "dPr", "begChr"), _value(element, "dPr", "endChr")
        separator = _value(element, "dPr", "sepChr") or "|"
        inside = separator.join(linear(child) for child in element.findall(M + "e"))
        return ("(" if left is None else left) + inside + (")" if right is None else right)
    if tag == M + "m":
        return "[" + "; ".join(", ".join(linear(e) for e in row.findall(M + "e")) for row in element.findall(M + "mr")) + "]"
    if tag == M + "eqArr":
        return "\n".join(linear(child) for child in element.findall(M + "e"))
    if tag == M + "func":
        return f"{_inner(element, 'fName')}({_inner(element, 'e')})"
    if not isinstance(tag, str) or (tag.endswith("Pr") and tag.startswith((M, W))):
        return ""
    return "".join(linear(child) for child in element)


def _inner(element: etree._Element, name: str) -> str:
    child = element.find(M + name)
    return "" if child is None else linear(child)


def _group(element: etree._Element, name: str) -> str:
    inside = _inner(element, name)
    return inside if len(inside) < 2 else f"({inside})"


def _value(element: etree._Element, properties: str, name: str) -> str | None:
    child = element.find(f"{M}{properties}/{M}{name}")
    return None if child is None else child.get(M + "val", "")
