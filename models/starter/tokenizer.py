"""Trains the starter's vocabulary: byte-level BPE in which a word keeps its tokens whatever its case or the space before it.

The finder matches a question's tokens with the document's, so the same word must always fall apart in the same way:
* merges are learnt on lower-cased words only, and copied for "Title" and "UPPER" spellings and for the leading space, each
  right behind its lower-case model, so that " Plaintiff" and "plaintiff" split at the same letters;
* every Han character that the training text, GB 2312 or Big5 holds is one token, and no merge joins two of them.

The split pattern is qwen2's, which llama.cpp and tiktoken both know. The result is a file of ranks in tiktoken's own format
(base64 token, space, rank). Knows no weights and no GGUF.

usage: python -m unabridged.models.starter.tokenizer TRAINING_FOLDER vocabulary.tiktoken
"""

import argparse
import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import ascii_letters

import tiktoken
from unabridged.models.starter.corpus import texts

SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPECIAL = ("<|end|>", "<|user|>", "<|assistant|>", "<|doc|>")
WORD = re.compile(r"[A-Za-z]+")
HAN = re.compile(r"[㐀-䶿一-鿿]")
SYMBOLS = re.compile(r"[^\w\s]+[\r\n]*|\s*[\r\n]+|[^\S\r\n]{2,}")
UPPER = 3  # how often a piece of a word in capitals must occur: whole clauses of contracts are set in them
CASES = (str.lower, str.capitalize, str.upper)


def train(folder: Path, *, characters: int = 24_000_000, words: int = 8_000, symbols: int = 600) -> dict[bytes, int]:
    """Ranks by token, from `characters` of English and as many of Chinese; `words` and `symbols` count merges."""
    english: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    han: Counter[str] = Counter()
    for language in ("en", "zh"):
        for text in texts(folder, language, characters=characters):
            english.update(WORD.findall(text))
            marks.update(SYMBOLS.findall(text))
            han.update(HAN.findall(text))
    lower: Counter[str] = Counter()
    for word, count in english.items():
        lower[word.lower()] += count
    merges = _learn(lower, words)
    tokens = [bytes([i]) for i in range(256)]
    tokens += _character_tokens(han)
    tokens += _learn(marks, symbols)
    tokens += _spelled(merges, english)
    ranks: dict[bytes, int] = {}
    for token in tokens:
        ranks.setdefault(token, len(ranks))
    return ranks


