"""What a chat model is asked beside the answers: a title, a summary of what was said, what might be worth remembering.

Each is one short generation after the conversation as it stands in the window; nothing is read again for it, and none is cited.
The starter, which only finds and quotes, refuses with a UsageError.
"""

from unabridged.marks import without_thoughts
from unabridged.memories import Memory, documents_scope
from unabridged.models.engine import Sampling
from unabridged.notes import Note
from unabridged.workspace import Workspace

TITLE_TOKENS = 24
SUMMARY_TOKENS = 700
PROPOSAL_TOKENS = 96

_TITLE = "Give this conversation a title of at most eight words, in its own language. Write only the title."
_SUMMARY = (
    "Summarise this conversation so far for your own later use: what was asked, what was found and in which numbered passages, "
    "what was agreed. Keep names, numbers and dates. Write in the language of the conversation, only the summary."
)
_PROPOSAL = (
    "Did the user say something about themselves or about how they want answers that should still be known in later "
    "conversations? If so, write it as one short sentence. If not, write only: none"
)


def give_title(workspace: Workspace, turn_id: str) -> str:
    """Let the model name the conversation of this turn; returns the title it has then."""
    conversation_id = workspace.conversations.turn(turn_id).conversation_id
    title = _said(workspace, turn_id, _TITLE, limit=TITLE_TOKENS).split("\n")[0].strip(" \t\"'“”「」《》*#.。")
    if title:
        workspace.conversations.rename(conversation_id, title)
    return workspace.conversations.get(conversation_id).title


def summarise(workspace: Workspace, turn_id: str) -> Note:
    """What was said down to this turn, to be shown, edited and taken into a fresh branch; its key says what it stands for."""
    return Note(f"summary:{turn_id}", _said(workspace, turn_id, _SUMMARY, limit=SUMMARY_TOKENS))


def propose_memory(workspace: Workspace, turn_id: str) -> Memory | None:
    """What the model would keep of the conversation down to this turn, for the user to accept; None for nothing."""
    conversation = workspace.conversations.get(workspace.conversations.turn(turn_id).conversation_id)
    said = _said(workspace, turn_id, _PROPOSAL, limit=PROPOSAL_TOKENS).split("\n")[0].strip()
    if not said or said.lower().strip(" .!。") in ("none", "无", "没有"):
        return None
    ids = documents_scope([document_id for document_id, _ in conversation.documents])
    return workspace.memories.add(said, scope="documents", scope_id=ids, state="proposed")


def _said(workspace: Workspace, turn_id: str, request: str, *, limit: int) -> str:
    with workspace.conversation_at_hand(turn_id, request, reply_tokens=limit) as (engine, reading, asked):
        pieces = engine.generate(reading, asked, limit=limit, sampling=Sampling())
        return without_thoughts("".join(piece.text for piece in pieces))
