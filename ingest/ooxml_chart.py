"""The figures behind a chart in Word, PowerPoint or Excel: title, then a row for every category with the value of every series.

Source: ECMA-376 part 1, §21.2. Reads the values that the file keeps with the chart; how the chart looks is not its business.
"""

from lxml import etree
from unabridged.ingest.ooxml import A

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def chart_text(chart: etree._Element) -> str:
    """Lines with " | " between cells; "" for a chart that keeps no values."""
    title = " ".join("".join(e.text or "" for e in chart.iterfind(f"{C}chart/{C}title//{A}t")).split())
    series = [_series(element) for element in chart.iter(C + "ser")]
    categories = max((labels for _, labels, _ in series), key=len, default={})
    rows = [" | ".join(["", *(name for name, _, _ in series)])] if any(name for name, _, _ in series) else []
    for index in sorted(set(categories) | {i for _, _, values in series for i in values}):
        rows.append(" | ".join([categories.get(index, str(index + 1)), *(values.get(index, "") for _, _, values in series)]))
    return "\n".join(([f"Chart: {title}"] if title else ["Chart"]) + rows) if rows else ""


def _series(element: etree._Element) -> tuple[str, dict[int, str], dict[int, str]]:
    name = " ".join(e.text or "" for e in element.iterfind(f"{C}tx//{C}v"))
    labels = _points(element, "cat") or _points(element, "xVal")
    return name, labels, _points(element, "val") or _points(element, "yVal")


def _points(element: etree._Element, name: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for point in element.iterfind(f"{C}{name}//{C}pt"):
        index, value = point.get("idx") or "", point.findtext(C + "v") or ""
        if index.isdecimal():
            found.setdefault(int(index), " ".join(value.split()))
    return found
