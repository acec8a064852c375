// What can be changed about a character: its sheet, its lorebook; and questions about the sheet from outside every scene.
"use strict";
(() => {
  const { on, t, number, h, setRendered, icon, button, dialog, notice } = unabridged;
  const LINES = ["name", "nickname"];
  const WORDS = ["description", "personality", "scenario", "first_mes", "mes_example", "system_prompt", "post_history_instructions", "creator_notes"];
  const words = () => ({ name: t("name"), nickname: t("sheet_nickname"), description: t("sheet_description"), personality: t("sheet_personality"), scenario: t("sheet_scenario"), first_mes: t("greeting"), mes_example: t("sheet_examples"),
    system_prompt: t("sheet_system"), post_history_instructions: t("sheet_post"), creator_notes: t("sheet_notes") });
  const filled = (element, value) => { element.value = value; element.filled = element.value; return element; };
  const untouched = (element) => element.value === element.filled;  // then what the card says stays, commas inside a key too
  const labelled = (label, field) => h("label", {}, h("span", {}, label), field);

  unabridged.editSheet = async (call, id) => {
    const one = id ? await call("character", { character: id }) : { fields: { alternate_greetings: [], tags: [] }, assets: [], documents: [] };
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
    const body = h("div", { class: "ub-fields ub-scene-form" }, [...LINES, ...WORDS].map((name) => labelled(named[name], fields[name])),
      h("fieldset", {}, h("legend", {}, t("sheet_greetings")), greetings, button("plus", t("add"), () => greeting(""), { text: true })), labelled(t("sheet_tags"), tags),
      one.assets.length > 0 && h("details", {}, h("summary", {}, t("sheet_assets")), h("ul", {}, one.assets.map((asset) => h("li", {}, asset)))));
    const given = await dialog(id ? t("edit_sheet") : t("new_character"), body, { action: t("save"), answer: () => ({
      ...Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value])),
      tags: untouched(tags) ? one.fields.tags : tags.value.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean),
      alternate_greetings: [...greetings.querySelectorAll("textarea")].map((field) => field.value).filter((text) => text.trim()) }) });
    if (!given) return;
    const changed = Object.fromEntries(Object.entries(given).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(one.fields[name] ?? "")));
    if (!id || Object.keys(changed).length) await call("save_character", { character: id, fields: id ? changed : given });
  };

  // Entries keep what this editor does not know.
  unabridged.editLorebook = async (call, { character, book, name }) => {
    const raw = character ? (await call("character", { character })).book : (await call("lorebook", { book })).book;
    const list = h("div", { class: "ub-lore" });
    const keys = (text) => text.split(/[,，]/).map((key) => key.trim()).filter(Boolean);
    const tick = (on_) => { const box = h("input", { type: "checkbox" }); box.checked = on_; return box; };
    const row = (entry) => {
      const field = {
        keys: filled(h("input", { type: "text" }), (entry.keys || []).join(", ")), secondary: filled(h("input", { type: "text" }), (entry.secondary_keys || []).join(", ")),
        content: filled(h("textarea", { rows: "3" }), entry.content || ""), enabled: tick(entry.enabled !== false), constant: tick(Boolean(entry.constant)), order: filled(h("input", { type: "number" }), String(entry.insertion_order ?? 100)),
      };
      const title = entry.comment || entry.name || (entry.keys || []).join(", ") || (entry.content || "").slice(0, 60) || t("lore_entry");
      const element = h("details", { class: "ub-lore-entry", open: !entry.content }, h("summary", {}, title), labelled(t("lore_keys"), field.keys), labelled(t("lore_secondary"), field.secondary), labelled(t("lore_content"), field.content),
        h("div", { class: "ub-row-of-buttons" }, h("label", { class: "ub-check" }, field.enabled, h("span", {}, t("lore_enabled"))), h("label", { class: "ub-check" }, field.constant, h("span", {}, t("lore_constant"))), h("label", { class: "ub-check" }, h("span", {}, t("lore_order")), field.order),
          button("trash", t("remove"), () => element.remove())));
      element.entry = () => {
        const secondary = keys(field.secondary.value);
        return { extensions: {}, ...entry, ...(untouched(field.keys) ? { keys: entry.keys || [] } : { keys: keys(field.keys.value) }),
          ...(untouched(field.secondary) ? {} : { secondary_keys: secondary, selective: secondary.length > 0 }), ...(untouched(field.content) ? { content: entry.content || "" } : { content: field.content.value }),
          enabled: field.enabled.checked, constant: field.constant.checked, insertion_order: Math.trunc(field.order.value) };
      };
      list.append(element);
    };
    (raw.entries || []).forEach(row);
    const body = h("div", { class: "ub-fields ub-scene-form" }, h("p", { class: "ub-muted" }, t("lore_about")), list, button("plus", t("lore_entry"), () => row({}), { text: true }));
    const entries = await dialog(`${t("edit_lorebook")}: ${name}`, body, { action: t("save"), answer: () => [...list.children].map((element) => element.entry()) });
    if (entries) await call("save_lorebook", { character, book, raw: { ...raw, entries } });
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
      waiting = { job, show: (told) => {
        if (told.state === "failed") { answer.replaceChildren(h("p", { class: "ub-error" }, told.error), h("p", { class: "ub-muted" }, told.hint)); return; }
        if (told.html) setRendered(answer, told.html);
        sources.replaceChildren(...(told.citations || []).map((citation) => h("li", {}, h("span", { class: "ub-cite" }, String(citation.n)), h("div", {}, h("span", { class: "ub-quote" }, `“${citation.quote}”`), h("span", { class: "ub-place-of" }, citation.path)))));
      } };
    };
    question.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); ask(); } });
    dialog(`${t("ask_sheet")}: ${one.name}`, h("div", { class: "ub-fields" }, h("p", { class: "ub-muted" }, t("ask_sheet_about")), h("div", { class: "ub-greeting-row" }, question, button("send", t("send"), ask)), answer, sources)).then(() => { waiting = null; });
  };
  on("live", ({ jobs }) => { const job = jobs.find((each) => each.id === waiting?.job); if (job) waiting.show(job); });
})();
