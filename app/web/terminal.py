"""The switch on a terminal: the query is shown there and can be changed or refused before it leaves."""

import sys

from unabridged.console import Progress
from unabridged.events import SearchProposed
from unabridged.web.answering import Approve


def approving(progress: Progress) -> Approve:
    """Asks the person at the terminal; where there is none, what was confirmed is shown on stderr and sent, the rest is not."""

    def approve(proposal: SearchProposed) -> str | None:
        progress.clear()
        sys.stderr.write(f"\n{proposal.reason}\nSearch the web ({proposal.provider}) for: {proposal.query}\n")
        if not sys.stdin.isatty():
            if not proposal.confirmed:
                sys.stderr.write("Not sent. To send it all the same: --query WORDS\n")
            return proposal.query if proposal.confirmed else None
        sys.stderr.write("Enter sends it, other words are sent instead, - sends nothing: ")
        sys.stderr.flush()
        typed = sys.stdin.readline()
        if typed.strip() == "-" or not typed:
            return None
        return typed.strip() or proposal.query

    return approve
