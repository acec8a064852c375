"""What contracts say of their own parts: the recitals, the words of agreement, the number that a file was filed under."""

import re

_FILED_AS = re.compile(r"exhibit (?:ex-)?\d{1,3}\.\d{1,3}$", re.IGNORECASE)
_RECITALS = frozenset(("recitals", "preamble", "background", "witnesseth", "whereas"))
_OPERATIVE = re.compile(r"(?:now,?\s+therefore|the\s+parties\b.{0,60}\bagree|it\s+is\s+(?:hereby\s+)?agreed)", re.IGNORECASE)


def is_filing_label(label: str) -> bool:
    """Exhibit 10.2: what the whole file is to the authority that it was sent to; exhibits of a contract are A, B or 1, 2."""
    return _FILED_AS.match(label) is not None


def is_recitals(label: str) -> bool:
    """Whether a heading names what stands before the clauses, and contains none of them."""
    return label.rstrip(":").lower() in _RECITALS


def is_operative(body: str) -> bool:
    """Whether a paragraph holds the words of agreement: with them the recitals end and the clauses begin."""
    return _OPERATIVE.match(body) is not None
