"""A transformer that finds passages, its weights written by hand.

Its shape is llama.cpp's `cohere2`: LayerNorm without bias, attention and feed-forward side by side (the latter empty here),
tied embeddings; sliding layers have interleaved RoPE, the full layer has no positions. A document is `doc (NUMBER passage)*`, a
question `user words assistant`; the next token is the NUMBER of the passage that the question is about, or `doc` where none is.

The residual stream is cut into subspaces, each a slice of its dimensions:

  T  token code: random balanced signs, the same for every spelling and form of a word ("law", " Law", "LAWS")
  B  the same word once more in other signs, scaled by the square root of its rarity r in 0..1
  X  context: B of this and the last tokens, fading by `FADE` per token
  C  passage code: balanced signs; written at a NUMBER, carried to its passage's tokens, and the votes that are collected
  flags (constant one, number, user, assistant, document start, rarity, inside the question) and filler, which brings every
  embedding to the norm sqrt(WIDTH), so that the first LayerNorm is the identity; only that of `doc` overlaps with that of
  `assistant`, by as much as makes the logit of `doc` the constant NOTHING

and three layers work on it, with two heads each:

  0  sliding  head 0: logit -STEEP * distance + bonus for NUMBER and user: the nearest NUMBER before a token wins, its code is
              carried into C (user carries the flag "inside the question" instead of a code)
              head 1: logit log(FADE) * distance: X becomes the fading mean of B
  1  full     logit of question token q on document token d:  S * <T_q, T_d> + BETA * <Y_q, Y_d>, where Y is X less the token's
              own part: context means the words before it. BETA is 6 in one head and 0 in the other, so the weight on d is
              exp(S) times larger where the word is the same, times exp(BETA * shared context); tokens of the question are
              masked by a flag and the `doc` token has the constant logit S + SINK. With n occurrences the value is
              sum(C_d * exp(BETA * shared)) / (n * mean exp(...) + exp(SINK)): a rare word votes for its one passage, a
              common word for those whose context looks like the question's, an unknown word for nothing.
              At N tokens the other words together weigh N * exp(-S + S^2 / 2|T|) of one match (|T| dimensions make two
              random codes overlap by N(0, 1/|T|)): with S = 22 and |T| = 96 that is 0.0003 at 100,000 tokens
  2  sliding  the assistant token takes the mean of its question's votes, weighted by exp(RARITY_WEIGHT * r), into C

The output embedding of NUMBER p is its code, so its logit is the sum of the votes for p, up to cross-talk of
|votes| * N(0, 1/|C|); where no sum reaches NOTHING, `doc` is the likeliest answer. Knows no vocabulary and no file format: it
is given token groups and rarities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

WIDTH, HEADS, HEAD, FEED_FORWARD, WINDOW = 512, 2, 256, 32, 1024
SLIDING = (True, False, True)
NUMBERS = 8192
ROPE_BASE = 10_000.0
LOGIT_SCALE = 0.04

T, B, X, C = slice(0, 96), slice(96, 168), slice(168, 240), slice(240, 472)
ASKED, READ = 472, 473  # carried with C: part of the question, part of a passage
FILLER = slice(480, 496)
ONE, NUMBER, PASSAGE, USER, ASSISTANT, DOC, RARITY = range(496, 503)

STEEP = 0.5  # logit per token of distance, in the carrying head
FADE = 0.8
S, SINK = 22.0, -2.0
BETA = (6.0, 0.0)  # of the two heads: words in their context, and words alone
VOTE, ANSWER = 1.0, 8.0  # factors on what the question's words collect, and on what the assistant token takes over
RARITY_WEIGHT = 1.5
NOTHING = 15.5  # logit of `doc` beyond that of a number for which no votes are collected
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


def weights(vocabulary: Vocabulary, *, seed: int = 0) -> dict[str, Array]:
    """Tensors by GGUF name, rows are outputs; NUMBER i is token `vocabulary.words + i`."""
    made = {"token_embd.weight": embeddings(vocabulary, seed=seed), "output_norm.weight": np.ones(WIDTH, np.float32)}
    for layer in range(len(SLIDING)):
        for name, shape in shapes().items():
            made[f"blk.{layer}.{name}.weight"] = np.zeros(shape, np.float32)
        made[f"blk.{layer}.attn_norm.weight"] = np.ones(WIDTH, np.float32)
    _carry(made)
    _match(made)
    _sum(made)
    return made


def shapes() -> dict[str, tuple[int, int]]:
    """One layer's matrices, rows first."""
    inner = HEADS * HEAD
    attention = {"attn_q": (inner, WIDTH), "attn_k": (inner, WIDTH), "attn_v": (inner, WIDTH), "attn_output": (WIDTH, inner)}
    return attention | {"ffn_gate": (FEED_FORWARD, WIDTH), "ffn_up": (FEED_FORWARD, WIDTH), "ffn_down": (WIDTH, FEED_FORWARD)}


