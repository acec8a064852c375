"""Whatever is asked, edited, asked again, stopped, forgotten, deleted, or cut off by a crash: the tree is what it should be."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from unabridged.answers import Answer, Seconds
from unabridged.conversations import Conversations
from unabridged.history import turns_read
from unabridged.receipts import Receipt
from unabridged.store import Store

WORDS = st.text(alphabet="上诉期限 ab\"'%*", min_size=1, max_size=12)


class Trees(RuleBasedStateMachine):
    """Beside the database stands a plain dictionary of turns: {id: {parent, question, answer, state, …}}."""

    turns = Bundle("turns")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.environ["UNABRIDGED_HOME"]) / f"trees-{id(self)}"
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        self.plain: dict[str, dict[str, Any]] = {}
        self.lives = 0
        self.open()
        self.conversation = self.conversations.start([("d", "lease.pdf")], title="Talk").id

    def open(self) -> None:
        self.lives += 1
        self.store = Store(self.folder / "library.db")
        self.conversations = Conversations(self.store, owner=f"life {self.lives}")
        self.conversations.leave_orphans(lambda owner: owner == f"life {self.lives}")

    def teardown(self) -> None:
        self.conversations.close()
        self.store.close()

    @rule(target=turns, question=WORDS)
    def ask(self, question: str) -> str:
        return self.begin(question, None, follows=False)

    @rule(target=turns, before=turns, question=WORDS, follows=st.booleans())
    def follow_up_or_branch(self, before: str, question: str, follows: bool) -> str:
        return self.begin(question, before if before in self.plain else None, follows=follows and before in self.plain)

    def begin(self, question: str, parent: str | None, *, follows: bool) -> str:
        made = self.conversations.begin(
            self.conversation, question, parent_id=parent, follows=follows, model="m", fingerprint="f"
        )
        self.plain[made] = {
            "parent": parent, "question": question, "answer": "", "state": "answering", "follows": follows, "forgotten": False,
        }  # fmt: skip
        return made

    @rule(turn=turns, words=WORDS)
    def stream(self, turn: str, words: str) -> None:
        if self.state(turn) == "answering":
            self.conversations.extend(turn, words)
            self.plain[turn]["answer"] += words

    @rule(turn=turns, words=WORDS)
    def finish(self, turn: str, words: str) -> None:
        if self.state(turn) == "answering":
            self.conversations.finish(turn, Answer(words, (), Receipt((), 0, 0, 0, 0, 0), Seconds(0, 0, 0, 0), "m"))
            self.plain[turn] |= {"answer": words, "state": "finished"}

    @rule(turn=turns, failed=st.booleans())
    def leave(self, turn: str, failed: bool) -> None:
        self.conversations.leave(turn, failed=failed)
        if self.state(turn) == "answering":
            self.plain[turn]["state"] = "failed" if failed else "stopped"

    @rule(turn=turns, forgotten=st.booleans())
    def forget(self, turn: str, forgotten: bool) -> None:
        if turn in self.plain:
            self.conversations.forget_turn(turn, forgotten=forgotten)
            self.plain[turn]["forgotten"] = forgotten

    @rule(turn=turns)
    def delete(self, turn: str) -> None:
        self.conversations.delete_turn(turn)
        gone = {turn}
        while more := {key for key, value in self.plain.items() if value["parent"] in gone} - gone:
            gone |= more
        for key in gone:
            self.plain.pop(key, None)

    @rule()
    def crash(self) -> None:
        """The program is gone without a word; the next one finds what was said."""
        self.conversations.close()
        self.store.close()
        for turn in self.plain.values():
            if turn["state"] == "answering":
                turn["state"] = "stopped"
        self.open()

    @rule(words=st.sampled_from(["上诉", "诉", "期限", "ab", "a"]))
    def search(self, words: str) -> None:
        found = {hit.turn_id for hit in self.conversations.search(words)} - {None}
        for key, turn in self.plain.items():
            whole = f"{turn['question']}\n{turn['answer'] if turn['state'] != 'answering' else ''}"
            if words in ("上诉", "诉", "期限") and words in whole:
                assert key in found
            letters = re.sub(r"\W", "", f"{turn['question']}\n{turn['answer']}")  # the index knows no punctuation
            assert key not in found or words in letters
        assert found <= set(self.plain)

    @invariant()
    def the_tree_is_the_plain_one(self) -> None:
        kept = {turn.id: turn for turn in self.conversations.turns(self.conversation)}
        assert set(kept) == set(self.plain)
        for key, turn in self.plain.items():
            seen = kept[key]
            assert (seen.parent_id, seen.question, seen.answer, seen.state) == (
                turn["parent"], turn["question"], turn["answer"], turn["state"],
            )  # fmt: skip
            path = self.conversations.path(key)
            assert path[0].parent_id is None
            assert path[-1].id == key
            assert [turn.id for turn in turns_read(path)] == self.read(key)

    def read(self, key: str) -> list[str]:
        """What the model reads before a follow-up of this turn, said as plainly as can be."""
        ids: list[str] = []
        at: str | None = key
        while at is not None:
            ids.append(at)
            at = self.plain[at]["parent"] if self.plain[at]["follows"] else None
        return [turn for turn in ids[::-1] if not self.plain[turn]["forgotten"]]

    def state(self, turn: str) -> str:
        return str(self.plain.get(turn, {}).get("state", "gone"))


TestTrees = Trees.TestCase
TestTrees.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


def test_what_was_streamed_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    """A real process, killed with no time to say anything, after any of its words."""
    program = (
        "import sys; from pathlib import Path; from unabridged.store import Store\n"
        "from unabridged.conversations import Conversations\n"
        "said = Conversations(Store(Path(sys.argv[1])), owner='killed')\n"
        "talk = said.start([], title='t')\n"
        "turn = said.begin(talk.id, 'q', parent_id=None, follows=False, model='m', fingerprint='f')\n"
        "for n in range(10_000):\n"
        "    said.extend(turn, f'w{n} ')\n"
        "    print(n, flush=True)\n"
    )
    path = tmp_path / "library.db"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = next(int(line) for line in process.stdout if int(line) >= 40)
        process.send_signal(signal.SIGKILL)
    with contextlib.closing(Store(path)) as store, contextlib.closing(Conversations(store, owner="next")) as said:
        said.leave_orphans(lambda owner: owner == "next")
        (turn,) = said.turns(said.list()[0].id)
        assert turn.state == "stopped"
        words = turn.answer.split()
        assert words == [f"w{n}" for n in range(len(words))]
        assert len(words) > last