def _learn(counts: Counter[str], merges: int) -> list[bytes]:
    """Tokens made by that many byte-pair merges inside these strings, first merge first."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("\0", "removed"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merges,
        show_progress=False,
        max_token_length=24,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(_repeated(counts), trainer)
    letters = bytes_by_letter()
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [bytes(letters[c] for c in token) for token, _ in by_id if len(token) > 1]


def _repeated(counts: Counter[str]) -> Iterator[str]:
    """The trainer counts for itself: give it each string as often as it occurred, thousands at a time."""
    for text, count in sorted(counts.items()):
        if count < 3:
            continue
        for done in range(0, count, 5000):
            yield "\0".join([text] * min(5000, count - done))


def _character_tokens(han: Counter[str]) -> list[bytes]:
    """One token per character outside ASCII that is common somewhere, each after the token of its first bytes."""
    characters = {c for c, count in han.items() if count >= 5}
    for codec, leads in (("gb2312", range(0xB0, 0xF8)), ("big5", range(0xA4, 0xC7))):
        for lead in leads:
            for trail in range(0x40, 0xFF):
                try:
                    characters.add(bytes([lead, trail]).decode(codec))
                except UnicodeDecodeError:
                    continue
    latin, greek, cyrillic, kana = (0xC0, 0x17F), (0x391, 0x3C9), (0x410, 0x44F), (0x3041, 0x30FE)
    characters |= {chr(c) for first, last in (latin, greek, cyrillic, kana) for c in range(first, last + 1)}
    characters |= set("，。、；：？！“”‘’（）《》〈〉「」『』【】—…·　")
    tokens: list[bytes] = []
    for c in sorted(characters):
        code = c.encode()
        tokens += [code[:n] for n in range(2, len(code) + 1)]
    return tokens


def _spelled(merges: Iterable[bytes], english: Counter[str]) -> list[bytes]:
    """Each lower-case merge, its other spellings, and at the end all of them with the space that they follow.

    A spelling is kept where the corpus uses it, or where a longer one that is kept was made from it.
    """
    merges = list(merges)
    order = {token: i for i, token in enumerate(merges)}
    starts: Counter[bytes] = Counter()  # tokens at the beginning of words, by spelling
    inside: Counter[bytes] = Counter()
    base = {bytes([i]): i for i in range(256)} | {token: 256 + i for token, i in order.items()}
    splitter = tiktoken.Encoding("words", pat_str=r"\S+", mergeable_ranks=base, special_tokens={})
    for word, count in english.items():
        if count < 3:
            continue
        at = 0
        for token in splitter.decode_tokens_bytes(splitter.encode_ordinary(word.lower())):
            spelled = word[at : at + len(token)].encode()
            (starts if at == 0 else inside)[spelled] += count
            at += len(token)
    wanted: set[bytes] = set(merges)
    for spelled, count in (starts + inside).items():
        if count >= (UPPER if spelled.isupper() and len(spelled) > 1 else 12):
            wanted.add(spelled)
    tokens: list[bytes] = []
    for token in reversed(merges):  # a spelling needs the spellings of the two halves it is merged from
        left, right = _halves(token, base)
        for case in CASES[1:]:
            if _case(token, case) in wanted:
                wanted.add(_case(left, case))
                wanted.add(_case(right, case) if case is str.upper else right)
    for token in merges:
        tokens += [spelled for case in CASES if (spelled := _case(token, case)) in wanted]
    letters = [bytes([c]) for c in ascii_letters.encode()]
    spaced = [t for t in [*letters, *tokens] if starts[t] >= (UPPER if t.isupper() and len(t) > 1 else 12)]
    return tokens + [b" " + t for t in spaced]


def _case(token: bytes, case: object) -> bytes:
    text = token.decode("ascii", "ignore")
    return case(text).encode() if callable(case) and len(text) == len(token) else token


def _halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that byte-pair encoding joins last when it builds `token` from bytes (lowest rank first)."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [(ranks.get(parts[i] + parts[i + 1], 1 << 30), i) for i in range(len(parts) - 1)]
        _, at = min(pairs)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def bytes_by_letter() -> dict[str, int]:
    """GPT-2's printable letters for bytes, which GGUF and Hugging Face vocabularies are written in."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(b): b for b in plain}
    rest = (b for b in range(256) if b not in set(plain))
    return letters | {chr(256 + i): b for i, b in enumerate(rest)}


def merges_of(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The merge list that makes llama.cpp and Hugging Face do what tiktoken does with the ranks: all splits of each token."""
    merges: list[tuple[bytes, bytes]] = []
    for token in sorted(ranks, key=ranks.__getitem__):
        splits = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks]
        merges += sorted(splits, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return merges


def save(ranks: dict[bytes, int], path: Path) -> None:
    path.write_text("".join(f"{base64.b64encode(t).decode()} {r}\n" for t, r in ranks.items()), encoding="ascii")


def load(path: Path) -> dict[bytes, int]:
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def encoding(ranks: dict[bytes, int]) -> tiktoken.Encoding:
    return tiktoken.Encoding("starter", pat_str=SPLIT, mergeable_ranks=ranks, special_tokens={})


def main() -> None:
    parser = argparse.ArgumentParser(description="train the starter's vocabulary")
    parser.add_argument("training", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    save(train(arguments.training), arguments.out)


if __name__ == "__main__":
    main()
