"""All that the page can ask for, in one value."""

from dataclasses import dataclass

from unabridged.ui.handlers_characters import CharacterHandlers
from unabridged.ui.handlers_chat import ChatHandlers
from unabridged.ui.handlers_keeping import KeepingHandlers
from unabridged.ui.handlers_library import LibraryHandlers
from unabridged.ui.handlers_memories import MemoryHandlers
from unabridged.ui.handlers_models import ModelHandlers
from unabridged.ui.handlers_scenes import SceneHandlers
from unabridged.ui.handlers_settings import SettingsHandlers
from unabridged.ui.handlers_source import SourceHandlers
from unabridged.ui.handlers_web import WebHandlers


@dataclass(frozen=True, slots=True)
class Handlers:
    library: LibraryHandlers
    chat: ChatHandlers
    source: SourceHandlers
    settings: SettingsHandlers
    models: ModelHandlers
    keeping: KeepingHandlers
    memories: MemoryHandlers
    web: WebHandlers
    characters: CharacterHandlers
    scenes: SceneHandlers
