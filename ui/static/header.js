// The line at the top: name, model and window, language, colours, settings, help; and the frame of the three panes.
"use strict";
(() => {
  const { define, on, emit, t, number, h, icon, button, menu, kept, strings } = unabridged;

  const fold = (side, folded) => {
    document.body.classList.toggle(`ub-no-${side}`, folded);
    kept.set(`no_${side}`, folded);
  };
  const isFolded = (side) => document.body.classList.contains(`ub-no-${side}`);
  const narrow = () => innerWidth < 1000;

  const setTheme = (theme) => {
    const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.body.classList.toggle("dark", dark);
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  };

  // A bar between two panes: dragged, or moved with the arrow keys; its place is remembered.
  const splitter = (side) => {
    const property = `--${side}-width`, limits = side === "left" ? [200, 480] : [300, 1100];
    const apply = (width) => {
      const chosen = Math.max(limits[0], Math.min(limits[1], innerWidth * 0.6, width));
      document.documentElement.style.setProperty(property, `${chosen}px`);
      bar.setAttribute("aria-valuenow", Math.round(chosen));
      return chosen;
    };
    const width = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue(property));
    const bar = h("div", { class: `ub-splitter ub-splitter-${side}`, role: "separator", tabindex: "0", "aria-orientation": "vertical",
      "aria-label": t(side === "left" ? "resize_left" : "resize_right"), "aria-valuemin": limits[0], "aria-valuemax": limits[1] });
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      bar.onpointermove = (move) => apply(side === "left" ? move.clientX : innerWidth - move.clientX);
      bar.onpointerup = () => { bar.onpointermove = null; kept.set(`${side}_width`, width()); };
    });
    bar.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
      if (!by) return;
      event.preventDefault();
      kept.set(`${side}_width`, apply(width() + (side === "left" ? by : -by)));
    });
    const kept_width = kept.get(`${side}_width`, null);
    if (kept_width) apply(kept_width);
    return bar;
  };

  define("header", (root, call) => {
    const theme = kept.get("theme", null);
    const model = h("button", { type: "button", class: "ub-model", title: t("model_hint"), onclick: () => emit("settings") }, "…");
    const speak = (language) => {
      document.cookie = `unabridged_language=${language}; path=/; max-age=31536000; samesite=strict`;
      location.href = `/${language}/${location.hash}`;
    };
    const languageButton = button("language", t("switch_language"), () => speak(strings.other));
    const themeButton = button("moon", t("theme"), () => menu(themeButton, [["auto", "page"], ["light", "sun"], ["dark", "moon"]].map(([name, picture]) => ({
      icon: picture, label: t(`theme_${name}`), run: () => { kept.set("theme", name); setTheme(name); },
    }))));
    root.append(
      button("panel_left", t("fold_library"), () => toggle("left")),
      h("h1", { class: "ub-name" }, "Unabridged"), model, h("span", { class: "ub-lost-note", role: "status" }, icon("warning"), t("connection_lost")), h("span", { class: "ub-spacer" }),
      languageButton, themeButton, button("people", t("character_gallery"), () => emit("characters")), button("bookmark", t("memories"), () => emit("memories")), button("gear", t("settings"), () => emit("settings")), button("help", t("keys"), () => emit("help")),
      button("panel_right", t("fold_source"), () => toggle("right")));
    document.body.append(splitter("left"), splitter("right"));
    setTheme(theme || "auto");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(kept.get("theme", "auto")));

    const toggle = (side) => {
      fold(side, !isFolded(side));
      if (narrow() && !isFolded(side)) fold(side === "left" ? "right" : "left", true);
    };
    on("fold", (side) => fold(side, true));
    on("unfold", (side) => {
      if (!isFolded(side)) return;
      fold(side, false);
      if (side === "right" && innerWidth < 1280) fold("left", true);
      if (side === "left" && narrow()) fold("right", true);
    });
    fold("left", kept.get("no_left", narrow()));
    fold("right", kept.get("no_right", true));
    document.body.classList.add("ub-ready");

    const showModel = async () => {
      const shown = await call("model", {}, { quiet: true });
      unabridged.modelWrites = shown.writes;  // the starter does not: no title, no summary, no memory of its own words
      model.replaceChildren(h("strong", {}, shown.name), h("span", {}, shown.note));
      if (!theme && shown.theme !== "auto") setTheme(shown.theme);
      return shown;
    };
    const applySettings = async () => {
      const shown = await showModel();
      kept.set("theme", shown.theme);
      setTheme(shown.theme);
      if (shown.language === strings.other) speak(shown.language);
    };
    on("meter", ({ window }) => {
      model.querySelector(".ub-window")?.remove();
      model.append(h("span", { class: "ub-window" }, t("window_of", { tokens: number(window) })));
    });
    on("ready", showModel);
    on("settings-saved", applySettings);
    on("back", showModel);
  });
})();
