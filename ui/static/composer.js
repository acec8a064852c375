// Where a question is written: attach, web switch, independent or follow-up, send and stop.
"use strict";
(() => {
  const { on, emit, t, h, icon, button, menu, kept } = unabridged;

  unabridged.composer = ({ send, stop }) => {
    let running = false;
    const field = h("textarea", { id: "ub-question", rows: "1", placeholder: t("ask_here"), "aria-label": t("ask_here") });
    const attach = button("attach", t("attach"), () => menu(attach, [
      { icon: "page", label: t("add_files"), run: () => emit("add-files") },
      { icon: "book", label: t("add_folder"), run: () => emit("add-folder") },
      { icon: "text", label: t("paste_text"), run: () => emit("paste-text") },
    ]));
    const web = unabridged.webSwitch();
    const follow = h("button", { type: "button", role: "switch", class: "ub-follow", onclick: () => setFollow(!kept.get("follow", false)) });
    const setFollow = (on_) => {
      kept.set("follow", on_);
      emit("follow", on_);
      follow.setAttribute("aria-checked", String(on_));
      follow.title = t(on_ ? "follow_up_hint" : "independent_hint");
      follow.replaceChildren(h("span", { class: "ub-switch" }), t("follow_up"));
    };
    setFollow(kept.get("follow", false));
    const sendButton = h("button", { type: "button", class: "ub-send", onclick: () => (running ? stop() : submit()) });
    const root = h("div", { class: "ub-composer" }, unabridged.incognitoSign(), h("div", { class: "ub-about", hidden: true }), field,
      h("div", { class: "ub-composer-bar" }, attach, web, follow, h("span", { class: "ub-spacer" }), h("span", { class: "ub-muted ub-keys-hint" }, t("send_keys")), sendButton));
    field.value = sessionStorage.getItem("unabridged.draft") || "";  // a reload loses no words
    const grow = () => { sessionStorage.setItem("unabridged.draft", field.value); field.style.height = "auto"; field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight * 0.4)}px`; draw(); };
    const draw = () => {
      sendButton.replaceChildren(icon(running ? "stop" : "send"));
      sendButton.setAttribute("aria-label", running ? t("stop") : t("send"));
      sendButton.title = running ? t("stop") : t("send");
      sendButton.disabled = !running && !field.value.trim();
    };
    const submit = () => {
      const question = field.value.trim();
      if (!question || running) return;
      send(question, kept.get("follow", false));
    };
    field.addEventListener("input", grow);
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
      if (event.ctrlKey || event.metaKey || !event.altKey) { event.preventDefault(); submit(); }
    });
    on("focus-question", () => field.focus());
    on("ask-about", ({ words }) => {
      field.value = `${words.split("\n").map((line) => `> ${line}`).join("\n")}\n\n${field.value}`;
      grow();
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    });
    setTimeout(grow);
    return {
      root, field,
      setRunning: (on_) => { if (running !== on_) { running = on_; draw(); } },
      fill: (text) => { field.value = text; grow(); },
    };
  };
})();
