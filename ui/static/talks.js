// What becomes of conversations: exported, imported, put away, incognito; and of single turns: forgotten, summed up, remembered.
"use strict";
(() => {
  const { on, emit, session, update, t, number, h, icon, button, menu, notice, dialog, strings } = unabridged;
  const LONGEST_LOOK = 4096;  // bytes of a JSON file that tell whether it is a conversation

  const isIncognito = () => session.conversation ? session.conversation.startsWith("incognito-") : Boolean(session.incognito);
  unabridged.isIncognito = isIncognito;
  const mark = () => document.body.classList.toggle("ub-incognito", isIncognito());
  on("session", (changes) => { if (changes.conversation) session.incognito = false; mark(); });
  on("ready", mark);
  unabridged.beginTalk = ({ incognito = false } = {}) => { update({ conversation: null, incognito }); emit("focus-question"); };
  unabridged.incognitoSign = () => h("p", { class: "ub-incognito-sign", title: t("incognito_means") }, icon("incognito"), h("strong", {}, t("incognito")), h("span", {}, t("incognito_means")));

  // --- files
  const download = (talk, suffix, turn) => {
    const anchor = h("a", { href: `/conversations/${talk.id}.${suffix}${turn ? `?turn=${turn}` : ""}`, download: "" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
  };
  const EXPORTS = [["docx", "export_word", "page"], ["md", "export_markdown", "text"], ["json", "export_json", "list"]];
  const exportChoices = (anchor, talk) => menu(anchor, EXPORTS.map(([suffix, words, picture]) => ({ icon: picture, label: t(words), run: () => download(talk, suffix) })));
  const takeIn = async (file) => {
    let answer;
    try {
      answer = await (await fetch(`/conversations?language=${strings.language}`, { method: "POST", body: file })).json();
    } catch { notice(t("upload_failed", { name: file.name }), t("connection_lost_hint")); return; }
    if (answer.error) notice(answer.error, answer.hint); else { update({ conversation: answer.conversation }); notice(t("imported")); }
  };
  // Whether a dropped file was a conversation: then it was taken in as one, and is no document.
  unabridged.tookConversation = async (file) => {
    if (!file.name.toLowerCase().endsWith(".json") || !(await file.slice(0, LONGEST_LOOK).text()).includes('"unabridged_conversation"')) return false;
    await takeIn(file);
    return true;
  };
  const picker = h("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: async () => { for (const file of [...picker.files]) await takeIn(file); picker.value = ""; } });

  // --- the list of conversations: what its head and its rows offer beside opening
  unabridged.talksMenu = (anchor, { archived, toggle }) => {
    document.body.append(picker);
    menu(anchor, [
      { icon: "incognito", label: t("new_incognito"), run: () => unabridged.beginTalk({ incognito: true }) },
      { icon: "fetch", label: t("import_conversation"), run: () => picker.click() },
      { icon: archived ? "left" : "archive", label: t(archived ? "leave_archive" : "show_archive"), run: toggle },
    ]);
  };
  unabridged.talkActions = (anchor, talk, call) => [
    { icon: "fetch", label: t("export"), run: () => exportChoices(anchor, talk) },
    !talk.incognito && { icon: "archive", label: t(talk.archived ? "unarchive" : "archive"), run: () => call("archive_conversation", { conversation: talk.id, archived: !talk.archived }) },
  ];

  // --- what an answer offers beside copying and asking again
  unabridged.turnActions = (turn, { call, sumUp }) => {
    const more = button("more", t("more_about_answer"), () => menu(more, [
      unabridged.modelWrites && !isIncognito() && { icon: "bookmark", label: t("memory_ask"), run: () => emit("propose-memory", turn.id) },
      { icon: turn.forgotten ? "again" : "close", label: t(turn.forgotten ? "unforget" : "forget"), run: () => call("forget_turn", { turn: turn.id, forgotten: !turn.forgotten }) },
      unabridged.modelWrites && { icon: "quote", label: t("sum_up"), run: () => sumUp(turn) },
      ...EXPORTS.slice(0, 2).map(([suffix, words, picture]) => ({ icon: picture, label: t(words), run: () => download({ id: session.conversation }, suffix, turn.id) })),
    ]));
    return more;
  };
  // Shows a summary for editing; resolves with it, or null. What it stands for can be looked at from here.
  unabridged.editSummary = async (summary, turns) => {
    const field = h("textarea", { rows: "10", "aria-label": t("summary") });
    field.value = summary.text;
    const stands = turns.filter((turn) => summary.stands_for.includes(turn.id));
    const about = h("details", {}, h("summary", {}, t("summary_stands_for", { count: number(stands.length) })), h("ol", { class: "ub-stands-for" }, stands.map((turn) => h("li", {}, turn.question))));
    const text = await dialog(t("sum_up"), h("div", { class: "ub-fields" }, h("p", { class: "ub-muted" }, t("summary_means")), field, about), { action: t("summary_use"), answer: () => field.value });
    return text?.trim() ? { key: summary.key, text: text.trim() } : null;
  };
})();
