"""A long scene with an active lorebook: tokens evaluated for each turn, our way and by rendering the prompt for every turn.

    python tests/benchmarks/roleplay.py [--turns 100] [--model FILE.gguf] [--entries 40] [--window TOKENS] [--threads N]

Both ways use the same engine, which keeps whatever a prompt shares with the one before from its beginning on. The usual way
puts the entries of the moment behind the sheet and the author's note four messages before the end: both move with every turn.
Without --model a tiny random chat model is written: its words are nonsense, its counts are real.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from unabridged.characters.card import new_card
from unabridged.characters.cast import Cast, Player
from unabridged.characters.lore_activation import activate
from unabridged.characters.opening import begin_scene
from unabridged.characters.scene import Scene, Style
from unabridged.characters.sheet import sheet_text
from unabridged.conversations import Conversations
from unabridged.models.engine import Engine, EngineOptions, Sampling
from unabridged.models.engine_process import EngineProcess
from unabridged.store import Store

from tests.unit.models.tiny_models import write_tiny_model

REPLY_TOKENS = 24
NOTE_DEPTH = 4  # messages
LORE_TOKENS = 400
SHOWN = (1, 2, 5, 10, 20, 50, 100)


def cast_with_lore(entries: int) -> Cast:
    """A sheet of some length; every entry is called by a word of its own."""
    sheet = " ".join(f"In year {year} the keeper of the lighthouse wrote down storm number {year * 7}." for year in range(60))
    lore = [
        {
            "keys": [f"place{number}"],
            "content": f"Place {number} lies {number + 3} miles from the lighthouse and has {number * 2} houses.",
            "enabled": True,
            "insertion_order": number,
            "extensions": {},
        }
        for number in range(entries)
    ]
    card = new_card(
        "Ada", description=sheet, first_mes="You are wet.", character_book={"entries": lore, "extensions": {}, "scan_depth": 4}
    )
    return Cast((Player("ada", card),), user="Ben", author_note="Short sentences.", author_note_depth=NOTE_DEPTH, seed="s")


def messages(turns: int, entries: int) -> list[str]:
    lots = random.Random(7)
    return [f"Have you been to place{lots.randrange(entries)} lately?" for _ in range(turns)]


def our_way(engine: Engine, cast: Cast, said: list[str]) -> list[tuple[int, int, float]]:
    """Prompt, evaluated, seconds of each turn."""
    conversations = Conversations(Store(":memory:"))
    conversation_id = conversations.start([], title="scene").id
    parent = begin_scene(conversations, cast, conversation_id=conversation_id)
    style = Style(answer_tokens=REPLY_TOKENS, temperature=0.0, lore_tokens=LORE_TOKENS)
    rows = []
    for message in said:
        scene = Scene(engine, conversations, cast, conversation_id=conversation_id, style=style)
        parent = drained(scene.say(message, parent_id=parent))
        turn = conversations.turn(parent)
        assert turn.receipt is not None
        assert turn.seconds is not None
        rows.append(
            (turn.receipt.prompt_tokens, turn.receipt.evaluated_tokens, turn.seconds.prefill + turn.seconds.first_token)
        )
    conversations.close()
    return rows


def usual_way(engine: Engine, cast: Cast, said: list[str]) -> list[tuple[int, int, float]]:
    sheet = sheet_text(cast)
    frame = engine.frame(sheet)
    start = drained(engine.read(frame.head[:8]))
    history: list[tuple[str, list[int]]] = [("[The scene begins.]", engine.tokenize(["You are wet."])[0].tolist())]
    texts = ["You are wet."]
    rows = []
    for turn, message in enumerate(said):
        lore = activate(
            cast.books,
            [*texts, message],
            seed=f"s:{turn + 1}",
            budget=LORE_TOKENS,
            tokens_of=lambda of: [len(tokens) for tokens in engine.tokenize(of)],
        )
        system = "\n".join([sheet, *(active.text for active in lore.active)])
        frame = engine.frame(system)
        asked = [words for words, _ in history] + [message]
        noted = max(0, len(asked) - NOTE_DEPTH // 2)
        asked[noted] = f"[{cast.author_note}]\n{asked[noted]}"
        pieces = [frame.head]
        for number, words in enumerate(asked):
            pieces += [engine.tokenize([f"\n\n{words}"])[0], frame.answer]
            if number < len(history):
                pieces += [np.array(history[number][1], np.int32), frame.next_question]
        prompt = np.concatenate(pieces)
        assert (prompt[:8] == frame.head[:8]).all()
        began = time.perf_counter()
        first = 0.0
        work = engine.generate(start, prompt[8:], limit=REPLY_TOKENS, sampling=Sampling())
        while True:
            try:
                next(work)
                first = first or time.perf_counter() - began
            except StopIteration as stop:
                generation = stop.value
                break
        history.append((message, list(generation.tokens)))
        texts += [message, generation.text]
        rows.append((len(prompt), generation.evaluated, first))
    return rows


def drained(work: Generator[Any, None, Any]) -> Any:  # noqa: ANN401  whatever it returns
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def main() -> None:
    options = argparse.ArgumentParser(description="Tokens evaluated in a long scene with an active lorebook, in two ways.")
    options.add_argument("--turns", type=int, default=100)
    options.add_argument("--entries", type=int, default=40)
    options.add_argument("--model", type=Path)
    options.add_argument("--window", type=int, default=32768)
    options.add_argument("--threads", type=int, default=0)
    chosen = options.parse_args()
    cast, said = cast_with_lore(chosen.entries), messages(chosen.turns, chosen.entries)
    with tempfile.TemporaryDirectory() as folder:
        model = chosen.model or write_tiny_model(
            Path(folder) / "tiny.gguf", window=65536, layers=1, width=64, heads=2, kv_heads=1
        )
        results = []
        for name, way in (("ours", our_way), ("usual", usual_way)):
            options_of = EngineOptions(Path(folder) / name, window=chosen.window, threads=chosen.threads)
            with EngineProcess(model, options_of) as engine:
                results.append(way(engine, cast, said))
    ours, usual = results
    columns = f"{'prompt':>12} {'evaluated':>10} {'first token':>12}"
    print(f"  turn | {columns} | {columns}\n       | {'ours':>36} | {'rendered for every turn':>36}")
    for turn in [turn for turn in SHOWN if turn <= chosen.turns]:
        print(line(str(turn), ours[turn - 1], usual[turn - 1]))
    print(line("2 on", total(ours[1:]), total(usual[1:])))
    print(f"After the first turn the usual way evaluates {total(usual[1:])[1] / total(ours[1:])[1]:.1f} times as many tokens.")


def total(rows: list[tuple[int, int, float]]) -> tuple[int, int, float]:
    return sum(row[0] for row in rows), sum(row[1] for row in rows), sum(row[2] for row in rows)


def line(name: str, ours: tuple[int, int, float], usual: tuple[int, int, float]) -> str:
    cells = [f"{prompt:>12,} {evaluated:>10,} {seconds:>10.3f} s" for prompt, evaluated, seconds in (ours, usual)]
    return f"{name:>6} | {cells[0]} | {cells[1]}"


if __name__ == "__main__":
    main()
