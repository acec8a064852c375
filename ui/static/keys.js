// Keys: Ctrl+Enter or Enter sends, Esc stops, / goes to the question, ? shows them all.
"use strict";
(() => {
  const { on, emit, t, h, dialog } = unabridged;
  const KEYS = [["Enter", "send"], ["Shift+Enter", "new_line"], ["Ctrl+Enter", "send"], ["Esc", "stop"], ["/", "focus_question"], ["Ctrl+F", "find_here"],
    ["Ctrl+K", "search"], ["n · p", "next_previous_citation"], ["[ · ]", "fold_panes"], ["?", "keys"]];
  const help = () => dialog(t("keys"), h("table", { class: "ub-facts ub-keys" }, h("tbody", {}, KEYS.map(([key, meaning]) => h("tr", {}, h("th", {}, h("kbd", {}, key)), h("td", {}, t(meaning)))))));
  on("help", help);
  const typing = (element) => element.matches?.("input,textarea,select,[contenteditable]");
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    const sourceOpen = !document.body.classList.contains("ub-no-right");
    let act = null;
    if (event.key === "Escape") {
      if (document.body.classList.contains("ub-settings-open")) act = "escape";
      else if (typing(event.target) && event.target.id !== "ub-question") { event.target.blur(); return; } else act = "stop";
    } else if (control && event.key === "k") act = "search";
    else if (control && event.key === "f" && sourceOpen) act = "find";
    else if (control || event.altKey || typing(event.target)) return;
    else act = { "/": "focus-question", "?": "help", n: "next", p: "previous", "[": "left", "]": "right" }[event.key];
    if (!act) return;
    event.preventDefault();
    if (act === "next") emit("step-citation", 1);
    else if (act === "previous") emit("step-citation", -1);
    else if (act === "left" || act === "right") emit(document.body.classList.contains(`ub-no-${act}`) ? "unfold" : "fold", act);
    else emit(act);
  });
})();
