// The chat as a scene: who speaks, greetings, other replies, going on, the user's own words, the author's note.
// The tree of turns, streaming and stopping are those of chat.js.
"use strict";
(() => {
  const { on, emit, ended, t, number, h, icon, button, dialog, notice, copy } = unabridged;
  const ORDERS = ["who is spoken to", "everyone", "in turn"];

  // --- choices that a new scene and a running one share
  unabridged.greetingChoice = (greetings, { silent = true } = {}) => {
    const name = `greeting-${Math.random().toString(36).slice(2)}`;
    const choice = (value, words, on_) => h("label", { class: "ub-greeting" }, h("input", { type: "radio", name, value, checked: on_ }), h("span", {}, words));
    const root = h("fieldset", { class: "ub-greetings" }, h("legend", {}, t("greeting")), greetings.map((words, index) => choice(String(index), words, index === 0)), silent && choice("", t("no_greeting"), !greetings.length));
    return { root, value: () => { const { value } = root.querySelector("input:checked"); return value === "" ? null : Number(value); } };
  };
  unabridged.orderChoice = (isGroup, value = ORDERS[0]) => {
    if (!isGroup) return { root: null, value: () => ({}) };
    const words = [t("order_spoken_to"), t("order_everyone"), t("order_in_turn")];
    const select = h("select", {}, ORDERS.map((order, index) => h("option", { value: order }, words[index])));
    select.value = value;
    return { root: h("label", {}, h("span", {}, t("who_answers")), select), value: () => ({ order: select.value }) };
  };
  unabridged.bookChoice = (books, chosen) => {
    const ticks = books.map((book) => { const tick = h("input", { type: "checkbox", value: book.id }); tick.checked = chosen.includes(book.id); return [tick, book]; });
    return { root: books.length ? h("fieldset", {}, h("legend", {}, t("lorebooks")), ticks.map(([tick, book]) => h("label", { class: "ub-check" }, tick, h("span", {}, book.name)))) : null,
      value: () => ticks.filter(([tick]) => tick.checked).map(([tick]) => tick.value) };
  };

  // --- parts of a turn
  const speakerOf = (scene, turn) => scene.players.find((player) => player.id === scene.speakers[turn.id]) || (scene.players.length === 1 ? scene.players[0] : null);
  unabridged.speakerLine = (scene, turn) => {
    const speaker = speakerOf(scene, turn);
    return speaker && h("div", { class: "ub-speaker" }, unabridged.portrait(speaker), h("strong", {}, speaker.name));
  };
  unabridged.sceneReceipt = ({ receipt, state }) => {
    if (state === "failed") return h("p", { class: "ub-error" }, t("failed_here"));
    if (state === "stopped") return h("p", { class: "ub-muted" }, t("stopped_here"));
    return receipt?.prompt_tokens ? h("p", { class: "ub-receipt" }, t("scene_receipt", { evaluated: number(receipt.evaluated_tokens), reused: number(receipt.reused_tokens) })) : null;
  };
  const isGreeting = (turn) => !turn.parent && !turn.model && !turn.question;
  unabridged.sceneTools = (scene, turn, { call, act, walk, remove, conversation, choose }) => {
    const greet = async () => {
      const greetings = unabridged.greetingChoice(scene.greetings, { silent: false });
      const number_ = await dialog(t("greeting"), greetings.root, { action: t("begin_scene"), answer: greetings.value });
      if (number_ !== null) choose((await call("greet", { conversation, greeting: number_ })).turn);
    };
    const forward = () => turn.at + 1 < turn.of || isGreeting(turn) ? walk(turn, 1) : act("answer_again", { turn: turn.id }, turn.parent);
    return h("div", { class: "ub-turn-tools" },
      h("span", { class: "ub-branches" }, turn.of > 1 && button("left", t("previous_reply"), () => walk(turn, -1)), turn.of > 1 && t("n_of_m", { n: turn.at + 1, m: turn.of }),
        (turn.of > 1 || !isGreeting(turn)) && button("right", t("next_reply"), forward)),
      button("copy", t("copy_answer"), () => copy(turn.text)),
      isGreeting(turn) ? scene.greetings.length > 1 && button("list", t("other_greeting"), greet) : [button("again", t("another_reply"), () => act("answer_again", { turn: turn.id }, turn.parent)), button("plus", t("continue_reply"), () => act("go_on", { turn: turn.id }, turn.parent))],
      button(turn.forgotten ? "again" : "close", t(turn.forgotten ? "unforget" : "forget"), () => call("forget_turn", { turn: turn.id, forgotten: !turn.forgotten })),
      !turn.question && button("trash", t("delete"), () => remove(turn)));
  };

  // --- above the composer: who plays, who answers next, and what can be done without writing
  unabridged.sceneBar = (call, { act, fill, tip, say }) => {
    let scene = null, conversation = null;
    const root = h("div", { class: "ub-scene-bar", hidden: true });
    const setUp = async () => {
      const { setup } = scene;
      const user = h("input", { type: "text", maxlength: "200", value: setup.user });
      const persona = h("textarea", { rows: "2" });
      persona.value = setup.persona;
      const note = h("textarea", { rows: "3", placeholder: t("author_note_help") });
      note.value = setup.author_note;
      const depth = h("input", { type: "number", min: "0", max: "999", value: String(setup.author_note_depth) });
      const order = unabridged.orderChoice(scene.players.length > 1, setup.order);
      const books = unabridged.bookChoice(scene.books, setup.book_ids);
      const body = h("div", { class: "ub-fields ub-scene-form" }, h("label", {}, h("span", {}, t("author_note")), note), h("label", {}, h("span", {}, t("author_note_depth")), depth),
        h("label", {}, h("span", {}, t("your_name")), user), h("label", {}, h("span", {}, t("persona")), persona), order.root, books.root);
      const given = await dialog(t("scene_settings"), body, { action: t("save"), answer: () => ({ author_note: note.value, author_note_depth: Math.trunc(depth.value), user: user.value.trim(), persona: persona.value, ...order.value(), book_ids: books.value() }) });
      if (given) await call("change_scene", { conversation, ...given });
    };
    const ownWords = async () => {
      const { state, error, hint, words } = await ended((await call("own_words", { conversation, parent: tip() })).job);
      if (state === "failed") notice(error, hint); else if (words) fill(words);
    };
    const draw = () => {
      root.replaceChildren(...scene.players.map((player) => h("button", { type: "button", class: "ub-player", title: t("let_speak", { name: player.name }), "aria-label": t("let_speak", { name: player.name }), onclick: () => say("", [player.id]) }, unabridged.portrait(player), h("span", {}, player.name))),
        h("span", { class: "ub-spacer" }), button("right", t("let_it_go_on"), () => say("", []), { text: true }), button("edit", t("write_for_me"), ownWords, { text: true }), button("gear", t("scene_settings"), setUp));
    };
    on("live", ({ jobs }) => jobs.forEach(tellLore));
    let key = "";
    return { root, show: (next, id) => {
      document.body.classList.toggle("ub-in-scene", Boolean(next));
      scene = next; conversation = id;
      root.hidden = !scene;
      const now = JSON.stringify(scene);
      if (scene && now !== key) { key = now; draw(); }
    } };
  };
  const toldOf = new Set();
  const tellLore = (job) => {
    if (!(job.lore_left_out?.length || job.lore_problems?.length) || toldOf.has(job.turn)) return;
    toldOf.add(job.turn);
    if (job.lore_left_out.length) notice(t("lore_left_out"), job.lore_left_out.join(", "));
    for (const problem of job.lore_problems) notice(problem);
  };
  unabridged.chooseModel = () => button("gear", t("choose_chat_model"), () => emit("settings"), { text: true });
})();
