"""What is shown of a finder's passages: the best, and what stands out nearly as much."""

from unabridged.finding import nearest
from unabridged.ingest.document import Anchor, Document, Passage
from unabridged.models.pointing import Pointed
from unabridged.prompts import Numbered

HEADING = "TERMINATION"
CLAUSE = "Either party may end this agreement by a notice of thirty days, in writing, to the address that stands above. " * 2


def passages(*texts: str) -> list[Numbered]:
    document = Document(id="0" * 64, name="a", media_type="text/plain", text="".join(texts), blocks=())
    ends = [sum(map(len, texts[: i + 1])) for i in range(len(texts))]
    spans = zip([0, *ends], ends, strict=False)
    return [Numbered(i, document, Passage(i, start, end, Anchor())) for i, (start, end) in enumerate(spans, 1)]


def test_an_unsure_answer_shows_the_clause_before_a_heading_of_one_word() -> None:
    heading, clause = passages(HEADING, CLAUSE)
    points = Pointed((2.0, 1.0), nothing=1.0)
    assert nearest([heading, clause], points, sure=False) == [1]
    assert nearest([heading, clause], points, sure=True) == [0, 1]


def test_what_stands_out_much_less_is_not_shown_beside_the_best() -> None:
    assert nearest(passages(CLAUSE, CLAUSE, CLAUSE), Pointed((0.1, 9.0, 2.0), nothing=1.0), sure=True) == [1, 2]


def test_what_was_not_looked_at_twice_is_never_shown() -> None:
    assert nearest(passages(CLAUSE, CLAUSE), Pointed((0.0, 1e-9), nothing=1.0), sure=False) == [1]
