"""A transformer that finds passages: how it is wired, by hand, and where what it learns has its place.

Its shape is llama.cpp's `cohere2`: LayerNorm without bias, attention and feed-forward side by side (the latter empty here),
tied embeddings; sliding layers have interleaved RoPE, the full layer has no positions; two query heads share one K and one V.
A document is `doc (NUMBER passage)*`, a question `user words assistant`; the next token is the NUMBER of the passage that the
question is about, or `doc` where none is.

The residual stream is cut into subspaces, each a slice of its dimensions:

  T  token code: random balanced signs, the same for every spelling and form of a word ("law", " Law", "LAWS")
  M  meaning of a word: learnt
  B  the same word once more in other signs, scaled by the square root of its rarity r in 0..1
  X  context: B of this and the last tokens, fading by `FADE` per token
  C  passage code: balanced signs; written at a NUMBER, carried to its passage's tokens with the opposite sign (which leaves
     none at the NUMBER itself), and the votes that are collected
  flags (constant one, number, user, assistant, document start, importance, inside the question), their balance, which brings
  the mean to zero, and filler, which brings every embedding to the norm sqrt(WIDTH), so that a LayerNorm takes nothing away and
  the first one is the identity; only the filler of `doc` overlaps with that of `assistant`, by as much as makes the logit of
  `doc` the constant `nothing`

and three layers work on it:

  0  sliding  head 0: logit -STEEP * distance + bonus for NUMBER and user: the nearest NUMBER before a token wins, its code is
              carried into C (user carries the flag "inside the question" instead of a code)
              head 1: logit log(FADE) * distance: X becomes the fading mean of B
  1  full     logit of question token q on document token d, in each head with its own numbers:
                same * <T_q, T_d> + near * <Y_q, Y_d>, and in head 1 also (mix M_q + wanted) . M_d
              where Y is X less the token's own part: context means the words before it. Tokens of the question are masked
              by a flag, and the `doc` token has the logit sink (in head 1: + unmet . M_q): what finds no match leaves its
              vote there, and so does the assistant token. Every NUMBER has the logit crowd and no vote: the more
              passages there are, the less a chance match is worth.
              Head 0, with same = 22, looks at equal words in an equal context: with n occurrences and p passages its value is
              sum(C_d * exp(near * shared)) / (n * mean exp(...) + exp(sink - same) + p * exp(crowd - same)): a rare word
              votes for its one passage, a common word for those whose context looks like the question's, an unknown word for
              nothing. At N tokens the other words together weigh N * exp(-same + same^2 / 2|T|) of one match (|T| dimensions
              make two random codes overlap by N(0, 1/|T|)), 0.0006 at 100,000 tokens. Head 1 looks at words that mean what
              q asks for
  2  sliding  the assistant token takes the mean of its question's votes, weighted by exp(importance), into C

The output embedding of NUMBER p is its code, so its logit is the sum of the votes for p, up to cross-talk of
|votes| * N(0, 1/|C|); where no sum reaches `nothing`, `doc` is the likeliest answer. Knows no vocabulary and no file format: it
is given token groups, rarities and what was learnt.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

WIDTH, HEADS, KV_HEADS, HEAD, FEED_FORWARD, WINDOW = 512, 2, 1, 256, 32, 1024
SLIDING = (True, False, True)
NUMBERS = 8192
ROPE_BASE = 10_000.0
LOGIT_SCALE = 0.04

T, M, B, X, C = slice(0, 80), slice(80, 176), slice(176, 230), slice(230, 284), slice(284, 484)
ASKED, READ = 484, 485  # carried with C: part of the question, part of a passage
ONE, NUMBER, PASSAGE, USER, ASSISTANT, DOC, IMPORTANCE, BALANCE = range(486, 494)
FILLER = slice(496, 512)

BALANCED = 40  # what a carried flag adds to the square of a word's length, by itself and by its balance; to a NUMBER's: 72
PLAIN = 1 + BALANCED / WIDTH  # mean square of a question's token that has collected nothing
WEIGHT = 2  # importance for a 1 in its dimension
STEEP = 0.5  # logit per token of distance, in the carrying head
FADE = 0.8
LINEAR, FLAT = 93, 127  # RoPE pairs: one whose sine is near linear in 0..WINDOW, one that hardly turns


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the weights must know of the tokens: `group[i]` ties forms together, `rarity[i]` is 0 (common) to 1."""

    group: NDArray[np.int64]
    rarity: Array
    doc: int
    user: int
    assistant: int

    @property
    def words(self) -> int:
        return len(self.group)

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1

    @property
    def rarity_of_groups(self) -> Array:
        rarity = np.zeros(self.groups, np.float32)
        rarity[self.group] = self.rarity
        return rarity


