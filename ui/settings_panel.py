"""The settings as Gradio components: a form that is filled when the page opens and saved by one button."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr
from unabridged.settings import KV_TYPES, THEMES
from unabridged.ui.handlers_settings import Outcome, SettingsHandlers
from unabridged.ui.strings import LANGUAGES

NUMBERS = ("window", "temperature", "answer_tokens", "segments_quota_gib")


def settings_panel(
    handlers: SettingsHandlers, words: Mapping[str, str], *, language: str, page: gr.Blocks
) -> tuple[gr.Column, gr.Column]:
    """Draws the form into the current place of `page` and wires it. Returns the places in it for models that can be fetched,
    and for the web."""

    def labelled(name: str) -> dict[str, Any]:
        return {"label": words[f"setting_{name}"], "info": words[f"setting_{name}_help"]}

    with gr.Column(elem_id="ub-settings-sheet"), gr.Column(elem_id="ub-settings-form"):
        gr.Markdown(f"## {words['settings']}")
        model = gr.Dropdown([], **labelled("model"), allow_custom_value=False)
        with gr.Row():
            path = gr.Textbox(**labelled("path"), scale=3, max_lines=1)
            use = gr.Button(words["setting_use_path"], scale=1, elem_classes="ub-beside")
        catalogue = gr.Column()
        with gr.Row():
            fits = gr.Textbox(**labelled("fits"), interactive=False, scale=3)
            ask_fits = gr.Button(words["what_fits"], scale=1, elem_classes="ub-beside")
        with gr.Row():
            window = gr.Number(**labelled("window"), precision=0, minimum=0)
            kv_type = gr.Dropdown(list(KV_TYPES), **labelled("kv_type"))
        with gr.Row():
            temperature = gr.Slider(0, 2, step=0.05, **labelled("temperature"))
            answer_tokens = gr.Number(**labelled("answer_tokens"), precision=0)
        with gr.Row():
            spoken = gr.Dropdown(["auto", *LANGUAGES], **labelled("language"))
            theme = gr.Dropdown(list(THEMES), **labelled("theme"))
        with gr.Row():
            quota = gr.Number(**labelled("quota"), minimum=0)
            gr.Textbox(str(handlers.home), **labelled("home"), interactive=False, max_lines=1)
        with gr.Row():
            kept = gr.Textbox(**labelled("kept"), interactive=False, scale=3, max_lines=1)
            clear = gr.Button(words["clear_readings"], scale=1, elem_classes="ub-beside")
        outside = gr.Column()
        told = gr.Textbox(show_label=False, interactive=False, elem_id="ub-settings-told", visible=False, container=False)
        with gr.Row():
            close = gr.Button(words["close"])
            save = gr.Button(words["save"], variant="primary", elem_id="ub-settings-save")

    fields = {
        "window": window,
        "kv_type": kv_type,
        "temperature": temperature,
        "answer_tokens": answer_tokens,
        "language": spoken,
        "theme": theme,
        "segments_quota_gib": quota,
    }

    def fill() -> list[Any]:
        chosen = gr.Dropdown(choices=handlers.model_choices(), value=handlers.chosen_model())
        values = [getattr(handlers.settings, name) for name in fields]
        return [chosen, *values, handlers.readings(language=language), gr.Textbox(visible=False)]

    def tell(outcome: Outcome) -> list[Any]:
        values = fill()
        values[-1] = gr.Textbox(value=outcome.message, visible=True)
        return values if outcome.saved else [gr.skip()] * (len(values) - 1) + [values[-1]]

    def save_all(model_: str, *values: str | float) -> list[Any]:
        return tell(handlers.save(language=language, model=model_, changes=dict(zip(fields, values, strict=True))))

    def take_path(path_: str) -> list[Any]:
        return tell(handlers.use_path(path_, language=language))

    def clear_readings() -> list[Any]:
        return tell(handlers.clear_readings(language=language))

    everything = [model, *fields.values(), kept, told]
    quietly: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    page.load(fill, outputs=everything, **quietly)
    refill = gr.Button(visible="hidden", elem_id="ub-settings-refill")  # pressed when a model was chosen in the catalogue
    refill.click(fill, outputs=everything, **quietly)
    saved = save.click(save_all, inputs=[model, *fields.values()], outputs=everything, **quietly)
    saved.then(js="() => unabridged.settingsSaved()")
    use.click(take_path, inputs=[path], outputs=everything, **quietly).then(js="() => unabridged.settingsSaved()")
    clear.click(clear_readings, outputs=everything, **quietly).then(js="() => unabridged.settingsSaved()")
    ask_fits.click(partial(handlers.plan, language=language), inputs=[model, kv_type], outputs=[fits], **quietly)
    close.click(js="() => unabridged.emit('settings-close')")
    return catalogue, outside
