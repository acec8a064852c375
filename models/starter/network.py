"""The starter in torch, as far as it learns: what the words of questions collect from a document, many questions at a time.

Layer 0 is taken as what it was built to be (every token carries exactly its own passage's code, the context fades exactly), and
the codes of passages as orthogonal, so that a step is a few products [tokens of questions, tokens of the document]. What it
learns (circuit.Learnt) means the same in the whole transformer, which `test_network` compares. Knows no files.
"""

from collections.abc import Sequence
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import dropout, pad
from unabridged.models.pointing import SHORTEST
from unabridged.models.starter import circuit
from unabridged.models.starter.circuit import FADE, HEADS, LOGIT_SCALE, PLAIN, WIDTH, Learnt

CODE = circuit.C.stop - circuit.C.start
FORGOTTEN = 0.1  # of the meanings' values, while training
LONGEST = 300  # of a word's meaning, squared: what an embedding has room for


class Network(nn.Module):
    def __init__(self, vocabulary: circuit.Vocabulary, start: Learnt, *, seed: int = 0) -> None:
        super().__init__()
        self.register_buffer("group", torch.from_numpy(vocabulary.group))
        self.register_buffer("codes", torch.from_numpy(circuit.codes(vocabulary, seed=seed)))
        self.register_buffer("marks", torch.from_numpy(circuit.marks(vocabulary, seed=seed)))
        for name in Learnt.__slots__:
            value = torch.tensor(getattr(start, name), dtype=torch.float32)
            setattr(self, name, nn.Parameter(value))

    def forward(self, passages: Sequence[Sequence[int]], questions: Sequence[Sequence[int]]) -> Tensor:
        """Logits [questions, passages + 1] of the numbers and, last, of `doc`, up to what all of them have in common."""
        read, owner, _ = self._groups(passages)
        asking, asker, sizes = self._groups(questions)
        device = read.device
        member = torch.zeros(len(read), len(passages), device=device).scatter_(1, owner[:, None], 1.0)
        # rows are taken from the tables once, so that one gradient flows back into each
        groups, place = torch.unique(torch.cat([read, asking]), return_inverse=True)
        known, meaning, marks = self.codes[groups], self.meaning[groups], self.marks[groups]
        read, asking = place.split([len(read), len(asking)])
        importance = self.importance[groups][asking]
        tail = pad(marks[read[-64:]], (0, 0, 0, 1))  # what a question follows: the end of the document, and `user`
        y = torch.cat([before(torch.cat([tail, part]))[len(tail) :] for part in marks[asking].split(sizes)])
        t, m = known[asking], dropout(meaning[asking], FORGOTTEN, self.training)
        keys = torch.cat([known[read], dropout(meaning[read], FORGOTTEN, self.training), before(marks[read])], 1)
        votes = torch.zeros(len(asking), len(passages), device=device)
        for head in range(HEADS):
            meant = m @ self.mix.T + self.wanted if head == 1 else torch.zeros_like(m)
            query = torch.cat([self.same[head] / t.shape[1] * t, meant, self.near[head] / y.shape[1] * y], 1)
            sink = self.sink[head] + (m @ self.unmet if head == 1 else torch.zeros_like(m[:, 0]))
            crowd = (self.crowd[head] + log(len(passages))).expand(len(t), 1)
            share = torch.softmax(torch.cat([query @ keys.T, crowd, sink[:, None]], 1).float(), 1)
            votes = votes + self.vote[head] * (share[:, :-2] @ member)
        spread = torch.sqrt(PLAIN + CODE * (votes**2).sum(1) / WIDTH)
        weight = torch.exp(importance / spread)
        total = torch.zeros(len(questions), device=device).index_add(0, asker, weight)
        answer = torch.zeros(len(questions), len(passages), device=device)
        answer = answer.index_add(0, asker, (weight / spread)[:, None] * votes) * self.answer / total[:, None]
        logits = torch.cat([LOGIT_SCALE * CODE * answer, self.nothing.expand(len(questions), 1)], 1)
        return logits / torch.sqrt(PLAIN + CODE * (answer**2).sum(1, keepdim=True) / WIDTH)

    def spare(self) -> None:
        """Before a step: head 0, which finds the very words of a question, stays as it was built to be.

        Documents of a few thousand tokens teach it to ask less of a match than documents of a hundred thousand need.
        """
        for values in (self.same, self.near, self.sink, self.crowd, self.vote):
            if values.grad is not None:
                values.grad[0] = 0

    @torch.no_grad()
    def tidy(self) -> None:
        """After a step: meanings without a mean, which a LayerNorm would take away, and no longer than an embedding can be."""
        self.meaning -= self.meaning.mean(1, keepdim=True)
        length = (self.meaning**2).sum(1, keepdim=True)
        self.meaning *= torch.sqrt(LONGEST / length.clamp(min=LONGEST))

    def learnt(self) -> Learnt:
        values: dict[str, NDArray[np.float32]] = {
            name: getattr(self, name).detach().float().cpu().numpy() for name in Learnt.__slots__
        }
        answer, nothing = float(values.pop("answer")), float(values.pop("nothing"))
        return Learnt(**values, answer=answer, nothing=nothing)

    def _groups(self, runs: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, list[int]]:
        """(word groups of all runs in a row, the run of each, the runs' lengths)."""
        device = self.group.device
        sizes = [len(run) for run in runs]
        tokens = torch.from_numpy(np.concatenate([np.asarray(run, np.int64) for run in runs])).to(device)
        run = torch.repeat_interleave(torch.arange(len(runs), device=device), torch.tensor(sizes, device=device))
        return self.group[tokens], run, sizes


def before(marks: Tensor) -> Tensor:
    """[tokens, |B|]: of the 64 rows before each, the sum of FADE**(distance - 1) times the row."""
    summed = pad(marks, (0, 0, 1, 0))[:-1]
    reach = 1
    while reach < min(64, len(marks)):  # doubles what is summed
        summed = summed + FADE**reach * pad(summed, (0, 0, reach, 0))[:-reach]
        reach *= 2
    return summed


def lifted(logits: Tensor, characters: Sequence[int]) -> Tensor:
    """The logarithms of each passage's lift and, last, of P(nothing), up to a constant (models/pointing.py)."""
    size = torch.tensor(characters, dtype=torch.float32, device=logits.device) + SHORTEST
    return torch.cat([logits[:, :-1] - torch.log(size / size.sum()), logits[:, -1:]], 1)
