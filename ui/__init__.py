"""The app in the browser: the only place that knows Gradio."""
