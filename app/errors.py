"""Every error that a user can meet: one sentence and one hint. Imports nothing of ours, so everyone may import it.

UnabridgedError
├── UsageError                   2  the request itself is wrong
│   └── QueryRefused                a search query would carry the words of a document outside
├── DocumentError                3  the file could not be read
│   ├── DocumentMissing             no such file, or not a file
│   ├── DocumentEmpty               nothing to read in it
│   ├── DocumentEncrypted           wants a password
│   ├── DocumentDamaged             not what its format promises
│   ├── DocumentUnsupported         a format no reader takes
│   └── DocumentTooCostly           hit the reader's limit of time, memory or size
├── DoesNotFit                   4  more tokens than the window holds; nothing was sent
└── Failure                      5  the program could not do its work
    ├── ModelFileError              the weights cannot be loaded
    ├── EngineFailed                the engine refused, crashed or stopped answering
    ├── HomeError                   the home folder cannot be used (rights, space)
    └── WebFailed                   a search or a page on the web failed or was refused

The number is the exit status of the command line.
"""

from collections.abc import Sequence


class UnabridgedError(Exception):
    """What went wrong, in one sentence, and what to do, in another."""

    exit_status = 5

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(UnabridgedError):
    exit_status = 2


class QueryRefused(UsageError):
    pass


class DocumentError(UnabridgedError):
    exit_status = 3


class DocumentMissing(DocumentError):
    pass


class DocumentEmpty(DocumentError):
    pass


class DocumentEncrypted(DocumentError):
    pass


class DocumentDamaged(DocumentError):
    pass


class DocumentUnsupported(DocumentError):
    pass


class DocumentTooCostly(DocumentError):
    pass


class DoesNotFit(UnabridgedError):
    """Refused before anything was sent to the model. `choices` are the ways to make it fit, best first."""

    exit_status = 4

    def __init__(self, *, needed_tokens: int, window_tokens: int, choices: Sequence[str], what: str = "") -> None:
        what = what or f"The reading needs {needed_tokens:,} tokens and the window holds {window_tokens:,}"
        super().__init__(f"{what}; nothing was read or cut.", hint="; or ".join(choices))
        self.needed_tokens = needed_tokens
        self.window_tokens = window_tokens
        self.choices = tuple(choices)


class Failure(UnabridgedError):
    pass


class ModelFileError(Failure):
    pass


class EngineFailed(Failure):
    pass


class HomeError(Failure):
    pass


class WebFailed(Failure):
    pass
