"""A word keeps its tokens whatever its case and the space before it; Chinese characters stand alone; text survives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unabridged.models.starter import tokenizer
from unabridged.models.starter.finder_probe import Probe

TEXT = "The Plaintiff shall indemnify 12.5% of it — naïve café.\n\n第三百零八条 人民檢察院，“他说。”\t<|user|> don't\r\n"


def test_text_survives_encoding_and_decoding(ranks: dict[bytes, int]) -> None:
    encoding = tokenizer.encoding(ranks)

    @settings(max_examples=100, deadline=None)
    @given(st.text())
    def holds(text: str) -> None:
        assert encoding.decode_bytes(encoding.encode_ordinary(text)) == text.encode()

    holds()


def test_tiktoken_and_llama_cpp_agree(ranks: dict[bytes, int], probe: Probe) -> None:
    encoding = tokenizer.encoding(ranks)
    assert encoding.encode_ordinary(TEXT) == probe.tokenize(TEXT)

    @settings(max_examples=150, deadline=None)
    @given(st.text(st.sampled_from("aAbBeEiInNoOtT hHrR中国條条法，。\n1'ß☃"), max_size=60))
    def holds(text: str) -> None:
        assert encoding.encode_ordinary(text) == probe.tokenize(text)

    holds()


@pytest.mark.parametrize("word", ["agreement", "plaintiff", "termination", "house", "said", "notice", "interest"])
def test_a_word_splits_at_the_same_letters_in_every_spelling(ranks: dict[bytes, int], word: str) -> None:
    encoding = tokenizer.encoding(ranks)

    def pieces(text: str) -> list[bytes]:
        return [token.strip().lower() for token in encoding.decode_tokens_bytes(encoding.encode_ordinary(text))]

    assert pieces(word) == pieces(word.capitalize()) == pieces(" " + word) == pieces(" " + word.capitalize())


def test_a_common_chinese_character_is_one_token_and_no_token_holds_two(ranks: dict[bytes, int]) -> None:
    encoding = tokenizer.encoding(ranks)
    text = "人民法院應當依法公開審判案件第一百二十條的不是一個國家"
    assert len(encoding.encode_ordinary(text)) == len(text)
    for token in ranks:
        decoded = token.decode(errors="ignore")
        assert len(tokenizer.HAN.findall(decoded)) < 2


def test_text_never_becomes_a_control_token(probe: Probe) -> None:
    assert max(probe.tokenize("<|doc|><|user|><|assistant|><|end|><|1|>")) < probe.doc - 3
