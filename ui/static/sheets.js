// What can be changed about a character: its sheet (its lorebook: lore.js); and questions about the sheet from outside every scene.
"use strict";
(() => {
  const { on, ended, t, number, h, setRendered, icon, button, dialog, notice } = unabridged;
  const LINES = ["name", "nickname"];
  const WORDS = ["description", "personality", "scenario", "first_mes", "mes_example", "system_prompt", "post_history_instructions", "creator_notes"];
  const words = () => ({ name: t("name"), nickname: t("sheet_nickname"), description: t("sheet_description"), personality: t("sheet_personality"), scenario: t("sheet_scenario"), first_mes: t("greeting"), mes_example: t("sheet_examples"),
    system_prompt: t("sheet_system"), post_history_instructions: t("sheet_post"), creator_notes: t("sheet_notes") });
  const filled = (element, value) => { element.value = value; element.filled = element.value; return element; };
  const untouched = (element) => element.value === element.filled;  // then what the card says stays, commas inside a key too
  const labelled = (label, field) => h("label", {}, h("span", {}, label), field);

  // The documents of the library, ticked where the character lives in them.
  const homes = (documents, chosen) => {
    const ticks = documents.map((entry) => { const tick = h("input", { type: "checkbox", value: entry.id }); tick.checked = chosen.includes(entry.id); return [tick, entry.name]; });
    const gone = chosen.filter((id) => !documents.some((entry) => entry.id === id));  // removed from the library: kept as it was
    return {
      root: h("fieldset", {}, h("legend", {}, t("lives_in")), h("p", { class: "ub-muted" }, t(ticks.length ? "lives_in_means" : "lives_in_nothing")),
        ticks.length > 0 && h("div", { class: "ub-homes" }, ticks.map(([tick, name]) => h("label", { class: "ub-check" }, tick, h("span", {}, name))))),
      value: () => [...gone, ...ticks.filter(([tick]) => tick.checked).map(([tick]) => tick.value)],
    };
  };

  unabridged.editSheet = async (call, id, documents, chosen = []) => {
    const one = id ? await call("character", { character: id }) : { fields: { alternate_greetings: [], tags: [] }, assets: [], documents: chosen };
    const named = words(), fields = {};
    for (const name of LINES) fields[name] = filled(h("input", { type: "text", maxlength: "200" }), one.fields[name] || "");
    for (const name of WORDS) fields[name] = filled(h("textarea", { rows: name === "description" ? "8" : "3" }), one.fields[name] || "");
    const tags = filled(h("input", { type: "text" }), one.fields.tags.join(", "));
    const greetings = h("div", { class: "ub-fields" });
    const greeting = (text) => {
      const row = h("div", { class: "ub-greeting-row" }, filled(h("textarea", { rows: "2", "aria-label": t("other_greeting") }), text), button("trash", t("remove"), () => row.remove()));
      greetings.append(row);
    };
    one.fields.alternate_greetings.forEach(greeting);
    const home = homes(documents, one.documents);
    const body = h("div", { class: "ub-fields ub-scene-form" }, labelled(named.name, fields.name), home.root, ["nickname", ...WORDS].map((name) => labelled(named[name], fields[name])),
      h("fieldset", {}, h("legend", {}, t("sheet_greetings")), greetings, button("plus", t("add"), () => greeting(""), { text: true })), labelled(t("sheet_tags"), tags),
      one.assets.length > 0 && h("details", {}, h("summary", {}, t("sheet_assets")), h("ul", {}, one.assets.map((asset) => h("li", {}, asset)))));
    const given = await dialog(id ? t("edit_sheet") : t("new_character"), body, { action: t("save"), wide: true, answer: () => ({
      ...Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value])),
      tags: untouched(tags) ? one.fields.tags : tags.value.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean),
      alternate_greetings: [...greetings.querySelectorAll("textarea")].map((field) => field.value).filter((text) => text.trim()) }) });
    if (!given) return;
    const lives = home.value(), moved = JSON.stringify(lives) !== JSON.stringify(one.documents);
    const changed = Object.fromEntries(Object.entries(given).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(one.fields[name] ?? "")));
    if (!id || moved || Object.keys(changed).length) await call("save_character", { character: id, fields: id ? changed : given, ...(moved || !id ? { documents: lives } : {}) });
  };

  let waiting = null;  // {job, show}
  unabridged.askSheet = (call, one) => {
    const question = h("input", { type: "text", placeholder: t("ask_sheet_here", { name: one.name }), "aria-label": t("ask_sheet") });
    const answer = h("div", { class: "ub-answer" }), sources = h("ol", { class: "ub-sources" });
    const ask = async () => {
      if (!question.value.trim()) return;
      sources.replaceChildren();
      answer.replaceChildren(h("p", { class: "ub-muted" }, t("starting")));
      const { job } = await call("ask_character", { character: one.id, question: question.value });
      const show = (told) => {
        if (told.state === "failed") { answer.replaceChildren(h("p", { class: "ub-error" }, told.error), h("p", { class: "ub-muted" }, told.hint)); return; }
        if (told.html) setRendered(answer, told.html);
        sources.replaceChildren(...(told.citations || []).map((citation) => h("li", {}, h("span", { class: "ub-cite" }, String(citation.n)), h("div", {}, h("span", { class: "ub-quote" }, `“${citation.quote}”`), h("span", { class: "ub-place-of" }, citation.path)))));
      };
      waiting = { job, show };
      const last = await ended(job);
      if (waiting?.job === job) show(last);
    };
    question.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); ask(); } });
    dialog(`${t("ask_sheet")}: ${one.name}`, h("div", { class: "ub-fields" }, h("p", { class: "ub-muted" }, t("ask_sheet_about")), h("div", { class: "ub-greeting-row" }, question, button("send", t("send"), ask)), answer, sources)).then(() => { waiting = null; });
  };
  on("live", ({ jobs }) => { const job = jobs.find((each) => each.id === waiting?.job); if (job) waiting.show(job); });
})();
