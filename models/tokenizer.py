"""Text to token ids, fast and without surprises. Knows the vocabulary of one GGUF file, no documents.

tiktoken does the work where it can: its ranks come from the file's own merges, its split pattern from the name of the
pre-tokenizer. It is compared with llama.cpp at load, on a sample of scripts and of hostile strings, and then on the head of
every request; where one id differs, llama.cpp's own tokenizer does it. Text never becomes a control token, on either path.
"""

import itertools
import re
from collections.abc import Sequence

import numpy as np
from unabridged.errors import UsageError
from unabridged.models.cut_points import cut_points, tokenize_in_chunks, tokenize_in_parts
from unabridged.models.engine import Tokens
from unabridged.models.fast_bpe import FastBpe, TooLongRun, build_fast_bpe
from unabridged.models.gguf_header import GgufHeader
from unabridged.models.llama_model import Model

_USER_DEFINED = 4  # token type of the GGUF format
HEAD = 4096  # characters of a request that are compared

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
    """`kind` is "tiktoken" or "llama.cpp"; `doubted` requests were left to llama.cpp because their head came out otherwise."""

    def __init__(self, model: Model, header: GgufHeader) -> None:
        self._model = model
        self._user_defined = _markup_of_vocabulary(header)
        self._fast = build_fast_bpe(header)
        self._points = cut_points(header)
        self.doubted = 0
        if self._fast and not self._agrees(self._fast, SAMPLE):
            self._fast = None
        sample = "".join(SAMPLE)
        if self._points and not np.array_equal(
            tokenize_in_chunks(sample, self._points, self._whole, chunk=1), self._whole(sample)
        ):
            self._points = None

    @property
    def kind(self) -> str:
        return "tiktoken" if self._fast else "llama.cpp"

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Each text by itself, never with control tokens."""
        texts = [_checked(text) for text in texts]
        if self._fast:
            try:
                if self._agrees(self._fast, _head(texts)):
                    return [self._fast(text) for text in texts]
            except TooLongRun:
                pass
            self.doubted += 1
        return [self._slow(text) for text in texts]

    def markup(self, text: str) -> Tokens:
        """Pieces of a chat template: here control tokens are meant."""
        return self._model.tokenize(text, special=True)

    def _agrees(self, fast: FastBpe, texts: Sequence[str]) -> bool:
        return all(np.array_equal(fast(text), self._slow(text)) for text in texts)

    def _slow(self, text: str) -> Tokens:
        return tokenize_in_chunks(text, self._points, self._whole) if self._points else self._whole(text)

    def _whole(self, text: str) -> Tokens:
        """llama.cpp's tokenizer takes user-defined tokens (`<think>`) out of plain text: cutting them keeps them text."""
        cuts = [match.start() + 1 for match in self._user_defined.finditer(text)] if self._user_defined else []
        if not cuts:
            return self._plain(text)
        if self._points:
            return tokenize_in_parts(text, cuts, self._points, self._plain)
        return np.concatenate([self._plain(text[a:b]) for a, b in itertools.pairwise([0, *cuts, len(text)])]).astype(np.int32)

    def _plain(self, text: str) -> Tokens:
        return self._model.tokenize(text, special=False)


def _head(texts: Sequence[str]) -> list[str]:
    """The first `HEAD` characters of a request."""
    found, left = [], HEAD
    for text in texts:
        if left <= 0:
            break
        found.append(text[:left])
        left -= len(text)
    return found


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
    if types is None or tokens is None or header.metadata.get("tokenizer.ggml.model") not in ("gpt2", "llama", "gemma4"):
        return None
    found = [tokens[i] for i in np.flatnonzero(np.asarray(types) == _USER_DEFINED) if tokens[i].replace("▁", " ").strip()]
    found = [text for text in found if len(text) > 1]
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True)))) if found else None