@dataclass(frozen=True, slots=True)
class Learnt:
    """What training changes; in the docstring above, the names of layer 1. Rows of words are by group, heads come first."""

    meaning: Array  # [groups, |M|]
    importance: Array  # [groups]
    same: Array  # [heads]
    near: Array  # [heads]
    sink: Array  # [heads]
    crowd: Array  # [heads]
    mix: Array  # [|M| of the document's word, |M| of the question's]
    wanted: Array  # [|M|]
    unmet: Array  # [|M|]
    vote: Array  # [heads], factors on what the question's words collect
    answer: float  # and on what the assistant token takes over
    nothing: float  # logit of `doc` beyond that of a number for which no votes are collected


def unlearnt(vocabulary: Vocabulary, *, meaning: Array | None = None) -> Learnt:
    """Where training begins: words match themselves in their context, and those that `meaning` puts side by side."""
    size = _size(M)
    if meaning is None:
        meaning = np.zeros((vocabulary.groups, size), np.float32)
    return Learnt(
        meaning=meaning,
        importance=3 * vocabulary.rarity_of_groups,
        same=np.array([22, 6], np.float32),
        near=np.array([6, 1], np.float32),
        sink=np.array([20, 8], np.float32),
        crowd=np.array([19.7, 0], np.float32),
        mix=np.diag(np.full(size, 8 / size, np.float32)),
        wanted=np.zeros(size, np.float32),
        unmet=np.zeros(size, np.float32),
        vote=np.array([1.5, 1], np.float32),
        answer=8.0,
        nothing=15.5,
    )


def weights(vocabulary: Vocabulary, learnt: Learnt, *, seed: int = 0) -> dict[str, Array]:
    """Tensors by GGUF name, rows are outputs; NUMBER i is token `vocabulary.words + i`."""
    made = {"token_embd.weight": embeddings(vocabulary, learnt, seed=seed), "output_norm.weight": np.ones(WIDTH, np.float32)}
    for layer in range(len(SLIDING)):
        for name, shape in shapes().items():
            made[f"blk.{layer}.{name}.weight"] = np.zeros(shape, np.float32)
        made[f"blk.{layer}.attn_norm.weight"] = np.ones(WIDTH, np.float32)
    _carry(made)
    _match(made, learnt)
    _sum(made, learnt)
    return made


def shapes() -> dict[str, tuple[int, int]]:
    """One layer's matrices, rows first."""
    inner, shared = HEADS * HEAD, KV_HEADS * HEAD
    attention = {"attn_q": (inner, WIDTH), "attn_k": (shared, WIDTH), "attn_v": (shared, WIDTH), "attn_output": (WIDTH, inner)}
    return attention | {"ffn_gate": (FEED_FORWARD, WIDTH), "ffn_up": (FEED_FORWARD, WIDTH), "ffn_down": (WIDTH, FEED_FORWARD)}


def codes(vocabulary: Vocabulary, *, seed: int = 0) -> Array:
    """T of every group."""
    return _signs(np.random.default_rng([seed, 0]), vocabulary.groups, T)


def marks(vocabulary: Vocabulary, *, seed: int = 0) -> Array:
    """B of every group."""
    signs = _signs(np.random.default_rng([seed, 1]), vocabulary.groups, B)
    return signs * np.sqrt(vocabulary.rarity_of_groups)[:, None]


def embeddings(vocabulary: Vocabulary, learnt: Learnt, *, seed: int) -> Array:
    e = np.zeros((vocabulary.words + NUMBERS, WIDTH), np.float32)
    words = e[: vocabulary.words]
    words[:, T] = codes(vocabulary, seed=seed)[vocabulary.group]
    words[:, M] = learnt.meaning[vocabulary.group]
    words[:, B] = marks(vocabulary, seed=seed)[vocabulary.group]
    words[:, IMPORTANCE] = learnt.importance[vocabulary.group] / WEIGHT
    special = [vocabulary.doc, vocabulary.user, vocabulary.assistant]
    words[special] = 0
    e[vocabulary.words :, C] = _signs(np.random.default_rng([seed, 2]), NUMBERS, C)
    e[:, ONE] = 3
    e[vocabulary.words :, NUMBER] = e[vocabulary.words :, PASSAGE] = 3
    e[vocabulary.user, NUMBER] = 3
    for token, flag in zip(special, (DOC, USER, ASSISTANT), strict=True):
        e[token, flag] = 3
    e[:, BALANCE] = -e.sum(1)
    left = WIDTH - (e**2).sum(1)
    if left.min() < 0:
        raise ValueError(f"A word's meaning is longer than there is room for, by {-left.min():.0f} of {WIDTH}.")
    room = np.sqrt(left / 16)
    common, own = np.where(np.arange(16) % 4 < 2, 1, -1), np.where(np.arange(16) % 2, -1, 1)  # orthogonal
    e[:, FILLER] = room[:, None] * common
    e[vocabulary.assistant, FILLER] = room[vocabulary.assistant] * own
    lead = learnt.nothing / LOGIT_SCALE + 9  # the balance of the flag it carries, -3, meets -9 at a NUMBER and -6 at `doc`
    overlap = lead / (16 * room[vocabulary.assistant] * room[vocabulary.doc])
    e[vocabulary.doc, FILLER] = room[vocabulary.doc] * (overlap * own + np.sqrt(1 - overlap**2) * common)
    return e


