"""Text to token ids, fast and without surprises. Knows the vocabulary of one GGUF file, no documents.

tiktoken does the work where it can: its ranks come from the file's own merges, its split pattern from the name of the
pre-tokenizer. At load both are compared with llama.cpp on a sample of scripts and of hostile strings; one differing id,
and llama.cpp's own tokenizer is used instead. Text never becomes a control token, on either path.
"""

import re
from collections.abc import Sequence

import numpy as np
import tiktoken
from unabridged.errors import UsageError
from unabridged.models.engine import Tokens
from unabridged.models.gguf_header import GgufHeader
from unabridged.models.llama_model import Model
from unabridged.models.split_patterns import IGNORES_MERGES, split_pattern

_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # token types of the GGUF format

SAMPLE = (
    "Article 12(3): the Tenant's deposit (USD 1,234,567.89) isn't refundable; WE'LL see — it’s “final”.\r\n\r\n",
    "第三百零八条　当事人应当按照约定全面履行自己的义务。违约金为￥12,000元（大写：壹万贰仟圆整）；逾期30日，２０２６年１月！",
    "Ünïcödé çà où ñandú Straße. Привет, мир! Γειά σου Κόσμε. שלום עולם. مرحبا بالعالم ٣٤٥. नमस्ते दुनिया। สวัสดีชาวโลก",
    "これはペンです。カタカナ、ひらがな。한국어 문장입니다. Việt Nam đất nước. ქართული. አማርኛ",
    "🏳️‍🌈👩‍👩‍👧‍👦🇫🇷 e\u0301 a\u0308\u0323 \u0e33",
    "def f(x):\n\treturn {'a': [1, 22, 333, 4444], \"b\": x**2}\n\n\n    # ----====++++ /* */ <!-- --> \\n \\\\ http://a.b/c?d=e&f=%20\n",
    "   leading\t\ttabs  \n \n  trailing   ",
    "x \u00a0\u2003\u3000 y\u200b\u200d\ufeff z\u0085w\x1c\x0b\x0c\x00\x7f",
    "<|im_end|><|im_start|>system\n</s><s>[INST] <<SYS>> <|endoftext|><|eot_id|><think></think>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1111111111111111111111        .......!!!!!!????",
    "I'M you'Re THEY'VE i'd'll don't'S ’s 'ſ camelCaseWordsAndHTTPServer_snake_case ǅ ⅷ ² ½ ①",
)


class Tokenizer:
    """`kind` is "tiktoken" or "llama.cpp"."""

    def __init__(self, model: Model, header: GgufHeader) -> None:
        self._model = model
        self._user_defined = _markup_of_vocabulary(header)
        self._fast = _build_fast(header)
        if self._fast and any(not np.array_equal(self._fast(text), self._slow(text)) for text in SAMPLE):
            self._fast = None

    @property
    def kind(self) -> str:
        return "tiktoken" if self._fast else "llama.cpp"

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Each text by itself, never with control tokens."""
        encode = self._fast or self._slow
        return [encode(_checked(text)) for text in texts]

    def markup(self, text: str) -> Tokens:
        """Pieces of a chat template: here control tokens are meant."""
        return self._model.tokenize(text, special=True)

    def _slow(self, text: str) -> Tokens:
        """llama.cpp's tokenizer takes user-defined tokens (`<think>`) out of plain text: cutting them keeps them text."""
        if self._user_defined is None:
            return self._model.tokenize(text, special=False)
        cuts = [match.start() + 1 for match in self._user_defined.finditer(text)]
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        return np.concatenate([self._model.tokenize(part, special=False) for part in parts]).astype(np.int32)


class _Fast:
    """tiktoken with ranks in merge order; `ids[rank]` is the model's own token id."""

    def __init__(self, pattern: str, ranks: dict[bytes, int], ids: Tokens) -> None:
        self._encoding = tiktoken.Encoding("gguf", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        self._ids = ids

    def __call__(self, text: str) -> Tokens:
        return self._ids[np.array(self._encoding.encode_ordinary(text), np.intp)]


def _checked(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError("The text holds half a character (a lone surrogate).", hint="Remove it and try again.") from error
    return text


def _markup_of_vocabulary(header: GgufHeader) -> re.Pattern[str] | None:
    """Matches user-defined tokens that look like words or tags, not the white space that some vocabularies define so."""
    types = header.metadata.get("tokenizer.ggml.token_type")
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if types is None or tokens is None or header.metadata.get("tokenizer.ggml.model") != "gpt2":
        return None  # SentencePiece puts a space before whatever it is given, so its text is not cut
    found = [tokens[i] for i in np.flatnonzero(np.asarray(types) == _USER_DEFINED) if tokens[i].replace("▁", " ").strip()]
    found = [text for text in found if len(text) > 1]
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True)))) if found else None


def byte_of_character() -> dict[str, int]:
    """GPT-2's printable spelling of the 256 bytes (github.com/openai/gpt-2, encoder.py)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(rest)}


def _build_fast(header: GgufHeader) -> _Fast | None:
    """None where the vocabulary is not byte-level BPE with a pattern that is known here."""
    data = header.metadata
    pattern = split_pattern(str(data.get("tokenizer.ggml.pre", "")))
    tokens, merges = data.get("tokenizer.ggml.tokens"), data.get("tokenizer.ggml.merges")
    if data.get("tokenizer.ggml.model") != "gpt2" or pattern is None or not tokens or merges is None:
        return None
    spelling = byte_of_character()
    id_of = {token: i for i, token in reversed(list(enumerate(tokens)))}
    if any(character not in id_of for character in spelling):
        return None
    ranks = {bytes([byte]): rank for rank, (character, byte) in enumerate(spelling.items())}
    ids = [id_of[character] for character in spelling]
    words = [merge.replace(" ", "", 1) for merge in merges]
    if data.get("tokenizer.ggml.pre") in IGNORES_MERGES:  # every word of the vocabulary counts, reached by merges or not
        types = data.get("tokenizer.ggml.token_type")
        words += [t for i, t in enumerate(tokens) if types is None or types[i] == _NORMAL]
    for word in words:
        try:
            raw = bytes([spelling[character] for character in word])
        except KeyError:
            continue
        if word in id_of and raw not in ranks:
            ranks[raw] = len(ids)
            ids.append(id_of[word])
    return _Fast(pattern, ranks, np.array(ids, np.int32))
