"""Numbers as they stand before clauses and chapters: 一百二十八, XIV, (c), ４, ⒉. Reads them, and writes them for Word's lists.

Chinese numerals follow GB/T 15835's usage up to 99,999 (十 = 10, 一百零八, 二〇二一 read digit by digit).
"""

import unicodedata

_DIGITS = (
    {c: n for n, c in enumerate("〇一二三四五六七八九")}
    | {"零": 0, "两": 2, "○": 0}
    | {c: n for n, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
)
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000, "拾": 10, "佰": 100, "仟": 1000, "廿": 20, "卅": 30}
CHINESE = "〇零○一二两三四五六七八九十百千万廿卅壹贰叁肆伍陆柒捌玖拾佰仟"

_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


def chinese_value(numeral: str) -> int | None:
    """128 for 一百二十八; also 128 and １２８ in digits; None where it is no number."""
    if not numeral:
        return None
    if numeral.isdecimal():
        return int(numeral)
    if all(c in _DIGITS for c in numeral):
        return int("".join(str(_DIGITS[c]) for c in numeral))
    total = section = digit = 0
    for c in numeral:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in "廿卅":
            section, digit = section + _UNITS[c], 0
        elif c == "万":
            total, section, digit = (total + section + digit) * 10000, 0, 0
        elif c in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[c], 0
        else:
            return None
    return total + section + digit


def chinese_numeral(value: int) -> str:
    """一百二十八 for 128; digits for what is below 1 or above 99,999."""
    if not 0 < value < 100_000:
        return "〇" if value == 0 else str(value)
    if value >= 10_000:
        rest = value % 10_000
        tail = "" if rest == 0 else ("零" if rest < 1000 else "") + _below_ten_thousand(rest)
        return _below_ten_thousand(value // 10_000) + "万" + tail
    written = _below_ten_thousand(value)
    return written[1:] if 10 <= value < 20 else written


def _below_ten_thousand(value: int) -> str:
    written, pending_zero = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            written += ("零" if pending_zero and written else "") + "〇一二三四五六七八九"[digit] + sign
            pending_zero = False
        else:
            pending_zero = True
    return written


def roman_value(numeral: str) -> int | None:
    """14 for XIV or xiv; None where it is not the one correct way to write a number."""
    lowered = numeral.lower()
    if not lowered or any(c not in _ROMAN for c in lowered):
        return None
    values = [_ROMAN[c] for c in lowered]
    total = sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))
    return total if roman_numeral(total) == lowered.upper() else None


def roman_numeral(value: int) -> str:
    """XIV for 14; digits outside 1 … 3999."""
    if not 0 < value < 4000:
        return str(value)
    written = ""
    for unit, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        count, value = divmod(value, unit)
        written += sign * count
    return written


def letter_value(numeral: str) -> int | None:
    """1 for a, 26 for Z, 27 for aa (Word's way: the letter repeats); None for anything else."""
    lowered = numeral.lower()
    if not lowered or not ("a" <= lowered[0] <= "z") or set(lowered) != {lowered[0]}:
        return None
    return (len(lowered) - 1) * 26 + ord(lowered[0]) - ord("a") + 1


def letter_numeral(value: int) -> str:
    """A for 1, AA for 27 (Word's way); digits outside 1 … 780."""
    if not 0 < value <= 780:
        return str(value)
    times, index = divmod(value - 1, 26)
    return chr(ord("A") + index) * (times + 1)


def enclosed_value(character: str) -> int | None:
    """3 for ③, ⑶ or ⒊; None for anything that Unicode does not count as an enclosed number."""
    if len(character) == 1 and 0x2460 <= ord(character) <= 0x24FF:
        value = unicodedata.numeric(character, None)
        return int(value) if value is not None else None
    return None


_RAISED = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_LOWERED = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")


def shifted(text: str, *, up: bool) -> str:
    """10 with a raised 2 is no 102: digits set above or below the line as Unicode's own; other text as it is."""
    table = _RAISED if up else _LOWERED
    return text.translate(table) if any(c.isdecimal() for c in text) and all(ord(c) in table for c in text) else text
