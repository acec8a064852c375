// The gallery: characters taken in from cards, looked at, talked to, handed out again. Everything a card says is put on the
// page as text. What can be changed about one stands in sheets.js, the chat with one in scenes.js.
"use strict";
(() => {
  const { define, on, emit, session, update, t, number, h, icon, button, menu, dialog, notice, kept, strings } = unabridged;
  const CARD_BYTES = 128 << 20, JSON_BYTES = 8 << 20;
  const FORMATS = [["png", "export_png"], ["charx", "export_charx"], ["json", "export_card_json"]];

  // --- pictures: only through our own route, which serves raster pictures alone; else the first letter
  unabridged.portrait = ({ id, name, picture }) => {
    const letter = () => h("span", { class: "ub-portrait ub-letter", "aria-hidden": "true" }, [...name][0] || "?");
    if (!picture) return letter();
    const image = h("img", { class: "ub-portrait", src: `/characters/${encodeURIComponent(id)}/picture`, alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.replaceWith(letter()));
    return image;
  };

  // --- files
  let isOpen = () => false, takenIn = () => {};
  const takeIn = async (file) => {
    if (file.size > CARD_BYTES) { takenIn({ error: t("card_too_large", { name: file.name }) }); return; }
    let answer;
    try {
      answer = await (await fetch(`/characters?name=${encodeURIComponent(file.name)}&language=${strings.language}`, { method: "POST", body: file })).json();
    } catch { answer = { error: t("upload_failed", { name: file.name }), hint: t("connection_lost_hint") }; }
    takenIn({ ...answer, file: file.name });
  };
  const holdsCard = async (file) => {
    const name = file.name.toLowerCase();
    if (name.endsWith(".charx")) return true;
    if (name.endsWith(".json") && file.size <= JSON_BYTES) return /"chara_card_v|"lorebook_v3"|"first_mes"/.test(await file.text());
    if (!name.endsWith(".png") || file.size > CARD_BYTES) return false;
    const bytes = new DataView(await file.arrayBuffer());
    const word = (at, length) => String.fromCharCode(...Array.from({ length: Math.min(length, bytes.byteLength - at) }, (_, index) => bytes.getUint8(at + index)));
    for (let at = 8; at + 12 <= bytes.byteLength; at += 12 + bytes.getUint32(at)) if (/^.{4}(chara|ccv3)\0/.test(word(at + 4, 10))) return true;
    return false;
  };
  // Whether a dropped file was taken in as a character; while the gallery is open, every file is meant as one.
  unabridged.tookCharacter = async (file) => {
    if (!isOpen() && !(await holdsCard(file))) return false;
    await takeIn(file);
    return true;
  };
  const download = (id, suffix) => {
    const anchor = h("a", { href: `/characters/${id}.${suffix}`, download: "" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
  };

  define("characters", (root, call) => {
    root.hidden = true;
    let told = { characters: [], books: [], plays: true }, documents = [], lists = -1;
    const chosen = new Set();  // of a group, in the order of choosing
    const picker = h("input", { type: "file", multiple: true, hidden: true, accept: ".png,.json,.charx", onchange: async () => { for (const file of [...picker.files]) await takeIn(file); picker.value = ""; } });
    const add = button("plus", t("import_character"), () => picker.click(), { text: true });
    add.classList.add("ub-primary");
    const group = button("people", "", () => begin([...chosen]), { text: true, hidden: true });
    const refusal = h("div", { class: "ub-failure", role: "alert", hidden: true });
    const cannot = h("div", { class: "ub-cannot-play", hidden: true }, icon("warning"), h("p", {}, t("cannot_play")), button("gear", t("choose_chat_model"), () => { close(); emit("settings"); }, { text: true }));
    const grid = h("div", { class: "ub-characters" });
    const books = h("div", { class: "ub-lorebooks" });
    const gallery = h("section", { class: "ub-panel ub-gallery", role: "dialog", "aria-label": t("character_gallery"), hidden: true, tabindex: "-1" }, picker,
      h("header", { class: "ub-gallery-head" }, h("h2", {}, t("character_gallery")), h("span", { class: "ub-spacer" }), group, add,
        button("edit", t("new_character"), () => unabridged.editSheet(call, null, documents, session.documents), { text: true }), button("close", t("close"), () => close())),
      h("p", { class: "ub-muted" }, t("characters_about")), cannot, refusal, grid, books);
    document.body.append(gallery);
    isOpen = () => !gallery.hidden;
    const behind = (hidden) => { document.getElementById("ub-frame").inert = hidden; };  // nobody tabs into what cannot be seen
    const close = () => { gallery.hidden = true; behind(false); emit("focus-question"); };
    const open = async () => { refusal.hidden = true; gallery.hidden = false; behind(true); await refresh(); gallery.focus(); };
    gallery.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
    takenIn = ({ error, hint, name, book, file }) => {
      if (!error) { refusal.hidden = true; if (book) notice(t("lorebook_imported", { name })); if (!isOpen()) open(); return; }  // a character is seen: the newest stands first
      if (!isOpen()) { notice(error, hint); return; }
      refusal.replaceChildren(icon("warning"), h("div", {}, h("strong", {}, error), h("p", {}, [file, hint].filter(Boolean).join(" · "))), button("close", t("close"), () => { refusal.hidden = true; }));
      refusal.hidden = false;
    };

    // --- one character
    const remove = async (one) => {
      if (await dialog(t("remove"), h("div", {}, h("p", {}, t("remove_sure", { name: one.name })), h("p", { class: "ub-muted" }, t("character_remove_means"))), { action: t("remove"), danger: true })) await call("remove_character", { character: one.id });
    };
    const remember = async (one) => {
      const field = h("textarea", { rows: "3", maxlength: "2000", "aria-label": t("memory_new") });
      const words = await dialog(`${t("memory_new")}: ${one.name}`, h("div", { class: "ub-fields" }, field), { action: t("memory_accept"), answer: () => field.value });
      if (words?.trim()) { await call("add_memory", { text: words, scope: "character", character: one.id }); notice(t("memory_kept"), words); }
    };
    const card = (one) => {
      const more = button("more", t("more_about", { name: one.name }), () => menu(more, [
        { icon: "edit", label: t("edit_sheet"), run: () => unabridged.editSheet(call, one.id, documents) },
        { icon: "book", label: t("edit_lorebook"), run: () => unabridged.editLorebook(call, { character: one.id, name: one.name }) },
        { icon: "help", label: t("ask_sheet"), run: () => unabridged.askSheet(call, one) },
        { icon: "bookmark", label: t("memory_new"), run: () => remember(one) },
        ...FORMATS.map(([suffix, words]) => ({ icon: "fetch", label: t(words), run: () => download(one.id, suffix) })),
        { icon: "trash", label: t("remove"), danger: true, run: () => remove(one) },
      ]));
      const tick = h("input", { type: "checkbox", "aria-label": t("into_group", { name: one.name }), title: t("into_group", { name: one.name }), onchange: () => { if (tick.checked) chosen.add(one.id); else chosen.delete(one.id); drawGroup(); } });
      tick.checked = chosen.has(one.id);
      const talk = button("quote", t("talk"), () => begin([one.id]), { text: true });
      const facts = [t("greetings_n", { count: number(one.greetings) }), one.lore > 0 && t("lore_n", { count: number(one.lore) }), one.documents.length > 0 && t("lives_in_n", { count: number(one.documents.length) })].filter(Boolean);
      return h("article", { class: "ub-character", "data-character": one.id, "aria-label": one.name }, unabridged.portrait(one),
        h("h3", { title: one.name }, one.name), h("p", { class: "ub-muted" }, facts.join(" · ")),
        h("p", { class: "ub-tags" }, one.tags.slice(0, 6).map((tag) => h("span", {}, tag))),
        h("div", { class: "ub-character-actions" }, tick, talk, h("span", { class: "ub-spacer" }), more));
    };
    const bookRow = (one) => h("div", { class: "ub-row" }, h("button", { type: "button", class: "ub-row-main", onclick: () => unabridged.editLorebook(call, { book: one.id, name: one.name }) }, h("span", { class: "ub-row-name" }, one.name), h("span", { class: "ub-row-facts" }, t("lore_n", { count: number(one.lore) }))),
      button("trash", t("remove"), async () => { if (await dialog(t("remove"), h("p", {}, t("remove_sure", { name: one.name })), { action: t("remove"), danger: true })) await call("remove_lorebook", { book: one.id }); }));

    // --- a scene begins
    const begin = async (ids) => {
      const first = await call("character", { character: ids[0] });
      const user = h("input", { type: "text", maxlength: "200", value: kept.get("user_name", t("you")), "aria-label": t("your_name") });
      const persona = h("textarea", { rows: "2", "aria-label": t("persona") });
      persona.value = kept.get("persona", "");
      const greetings = unabridged.greetingChoice(first.greetings);
      const order = unabridged.orderChoice(ids.length > 1);
      const ticks = unabridged.bookChoice(told.books, []);
      const quiet = h("input", { type: "checkbox" });
      const body = h("div", { class: "ub-fields ub-scene-form" }, h("label", {}, h("span", {}, t("your_name")), user), h("label", {}, h("span", {}, t("persona")), persona),
        order.root, greetings.root, ticks.root, h("label", { class: "ub-check" }, quiet, h("span", {}, `${t("incognito")}: ${t("incognito_means")}`)));
      const names = ids.map((id) => told.characters.find((one) => one.id === id)?.name).filter(Boolean).join(", ");
      const given = await dialog(names, body, { action: t("begin_scene"), answer: () => ({ user: user.value.trim(), persona: persona.value, greeting: greetings.value(), ...order.value(), book_ids: ticks.value(), incognito: quiet.checked }) });
      if (!given) return;
      kept.set("user_name", given.user);
      kept.set("persona", given.persona);
      const scene = await call("start_scene", { characters: ids, ...given });
      chosen.clear();
      drawGroup();
      update({ conversation: scene.conversation, documents: scene.documents });
      close();
    };
    const drawGroup = () => { group.hidden = chosen.size < 2; group.lastChild.textContent = t("begin_group", { count: number(chosen.size) }); };

    const draw = () => {
      for (const id of [...chosen]) if (!told.characters.some((one) => one.id === id)) chosen.delete(id);
      cannot.hidden = told.plays;
      grid.replaceChildren(...told.characters.map(card));
      if (!told.characters.length) grid.append(h("div", { class: "ub-empty" }, icon("people"), h("p", {}, t("characters_none"))));
      books.replaceChildren(...(told.books.length ? [h("h3", {}, t("lorebooks")), ...told.books.map(bookRow)] : []));
      drawGroup();
    };
    const refresh = async () => { told = await call("characters", {}, { quiet: true }); draw(); };
    on("documents", (list) => { documents = list; });
    on("characters", () => isOpen() ? close() : open());
    on("settings-saved", () => { if (isOpen()) refresh(); });
    on("live", (news) => { if (lists !== news.lists) { lists = news.lists; if (isOpen()) refresh(); } });
  });
})();
