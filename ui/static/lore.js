// The editor of a lorebook: the entries with their keys and rules, and the rules of the book. What it says of an entry comes from
// Python as plain fields and goes back so; what it does not know stays in the entry.
"use strict";
(() => {
  const { t, h, button, dialog } = unabridged;
  const LOGIC = [["any", "lore_any"], ["all", "lore_all"], ["none", "lore_none"], ["not_all", "lore_not_all"], ["ignored", "lore_ignored"]];
  const PLACES = [["after", "lore_after"], ["before", "lore_before"], ["depth", "lore_at_depth"]];
  const LORE = [["from_lore", "lore_from_lore"], ["brings_others", "lore_brings_others"], ["only_from_lore", "lore_only_from_lore"]];
  const KEYS = [["case_sensitive", "lore_case"], ["whole_words", "lore_words"]];

  // Fields by name: each a piece of page, and what stands in it now. A number that is left empty is null.
  const fieldsOf = (values) => {
    const read = {};
    const keep = (name, element, value) => { read[name] = value; return element; };
    const label = (words, element) => h("label", {}, h("span", {}, t(words)), element);
    const worded = (name, words, element) => { element.value = values[name]; return keep(name, label(words, element), () => element.value); };
    return {
      line: (name, words) => worded(name, words, h("input", { type: "text" })),
      text: (name, words) => worded(name, words, h("textarea", { rows: "4" })),
      choice: (name, words, choices) => worded(name, words, h("select", {}, choices.map(([value, shown]) => h("option", { value }, t(shown))))),
      number: (name, words, more = {}) => {
        const element = h("input", { type: "number", ...more });
        element.value = values[name] ?? "";
        return keep(name, label(words, element), () => element.value === "" ? null : Number(element.value));
      },
      tick: (name, words) => {
        const element = h("input", { type: "checkbox" });
        element.checked = values[name];
        return keep(name, h("label", { class: "ub-check" }, element, h("span", {}, t(words))), () => element.checked);
      },
      values: () => Object.fromEntries(Object.entries(read).map(([name, value]) => [name, value()])),
    };
  };

  const entryRow = ({ raw, fields }) => {
    const field = fieldsOf(fields);
    const place = field.choice("place", "lore_place", PLACES), depth = field.number("depth", "lore_depth", { min: 0, max: 999 });
    const showDepth = () => { depth.hidden = place.querySelector("select").value !== "depth"; };
    place.addEventListener("change", showDepth);
    showDepth();
    const signs = [!fields.enabled && "lore_is_off", fields.constant && "lore_constant"].filter(Boolean).map((words) => h("span", { class: "ub-sign-of" }, t(words)));
    const element = h("details", { class: "ub-lore-entry", open: !fields.content },
      h("summary", {}, fields.title || fields.keys || fields.content.slice(0, 60) || t("lore_entry"), signs),
      field.line("title", "lore_title"), field.line("keys", "lore_keys"),
      h("div", { class: "ub-side-by-side" }, field.line("secondary", "lore_secondary"), field.choice("logic", "lore_logic", LOGIC)),
      field.text("content", "lore_content"),
      h("div", { class: "ub-ticks" }, field.tick("enabled", "lore_enabled"), field.tick("constant", "lore_constant")),
      h("details", { class: "ub-lore-more" }, h("summary", {}, t("lore_more")),
        h("div", { class: "ub-side-by-side" }, place, depth),
        h("div", { class: "ub-side-by-side" }, field.number("order", "lore_order"), field.number("probability", "lore_probability", { min: 0, max: 100 }),
          field.number("scan_depth", "lore_scan_depth", { min: 0, max: 999, placeholder: t("lore_as_book") })),
        h("div", { class: "ub-ticks" }, [...KEYS, ...LORE].map(([name, words]) => field.tick(name, words)))),
      h("div", { class: "ub-row-of-buttons" }, button("trash", t("remove"), () => element.remove(), { text: true })));
    element.entry = () => ({ raw, fields: field.values() });
    return element;
  };

  unabridged.editLorebook = async (call, { character, book, name }) => {
    const told = character ? (await call("character", { character })).book : (await call("lorebook", { book })).book;
    const field = fieldsOf(told.fields);
    const list = h("div", { class: "ub-lore" }, told.entries.map(entryRow));
    const add = () => { const row = entryRow({ raw: {}, fields: told.new }); list.append(row); row.querySelector("input").focus(); };
    const body = h("div", { class: "ub-fields ub-scene-form" }, h("p", { class: "ub-muted" }, t("lore_about")), list,
      h("div", { class: "ub-row-of-buttons" }, button("plus", t("lore_entry"), add, { text: true })),
      h("fieldset", {}, h("legend", {}, t("lore_book_rules")), h("div", { class: "ub-side-by-side" }, field.number("scan_depth", "lore_scan_depth", { min: 0, max: 999, placeholder: "4" }),
        field.number("token_budget", "lore_budget", { min: 0, placeholder: "1024" })), field.tick("recursive", "lore_recursive")));
    const given = await dialog(`${t("edit_lorebook")}: ${name}`, body, { action: t("save"), wide: true, answer: () => ({ fields: field.values(), entries: [...list.children].map((row) => row.entry()) }) });
    if (given) await call("save_lorebook", { character, book, raw: told.raw, ...given });
  };
})();