def _size(space: slice) -> int:
    return int(space.stop - space.start)


def _range(space: slice) -> range:
    return range(space.start, space.stop)


def _signs(random: np.random.Generator, rows: int, space: slice) -> Array:
    """Random signs, as many of one as of the other, so that a LayerNorm's mean stays zero."""
    width = _size(space)
    half = np.where(np.arange(width) < width // 2, 1, -1).astype(np.float32)
    return random.permuted(np.broadcast_to(half, (rows, width)), axis=1)


def _turn(pair: int) -> float:
    """Radians that a RoPE pair turns per position."""
    return float(ROPE_BASE ** (-2 * pair / HEAD))


def _carry(w: dict[str, Array]) -> None:
    q, k, v, o = (w[f"blk.0.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    one = 3 * 3 / HEAD**0.5  # logit of two flags of 3 with factors 1
    reach = STEEP / _turn(LINEAR)  # -reach * sin(turn * distance) falls by STEEP per token
    unit = np.sqrt(reach / one)
    k[2 * LINEAR + 1, ONE] = -unit
    k[2 * FLAT, NUMBER] = unit
    q[2 * LINEAR, ONE] = unit
    q[2 * FLAT, ONE] = 1.1 * unit
    q[HEAD + 2 * LINEAR, ONE] = -np.log(FADE) / _turn(LINEAR) / one / unit
    size = _size(C)
    v[range(size), _range(C)] = 1
    v[size, USER] = v[size + 1, PASSAGE] = 1
    o[_range(C), range(size)] = -1
    o[ASKED, size] = o[READ, size + 1] = 1
    o[BALANCE, [size, size + 1]] = -1
    marks = range(size + 2, size + 2 + _size(B))
    v[marks, _range(B)] = 1
    o[_range(X), [HEAD + i for i in marks]] = 2


def _match(w: dict[str, Array], learnt: Learnt) -> None:
    """K is (T, M, Y, doc, masked, crowd), and each head's Q says what it wants of them."""
    q, k, v, o = (w[f"blk.1.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    # root mean squares after layer 0: of a passage's token, which got a code, a flag and its balance; of a question's, without
    # a code; of a NUMBER, which lost its own
    read, asked = np.sqrt(PLAIN + _size(C) / WIDTH), np.sqrt(PLAIN)
    number = np.sqrt((WIDTH - _size(C) + 72) / WIDTH)
    t, m, y = range(_size(T)), range(_size(T), _size(T) + _size(M)), range(_size(T) + _size(M), _size(T) + _size(M) + _size(B))
    doc, masked, crowd = range(y.stop, y.stop + 3)
    k[t, _range(T)] = k[m, _range(M)] = read
    outside = 1 / (2 * FADE * (1 - FADE))  # brings X without the token itself to the plain sum of FADE**(distance - 1) * B
    for matrix, size in ((k, read), (q[:HEAD], asked), (q[HEAD:], asked)):
        matrix[y, _range(X)] = size * outside
        matrix[y, _range(B)] = -size * outside * 2 * (1 - FADE)
    k[doc, DOC] = k[masked, ASKED] = 1
    k[crowd, PASSAGE] = number
    scale = HEAD**0.5
    for head in range(HEADS):
        at = q[head * HEAD :][:HEAD]
        at[y] *= scale * learnt.near[head] / _size(B)
        at[t, _range(T)] = scale * asked * learnt.same[head] / _size(T)
        at[doc, ONE] = scale * asked / 9 * learnt.sink[head]
        at[masked, ONE] = -scale * 60 / 9
        at[crowd, ONE] = scale * asked / 9 * learnt.crowd[head]
        at[doc, ASSISTANT] = scale * 60 / 9  # it asks for nothing itself
        o[_range(C), range(head * HEAD, head * HEAD + _size(C))] = learnt.vote[head] * read
    meant = q[HEAD:]  # head 1
    meant[m.start : m.stop, M] = scale * asked * learnt.mix
    meant[m, ONE] = scale * asked / 3 * learnt.wanted
    meant[doc, M] = scale * asked / 3 * learnt.unmet
    v[range(_size(C)), _range(C)] = -1


def _sum(w: dict[str, Array], learnt: Learnt) -> None:
    q, k, v, o = (w[f"blk.2.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    one = 3 * 3 / HEAD**0.5
    q[2 * FLAT, ASSISTANT] = 4
    k[2 * FLAT, [READ, DOC, USER, ASSISTANT]] = -120 / one / 4  # what is left is the question
    q[2 * FLAT - 2, ASSISTANT], k[2 * FLAT - 2, IMPORTANCE] = HEAD**0.5 / 3 * np.sqrt(PLAIN), WEIGHT
    size = _size(C)
    v[range(size), _range(C)] = 1
    o[_range(C), range(size)] = learnt.answer
