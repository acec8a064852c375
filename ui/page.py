"""The page: places the panels and gives each the functions that it may call. The one place where they are wired."""

import gradio as gr
from unabridged.ui.handlers import Handlers
from unabridged.ui.panel import panel
from unabridged.ui.settings_panel import settings_panel
from unabridged.ui.strings import texts


def page(handlers: Handlers, *, language: str) -> gr.Blocks:
    """The whole app in one language."""
    library, chat, source, settings = handlers.library, handlers.chat, handlers.source, handlers.settings
    keeping, memories, web = handlers.keeping, handlers.memories, handlers.web
    characters, scenes = handlers.characters, handlers.scenes
    blocks: gr.Blocks
    with gr.Blocks(title="Unabridged", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        panel("header", settings.model, language=language)
        with gr.Row(elem_id="ub-frame"):
            panel(
                "library",
                library.documents,
                library.add_text,
                library.add_sample,
                library.unlock,
                library.rename_document,
                library.remove_document,
                library.document_problems,
                library.document_tokens,
                library.pin_document,
                library.search,
                chat.conversations,
                chat.rename_conversation,
                chat.delete_conversation,
                keeping.archive_conversation,
                chat.stop,
                language=language,
            )
            panel(
                "chat",
                chat.conversation,
                chat.ask,
                chat.read,
                chat.stop,
                chat.delete_turn,
                chat.meter,
                chat.decline_search,
                keeping.forget_turn,
                keeping.read_by_model,
                keeping.title_conversation,
                keeping.summarise,
                scenes.scene,
                scenes.change_scene,
                scenes.greet,
                scenes.say,
                scenes.answer_again,
                scenes.go_on,
                scenes.own_words,
                language=language,
            )
            panel(
                "source",
                source.open_source,
                source.section,
                source.lines,
                source.boxes,
                source.find_in,
                source.unlock_pages,
                language=language,
            )
        models = handlers.models
        offers = (models.catalogue, models.fetch_model, models.stop_fetching, models.choose_model)
        switch = (web.web, web.save_web, web.keep_web_key, web.network_log, web.clear_network_log)
        catalogue, outside = settings_panel(settings, texts(language), language=language, page=blocks)
        with catalogue:
            panel("models", *offers, language=language)
        with outside:
            panel("web", *switch, language=language)
        panel(
            "memories",
            memories.memories,
            memories.add_memory,
            memories.edit_memory,
            memories.switch_memory,
            memories.remove_memory,
            memories.set_memory_budget,
            memories.propose_memory,
            language=language,
        )
        panel(
            "characters",
            characters.characters,
            characters.character,
            characters.save_character,
            characters.remove_character,
            characters.lorebook,
            characters.save_lorebook,
            characters.remove_lorebook,
            characters.ask_character,
            scenes.start_scene,
            memories.add_memory,
            language=language,
        )
        panel("settings", language=language)
    return blocks
