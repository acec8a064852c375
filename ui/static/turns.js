// One turn of the chat: the question, what the model says, its sources, its receipt, and buttons for what can be done about it.
// `deeds` are those things, and the scene where the conversation is one.
"use strict";
(() => {
  const { t, number, h, setRendered, icon, button, copy } = unabridged;

  const questionPart = (turn, { scene, walk, edit, remove }) => h("div", { class: "ub-question" },
    h("div", { class: "ub-bubble" }, turn.question),
    turn.id && h("div", { class: "ub-turn-tools" },
      !scene && turn.of > 1 && h("span", { class: "ub-branches" }, button("left", t("previous_branch"), () => walk(turn, -1)), t("n_of_m", { n: turn.at + 1, m: turn.of }), button("right", t("next_branch"), () => walk(turn, 1))),
      !scene && turn.follows && h("span", { class: "ub-muted", title: t("follow_up_hint") }, t("follow_up")),
      button("copy", t("copy_question"), () => copy(turn.question)), button("edit", t("edit"), () => edit(turn)), button("trash", t("delete"), () => remove(turn))));

  const sourcesPart = (turn) => turn.citations.length > 0 && h("ol", { class: "ub-sources" }, turn.citations.map((citation) =>
    h("li", {}, h("a", { class: `ub-cite ${citation.url ? "ub-web" : ""}`, role: "button", tabindex: "0", "data-n": citation.n }, String(citation.n)),
      h("div", {}, h("span", { class: "ub-quote" }, `“${citation.quote}”`), citation.url ? unabridged.webLine(citation) : h("span", { class: "ub-place-of" }, unabridged.placeOf(citation))))));

  const brokenOff = (turn, { again }) => ["stopped", "failed"].includes(turn.state) && h("div", { class: "ub-broken-off" },
    h("p", { class: turn.state === "failed" ? "ub-error" : "ub-muted" }, t(turn.state === "failed" ? "failed_here" : turn.text ? "stopped_here" : "stopped_reading")),
    button("again", t("regenerate"), () => again(turn), { text: true }));

  const receiptPart = (turn) => {
    const { receipt, seconds } = turn;
    const local = receipt.documents.filter((document) => !document.url), pages = receipt.documents.length - local.length;
    const sum = (field) => local.reduce((total, document) => total + document[field], 0);
    const whole = sum("characters") === sum("characters_read");
    const counted = (words, count) => count > 0 && t(words, { count: number(count) });
    const facts = [t("receipt_line", { read: number(sum("characters_read")), total: number(sum("characters")) }),
      counted("pages_n", sum("pages")), counted("pages_without_text", sum("pages_without_text")), counted("pages_ocr", sum("pages_ocr")), counted("web_pages_n", pages),
      counted("memories_n", receipt.memories), counted("memories_left_out", receipt.memories_left_out), t("seconds_n", { seconds: seconds.total.toFixed(seconds.total < 1 ? 2 : 1) })].filter(Boolean);
    const retrieved = (url) => turn.pages.find((page) => page.url === url)?.retrieved_at;
    const documentRow = (document) => [document.name, h("div", {}, t("receipt_line", { read: number(document.characters_read), total: number(document.characters) }), document.url && unabridged.webLine({ url: document.url, retrieved_at: retrieved(document.url) }))];
    const tokens = (count) => t("tokens_n", { count: number(count) });
    const rows = [...receipt.documents.map(documentRow), [t("window"), tokens(receipt.window_tokens)], [t("prompt"), tokens(receipt.prompt_tokens)], [t("reused"), tokens(receipt.reused_tokens)],
      [t("evaluated"), tokens(receipt.evaluated_tokens)], [t("generated"), tokens(receipt.generated_tokens)],
      [t("times"), t("times_line", { prefill: seconds.prefill.toFixed(1), first: seconds.first_token.toFixed(1), total: seconds.total.toFixed(1) })], [t("model"), turn.model]];
    return h("details", { class: `ub-receipt ${whole ? "" : "ub-partly"}` }, h("summary", {}, icon(whole ? "check" : "warning"), facts.join(" · ")),
      h("table", { class: "ub-facts" }, h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("th", {}, name), h("td", {}, value))))));
  };

  const withSources = (turn) => [turn.text, ...turn.citations.map((citation) => `[${citation.n}] “${citation.quote}” (${unabridged.placeOf(citation)})`)].join("\n\n");
  const answerTools = (turn, deeds) => deeds.scene ? unabridged.sceneTools(deeds.scene, turn, deeds)
    : h("div", { class: "ub-turn-tools" }, button("copy", t("copy_answer"), () => copy(withSources(turn))), button("again", t("regenerate"), () => deeds.again(turn)), unabridged.turnActions(turn, deeds));

  // The parts that change while the answer streams, beside the element.
  unabridged.drawTurn = (turn, deeds) => {
    const { scene, call, search } = deeds;
    const answer = h("div", { class: "ub-answer" });
    setRendered(answer, turn.html || "");
    const outside = h("div", { class: "ub-web-progress", hidden: true });
    const parts = { citations: turn.citations, answer, outside, state: turn.state };
    const proposal = turn.outside && unabridged.webProposal(turn.outside, { send: (query) => search(turn, query), decline: () => call("decline_search", { turn: turn.id }) });
    const receipt = scene ? unabridged.sceneReceipt(turn) : turn.receipt ? receiptPart(turn) : brokenOff(turn, deeds);
    const element = h("article", { class: `ub-turn ${turn.forgotten ? "ub-forgotten" : ""}`, "data-turn": turn.id || "new" }, scene && !turn.question ? null : questionPart(turn, deeds),
      h("div", { class: "ub-reply" }, scene && unabridged.speakerLine(scene, turn), outside, answer, sourcesPart(turn), proposal,
        turn.forgotten && h("p", { class: "ub-muted" }, t("forgotten_here")), receipt, turn.id && turn.state !== "answering" && answerTools(turn, deeds)));
    unabridged.bindCitations(element, () => parts.citations.map((citation) => ({ ...citation, turn: turn.id })));
    return Object.assign(parts, { element });
  };
})();
