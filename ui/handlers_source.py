"""What the source pane asks for. Keeps the last few documents at hand: a pane asks much of one."""

import threading
from collections import OrderedDict
from typing import Any

from unabridged.ingest.document import Document
from unabridged.ingest.rendering import is_paged
from unabridged.ui import source_view
from unabridged.ui.page_images import PageImages
from unabridged.workspace import Workspace

Data = dict[str, Any]

DOCUMENTS_AT_HAND = 4


class SourceHandlers:
    def __init__(self, workspace: Workspace, images: PageImages) -> None:
        self._workspace = workspace
        self._images = images
        self._at_hand: OrderedDict[str, Document] = OrderedDict()
        self._seen: dict[str, tuple[str, str]] = {}  # document → its name and when it was read
        self._lock = threading.Lock()

    def open_source(self, data: Data) -> Data:
        self._forget_if_changed(str(data["document"]))
        document = self._document(data)
        if is_paged(document):
            self._images.prepare(self._workspace.library.original(document.id))
        return source_view.manifest(document, language=data["language"])

    def unlock_pages(self, data: Data) -> Data:
        """Draw the sheets with this password from now on; a wrong one shows when a sheet is drawn."""
        self._images.unlock(self._workspace.library.original(str(data["document"])), str(data["password"]))
        return {}

    def section(self, data: Data) -> list[Data]:
        return source_view.section(self._document(data), start=int(data["start"]), end=int(data["end"]))

    def lines(self, data: Data) -> list[Data]:
        return source_view.page_lines(self._document(data), int(data["page"]))

    def boxes(self, data: Data) -> list[Data]:
        return source_view.boxes(self._document(data), start=int(data["start"]), end=int(data["end"]))

    def find_in(self, data: Data) -> Data:
        return source_view.find(self._document(data), str(data["words"]))

    def _forget_if_changed(self, document_id: str) -> None:
        """It may have been renamed or read anew: then it is fetched again, which takes its time for a long one."""
        entry = self._workspace.library.resolve(document_id)
        with self._lock:
            if self._seen.get(document_id) != (entry.name, entry.added_at):
                self._at_hand.pop(document_id, None)
                self._seen[document_id] = (entry.name, entry.added_at)

    def _document(self, data: Data) -> Document:
        document_id = str(data["document"])
        with self._lock:
            document = self._at_hand.get(document_id)
            if document is None:
                document = self._at_hand[document_id] = self._workspace.library.document(document_id)
            self._at_hand.move_to_end(document_id)
            while len(self._at_hand) > DOCUMENTS_AT_HAND:
                self._at_hand.popitem(last=False)
        return document