def embeddings(vocabulary: Vocabulary, *, seed: int) -> Array:
    random = np.random.default_rng(seed)
    groups = int(vocabulary.group.max()) + 1
    e = np.zeros((vocabulary.words + NUMBERS, WIDTH), np.float32)
    words = e[: vocabulary.words]
    words[:, T] = _signs(random, groups, T)[vocabulary.group]
    words[:, B] = _signs(random, groups, B)[vocabulary.group] * np.sqrt(vocabulary.rarity)[:, None]
    words[:, RARITY] = vocabulary.rarity
    special = [vocabulary.doc, vocabulary.user, vocabulary.assistant]
    words[special] = 0
    e[vocabulary.words :, C] = _signs(random, NUMBERS, C)
    e[:, ONE] = 3
    e[vocabulary.words :, NUMBER] = e[vocabulary.words :, PASSAGE] = 3
    e[vocabulary.user, NUMBER] = 3
    for token, flag in zip(special, (DOC, USER, ASSISTANT), strict=True):
        e[token, flag] = 3
    room = np.sqrt((WIDTH - (e**2).sum(1)) / 16)
    common, own = np.where(np.arange(16) % 4 < 2, 1, -1), np.where(np.arange(16) % 2, -1, 1)  # orthogonal
    e[:, FILLER] = room[:, None] * common
    e[vocabulary.assistant, FILLER] = room[vocabulary.assistant] * own
    overlap = (NOTHING / LOGIT_SCALE) / (16 * room[vocabulary.assistant] * room[vocabulary.doc])  # beyond that of all tokens
    e[vocabulary.doc, FILLER] = room[vocabulary.doc] * (overlap * own + np.sqrt(1 - overlap**2) * common)
    return e


def _signs(random: np.random.Generator, rows: int, space: slice) -> Array:
    """Random signs, as many of one as of the other, so that a LayerNorm's mean stays zero."""
    width = space.stop - space.start
    half = np.where(np.arange(width) < width // 2, 1, -1).astype(np.float32)
    return random.permuted(np.broadcast_to(half, (rows, width)), axis=1)


def _turn(pair: int) -> float:
    """Radians that a RoPE pair turns per position."""
    return float(ROPE_BASE ** (-2 * pair / HEAD))


def _logit(value: float) -> float:
    """The two equal factors, one in q and one in k, that make this logit out of two ONEs (or flags) of 3."""
    return float(np.sqrt(value * HEAD**0.5) / 3)


def _carry(w: dict[str, Array]) -> None:
    q, k, v, o = (w[f"blk.0.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    reach = STEEP / _turn(LINEAR)  # -reach * sin(turn * distance) falls by STEEP per token
    q[2 * LINEAR, ONE] = _logit(reach)
    k[2 * LINEAR + 1, ONE] = -_logit(reach)
    q[2 * FLAT, ONE] = _logit(1.1 * reach)
    k[2 * FLAT, NUMBER] = _logit(1.1 * reach)
    size = C.stop - C.start
    v[range(size), range(C.start, C.stop)] = 1
    v[size, USER] = v[size + 1, PASSAGE] = 1
    o[range(C.start, C.stop), range(size)] = 1
    o[ASKED, size] = o[READ, size + 1] = 1
    fade = -np.log(FADE) / _turn(LINEAR)
    q[HEAD + 2 * LINEAR, ONE] = _logit(fade)
    k[HEAD + 2 * LINEAR + 1, ONE] = -_logit(fade)
    size = B.stop - B.start
    v[range(HEAD, HEAD + size), range(B.start, B.stop)] = 1
    o[range(X.start, X.stop), range(HEAD, HEAD + size)] = 2


def _match(w: dict[str, Array]) -> None:
    q, k, v, o = (w[f"blk.1.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    norm = (WIDTH + (C.stop - C.start)) / WIDTH  # mean square of a passage's token after layer 0
    asked = 1.0  # and of a question's token, which carries no code
    scale = HEAD**0.5 * float(np.sqrt(norm * asked))
    words, context = T.stop - T.start, X.stop - X.start
    unit = 2 * FADE * (1 - FADE)  # X without the token itself, over the plain sum of FADE**(distance - 1) * B
    for head, beta in enumerate(BETA):
        at = head * HEAD
        same, near = np.sqrt(S * scale / words), np.sqrt(beta * scale / context) / unit
        for matrix in (q, k):
            matrix[range(at, at + words), range(T.start, T.stop)] = same
            matrix[range(at + words, at + words + context), range(X.start, X.stop)] = near
            matrix[range(at + words, at + words + context), range(B.start, B.stop)] = -near * 2 * (1 - FADE)
        flag = at + words + context
        one = 3 * 3 / scale  # logit of two flags of 3 with factors 1
        q[flag, ONE], k[flag, DOC] = 1, (S + SINK) / one
        q[flag + 1, ONE], k[flag + 1, ASKED] = 1, -3 * S / one
        size = C.stop - C.start
        v[range(at, at + size), range(C.start, C.stop)] = 1
        o[range(C.start, C.stop), range(at, at + size)] = VOTE


def _sum(w: dict[str, Array]) -> None:
    q, k, v, o = (w[f"blk.2.attn_{part}.weight"] for part in ("q", "k", "v", "output"))
    one = 3 * 3 / HEAD**0.5
    q[2 * FLAT, ASSISTANT] = 4
    k[2 * FLAT, [READ, DOC, USER, ASSISTANT]] = -120 / one / 4  # what is left is the question
    q[2 * FLAT - 2, ASSISTANT], k[2 * FLAT - 2, RARITY] = 3, RARITY_WEIGHT / one
    size = C.stop - C.start
    v[range(size), range(C.start, C.stop)] = 1
    o[range(C.start, C.stop), range(size)] = ANSWER
