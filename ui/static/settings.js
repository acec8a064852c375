// Opens and closes the settings, which are Gradio's own components; tells the others when they were saved.
"use strict";
(() => {
  const { define, on, emit, t } = unabridged;
  define("settings", (root) => {
    const sheet = document.getElementById("ub-settings-sheet");
    const form = document.getElementById("ub-settings-form");
    for (const [name, value] of [["role", "region"], ["aria-label", t("settings")]]) form.setAttribute(name, value);
    const close = () => { document.body.classList.remove("ub-settings-open"); };
    on("settings", () => { document.body.classList.add("ub-settings-open"); document.getElementById("ub-settings-save")?.focus({ preventScroll: true }); });
    on("escape", close);
    on("settings-close", close);
    on("model-chosen", () => document.getElementById("ub-settings-refill")?.click());
    unabridged.settingsSaved = () => { emit("settings-saved"); };
    sheet.addEventListener("pointerdown", (event) => { if (event.target === sheet) close(); });
    root.hidden = true;
  });
})();
