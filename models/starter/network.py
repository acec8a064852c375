"""The starter in torch: the same arithmetic as llama.cpp's, differentiable, many questions on one document at a time.

What trains is what the words mean: T, B and rarity of every word group (see circuit.py). The layers stay as they were built,
so that what holds at 2,000 tokens holds at 100,000. From the full layer on only the questions' tokens are computed: in this
circuit nobody reads what a passage's own tokens collect there.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from unabridged.models.starter import circuit
from unabridged.models.starter.circuit import HEAD, HEADS, RARITY, WIDTH, B, T


class Network(nn.Module):
    def __init__(self, vocabulary: circuit.Vocabulary, *, seed: int = 0) -> None:
        super().__init__()
        made = circuit.weights(vocabulary, seed=seed)
        embeddings = made.pop("token_embd.weight")
        groups = int(vocabulary.group.max()) + 1
        first = np.zeros(groups, np.int64)
        first[vocabulary.group] = np.arange(vocabulary.words)
        self.words, self.first = vocabulary.words, vocabulary.words
        self.doc, self.user, self.assistant = vocabulary.doc, vocabulary.user, vocabulary.assistant
        self.register_buffer("group", torch.from_numpy(vocabulary.group))
        self.register_buffer("base", torch.from_numpy(embeddings))
        self.same = nn.Parameter(torch.from_numpy(embeddings[first, T].copy()))
        self.near = nn.Parameter(torch.from_numpy(embeddings[first, B].copy()))
        self.rarity = nn.Parameter(torch.from_numpy(embeddings[first, RARITY].copy()))
        for name, value in made.items():
            if "attn" in name and value.ndim == 2:
                self.register_buffer(name.replace(".", "_"), torch.from_numpy(value))
        positions = torch.arange(0, HEAD, 2, dtype=torch.float64)
        self.register_buffer("turns", circuit.ROPE_BASE ** (-positions / HEAD))

    def embeddings(self) -> Tensor:
        """[words + NUMBERS, WIDTH], what the GGUF's token_embd holds."""
        table = self.base.clone()
        table[: self.words, T] = self.same[self.group]
        table[: self.words, B] = self.near[self.group]
        table[: self.words, RARITY] = self.rarity[self.group]
        return table

    def embed(self, tokens: Tensor) -> Tensor:
        """As `embeddings()[tokens]`, without building the whole table."""
        rows = self.base[tokens]
        word = tokens < self.words
        group = self.group[tokens.clamp(max=self.words - 1)]
        changed = rows.clone()
        changed[:, T] = torch.where(word[:, None], self.same[group], rows[:, T])
        changed[:, B] = torch.where(word[:, None], self.near[group], rows[:, B])
        changed[:, RARITY] = torch.where(word, self.rarity[group], rows[:, RARITY])
        return changed

    def forward(
        self, passages: Sequence[Sequence[int]], questions: Sequence[Sequence[int]], *, sharpness: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """(logits, looked), each question as if asked alone.

        Logits [questions, passages + 1] are those of the numbers and of `doc` (nothing fits). `looked` [questions, passages] is
        the share of the full layer's attention that a question's words, weighted as the last layer weighs them, give to each
        passage. `sharpness` scales the full layer's logits.
        """
        prompt = [self.doc]
        for index, passage in enumerate(passages):
            prompt += [self.first + index, *passage]
        asked = [[self.user, *question, self.assistant] for question in questions]
        tokens = torch.tensor([*prompt, *(t for a in asked for t in a)], device=self.base.device)
        places = [*range(len(prompt)), *(len(prompt) + i for a in asked for i in range(len(a)))]
        position = torch.tensor(places, device=tokens.device)
        owner = torch.tensor([*([-1] * len(prompt)), *(n for n, a in enumerate(asked) for _ in a)], device=tokens.device)
        x = self.embed(tokens)
        every = torch.arange(len(tokens), device=tokens.device)
        question = every[len(prompt) :]
        x = x + self._attend(0, x, x, position, owner, every)
        added, shares = self._match(x[question], x[: len(prompt)], sharpness)
        x = torch.cat([x[: len(prompt)], x[question] + added])
        sizes = [len(a) for a in asked]
        ends = torch.tensor([len(prompt) + end - 1 for end in np.cumsum(sizes)], device=tokens.device)
        last = x[ends] + self._attend(2, x[ends], x, position, owner, ends)
        codes = torch.cat([self.base[self.first : self.first + len(passages)], self.base[self.doc][None]])
        logits = functional.layer_norm(last, (WIDTH,), eps=1e-5) @ codes.T * circuit.LOGIT_SCALE
        return logits, self._looked(shares, tokens[question], sizes, [len(passage) + 1 for passage in passages])

    def _match(self, asking: Tensor, read: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
        """(what the full layer adds to each token of the questions, its attention [heads, asking, read]).

        In this circuit the tokens of a question do not look at each other there: a flag forbids it.
        """
        asking, read = (functional.layer_norm(x, (WIDTH,), eps=1e-5) for x in (asking, read))
        q = (asking @ self.blk_1_attn_q_weight.T).view(-1, HEADS, HEAD).transpose(0, 1)
        k, v = (
            (read @ matrix.T).view(-1, HEADS, HEAD).transpose(0, 1)
            for matrix in (self.blk_1_attn_k_weight, self.blk_1_attn_v_weight)
        )
        shares = torch.softmax((q @ k.transpose(1, 2)).float() * (sharpness / HEAD**0.5), -1)
        out = (shares.to(v.dtype) @ v).transpose(0, 1).reshape(len(asking), HEADS * HEAD)
        return out @ self.blk_1_attn_output_weight.T, shares

    def _looked(self, shares: Tensor, asking: Tensor, sizes: Sequence[int], passages: Sequence[int]) -> Tensor:
        """`shares` added up over a passage's tokens, and over a question's: [questions, passages]."""
        device = shares.device
        passage = torch.repeat_interleave(torch.arange(len(passages), device=device), torch.tensor(passages, device=device))
        question = torch.repeat_interleave(torch.arange(len(sizes), device=device), torch.tensor(sizes, device=device))
        weight = torch.exp(circuit.RARITY_WEIGHT * self.embed(asking)[:, RARITY].float()) * (asking < self.words)
        by_passage = torch.zeros(len(asking), len(passages), device=device)
        by_passage = by_passage.index_add(1, passage, shares.mean(0)[:, 1:]) * weight[:, None]  # all but `doc`
        by_question = torch.zeros(len(sizes), len(passages), device=device).index_add(0, question, by_passage)
        total = torch.zeros(len(sizes), device=device).index_add(0, question, weight)
        return by_question / total.clamp(min=1e-6)[:, None]

    def _attend(self, layer: int, asking: Tensor, all_: Tensor, position: Tensor, owner: Tensor, rows: Tensor) -> Tensor:
        """What a sliding layer adds to the tokens in `rows`; a question sees the document and itself."""
        w = {part: getattr(self, f"blk_{layer}_attn_{part}_weight") for part in ("q", "k", "v", "output")}
        asking, all_ = (functional.layer_norm(x, (WIDTH,), eps=1e-5) for x in (asking, all_))
        q = self._rotate((asking @ w["q"].T).view(-1, HEADS, HEAD), position[rows])
        k, v = ((all_ @ w[part].T).view(-1, HEADS, HEAD) for part in "kv")
        k = self._rotate(k, position)
        distance = position[rows][:, None] - position
        seen = (distance >= 0) & (distance < circuit.WINDOW) & ((owner == -1) | (owner == owner[rows][:, None]))
        q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return out[0].transpose(0, 1).reshape(len(rows), HEADS * HEAD) @ w["output"].T

    def _rotate(self, x: Tensor, position: Tensor) -> Tensor:
        angle = (position[:, None] * self.turns).unsqueeze(1)
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        even, odd = x[..., ::2], x[..., 1::2]
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)

    def exported(self) -> dict[str, NDArray[np.float32]]:
        """Tensors by GGUF name, as `circuit.weights` gives them."""
        vocabulary = circuit.Vocabulary(
            group=self.group.cpu().numpy(),
            rarity=np.zeros(self.words, np.float32),
            doc=self.doc,
            user=self.user,
            assistant=self.assistant,
        )
        made = circuit.weights(vocabulary)
        made["token_embd.weight"] = self.embeddings().detach().float().cpu().numpy()
        return made
