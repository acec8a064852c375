"""Colours of Gradio's own components. Type comes from static/unabridged.css: system fonts, so that nothing is fetched."""

import gradio as gr
from gradio.themes.utils.fonts import Font


def theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=[Font("sans-serif")],
        font_mono=[Font("monospace")],
    )
