// The chat: a tree of turns drawn along its chosen branch. While an answer streams only that answer's own blocks are touched.
"use strict";
(() => {
  const { define, on, emit, ended, session, update, t, h, setRendered, icon, button, dialog, kept } = unabridged;

  define("chat", (root, call) => {
    let conversation = null, documents = [], jobs = [], failure = null, loading = 0;
    let following = true;
    let carried = null;  // a summary that the next question takes along, in a fresh branch
    let asked = null;  // the job that this tab waits for: {id, question}
    const chosen = {};  // parent → child, where the reader walked to another branch
    const drawn = new Map();  // turn → {element, key, answer, citations}
    const transcript = h("div", { class: "ub-transcript", role: "log", "aria-label": t("conversation"), tabindex: "0" });
    const turnsBox = h("div", { class: "ub-turns" });
    const welcome = h("div", { class: "ub-welcome" });
    const down = button("down", t("to_the_end"), () => toEnd(), { hidden: true });
    down.classList.add("ub-to-end");
    transcript.append(welcome, turnsBox);
    const composer = unabridged.composer({ send: (question, follows) => carried ? goOn(question) : send(question, follows), stop: stopAnswer });
    const followed = () => {
      const path = !conversation?.scene && kept.get("follow", false) ? branch().filter((turn) => turn.state !== "answering") : [];
      return { turn: path.at(-1)?.id ?? null, sign: path.map((turn) => turn.forgotten ? "-" : "+").join("") };
    };
    const meter = unabridged.windowMeter(call, followed, () => waysOut());
    const about = composer.root.querySelector(".ub-about");
    const bar = unabridged.sceneBar(call, { fill: (words) => { composer.fill(words); emit("focus-question"); }, tip: () => branch().at(-1)?.id ?? null, say: (message, players) => { const parent = branch().at(-1)?.id ?? null; act("say", { parent, message, players }, parent); } });
    root.append(transcript, down, h("div", { class: "ub-below" }, unabridged.readingLines(call), meter, bar.root, composer.root));

    // --- the tree
    const childrenOf = (parent) => conversation.turns.filter((turn) => turn.parent === parent);
    const branch = () => {
      const path = [];
      let parent = null;
      for (;;) {
        const children = conversation ? childrenOf(parent) : [];
        if (!children.length) return path;
        const turn = children.find((child) => child.id === chosen[parent]) || children.at(-1);
        path.push({ ...turn, at: children.indexOf(turn), of: children.length, siblings: children });
        parent = turn.id;
      }
    };
    const runningJob = () => jobs.find((job) => job.kind === "answer" && job.state === "running" && (job.id === asked?.id || (conversation && job.conversation === conversation.id)));

    // --- asking
    // A conversation that was opened a moment ago is on its way here: what is sent belongs to it, not to the one before.
    const arrived = async () => {
      const isHere = () => (session.conversation ?? null) === (conversation?.id ?? null);
      for (let tries = 0; tries < 3 && !isHere(); tries += 1) await load();
      return isHere();
    };
    async function send(question, follows, { parent, query = "", summary = null } = {}) {
      if (!(await arrived())) return;
      if (parent === undefined) parent = branch().at(-1)?.id ?? null;
      if (conversation?.scene) { await act("say", { parent, message: question, summary }, parent, { question }); composer.fill(""); return; }
      failure = null;
      const job = await call("ask", { documents: session.documents, question, follows: Boolean(follows && parent), parent, conversation: conversation?.id ?? null,
        incognito: !conversation && unabridged.isIncognito(), web: unabridged.webPosition(), query, summary });
      asked = { id: job.job, question, first: !conversation };
      delete chosen[parent];
      composer.fill("");
      following = true;
      hear();
    }
    // In a scene: something is said, said otherwise, or goes on.
    async function act(name, given, parent, { question = "" } = {}) {
      failure = null;
      const job = await call(name, { conversation: conversation.id, ...given });
      asked = { id: job.job, question };
      delete chosen[parent];
      following = true;
      hear();
    }
    async function stopAnswer() { const job = runningJob(); if (job) await call("stop", { job: job.id }); }
    on("stop", stopAnswer);
    const sameDocuments = () => conversation.documents.length === session.documents.length && conversation.documents.every((document, index) => document.id === session.documents[index]);
    const edit = async (turn) => {
      const field = h("textarea", { rows: "5", "aria-label": t("edit") });
      field.value = turn.question;
      const question = await dialog(t("edit"), h("div", { class: "ub-fields" }, field, h("p", { class: "ub-hint" }, t("edit_branches"))), { action: t("send"), answer: () => field.value });
      if (question?.trim()) { await useItsDocuments(); await send(question.trim(), turn.follows, { parent: turn.parent }); }
    };
    const again = async (turn) => { await useItsDocuments(); await send(turn.question, turn.follows, { parent: turn.parent }); };
    const useItsDocuments = async () => { if (!sameDocuments()) update({ documents: conversation.documents.map((document) => document.id) }); };
    const remove = async (turn) => {
      if (!(await dialog(t("delete"), h("p", {}, t("delete_turn_sure")), { action: t("delete"), danger: true }))) return;
      await call("delete_turn", { turn: turn.id });
      await load();
    };

    // --- beside an answer: a search that is proposed, a summary that goes on in a fresh branch
    const search = async (turn, query) => {
      await useItsDocuments();
      await send(turn.question, turn.follows, { parent: turn.parent, query });
      await call("decline_search", { turn: turn.id });
    };
    const sumUp = async (turn, question = "") => {
      const talk = conversation.id, { job } = await call("summarise", { turn: turn.id });
      unabridged.notice(t("sum_up_runs"), t("sum_up_runs_hint"));
      const { state, error, hint, summary } = await ended(job);
      if (state === "failed") { unabridged.notice(error, hint); return; }
      if (talk !== conversation?.id) return;  // another one is looked at now
      if (summary) carried = await unabridged.editSummary(summary, conversation.turns);
      if (carried && question) await goOn(question); else drawAbout();
    };
    const forgetSome = async (question) => {
      const path = branch(), ids = await call("read_by_model", { turn: path.at(-1).id });
      const ticks = path.filter((turn) => ids.includes(turn.id)).map((turn) => [h("input", { type: "checkbox", value: turn.id }), turn.question]);
      const body = h("div", { class: "ub-fields" }, h("p", { class: "ub-muted" }, t("forget_turns_means")), ticks.map(([tick, words]) => h("label", { class: "ub-check" }, tick, h("span", {}, words))));
      const chosen_ = await dialog(t("forget_turns"), body, { action: t("forget_chosen"), answer: () => ticks.filter(([tick]) => tick.checked).map(([tick]) => tick.value) });
      if (!chosen_?.length) return;
      for (const turn of chosen_) await call("forget_turn", { turn, forgotten: true });
      if (question) await send(question, true);
    };
    // Where the window is full: what can be done at once, with the question that did not fit or before there is one.
    const waysOut = (question = "") => h("div", { class: "ub-row-of-buttons" }, unabridged.modelWrites && button("quote", t("sum_up"), () => sumUp(branch().at(-1), question), { text: true }),
      button("list", t("forget_turns"), () => forgetSome(question), { text: true }), !conversation.scene && question && button("send", t("ask_alone"), () => send(question, false), { text: true }));
    const goOn = async (question) => { const summary = carried; carried = null; await send(question, false, { parent: null, summary }); drawAbout(); };
    // Where the model begins to read when the next question follows up; what stands above is shown, and not read.
    const unread = h("div", { class: "ub-unread-line", role: "note" }, t("not_read_above"));
    let read = { turn: null, ids: [] };
    const drawUnread = async () => {
      const tip = branch().at(-1);
      if (!tip || tip.state === "answering" || !kept.get("follow", false)) { unread.remove(); return; }
      const key = JSON.stringify(branch().map((turn) => [turn.id, turn.forgotten]));
      if (read.key !== key) { read = { key, ids: [] }; read.ids = await call("read_by_model", { turn: tip.id }, { quiet: true }); }
      const path = branch(), first = path.findIndex((turn) => read.ids.includes(turn.id));
      if (first > 0) drawn.get(path[first].id)?.element.before(unread); else unread.remove();
    };
    on("follow", () => { drawUnread(); meter.recount(); });

    // --- what can be done about a turn: turns.js draws it
    const walk = (turn, by) => { chosen[turn.parent] = turn.siblings[(turn.at + by + turn.of) % turn.of].id; draw(); };
    const choose = async (id) => { chosen[null] = id; await load(); };
    const turnElement = (turn) => unabridged.drawTurn(turn, { scene: conversation?.scene ?? null, conversation: conversation?.id, call, walk, choose, edit, again, remove, act, search, sumUp });

    const draw = () => {
      const path = branch();
      const job = runningJob();
      const fresh = job && !path.some((turn) => turn.id === job.turn);
      const shown = fresh ? [...path.slice(0, job.parent ? path.findIndex((turn) => turn.id === job.parent) + 1 : job.conversation === conversation?.id ? 0 : path.length),
        { id: null, question: job.question, html: "", citations: [], state: "answering" }] : path;
      const wanted = new Set();
      let before = null;
      for (const turn of shown) {
        const id = turn.id || "new";
        wanted.add(id);
        const key = JSON.stringify([turn.question, turn.state, turn.at, turn.of, turn.state === "answering" ? "" : turn.text, turn.forgotten, turn.outside, conversation?.scene?.players.length, conversation?.scene?.speakers[turn.id]]);
        let part = drawn.get(id);
        if (part?.key !== key) {
          const next = turnElement(turn);
          next.key = key;
          part ? part.element.replaceWith(next.element) : turnsBox.append(next.element);
          drawn.set(id, part = next);
        }
        if (part.element.previousElementSibling !== before) before ? before.after(part.element) : turnsBox.prepend(part.element);
        before = part.element;
      }
      for (const [id, part] of drawn) if (!wanted.has(id)) { part.element.remove(); drawn.delete(id); }
      stream(job);
      turnsBox.querySelector(".ub-failure")?.remove();
      if (failure) turnsBox.append(failureBox(failure));
      root.classList.toggle("ub-refused", Boolean(failure?.ways));
      welcome.hidden = shown.length > 0 || Boolean(failure) || Boolean(conversation?.scene);
      if (!welcome.hidden) drawWelcome();
      composer.setRunning(Boolean(job));
      drawAbout();
      drawUnread();
      meter.recount();
    };
    const failureBox = ({ error, hint, ways, question, follows }) => h("div", { class: "ub-failure", role: "alert" }, icon("warning"),
      h("div", {}, h("strong", {}, error), ways ? h("ul", {}, ways.map((way) => h("li", {}, way))) : h("p", {}, hint), ways && follows && waysOut(question)),
      question && button("again", t("try_again"), () => send(question, follows), { text: true }), conversation?.scene && unabridged.chooseModel());
    const stream = (job) => {
      if (!job) return;
      const part = drawn.get(job.turn) || drawn.get("new");
      if (!part || part.state === "finished") return;  // news that is older than what is drawn
      part.element.classList.toggle("ub-thinking-now", !job.html);
      unabridged.webProgress(part.outside, job);
      if (job.html !== undefined) setRendered(part.answer, job.html);
      part.citations = job.citations || [];
      if (following) toEnd();
    };
    // The end is followed until the reader scrolls up, and again from when the end is in sight.
    const atEnd = () => transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < 80;
    const toEnd = () => { following = true; transcript.scrollTop = transcript.scrollHeight; };
    const showDown = () => { down.hidden = following || atEnd(); };
    new ResizeObserver(() => { if (following) toEnd(); showDown(); }).observe(turnsBox);  // a turn's true height is known only once it is drawn
    let top = 0;
    transcript.addEventListener("scroll", () => {
      if (atEnd()) following = true; else if (transcript.scrollTop < top - 2) following = false;
      top = transcript.scrollTop;
      showDown();
    }, { passive: true });

    // --- before the first question
    const chosenNames = () => session.documents.map((id) => documents.find((entry) => entry.id === id)?.name).filter(Boolean);
    const drawWelcome = () => {
      const names = chosenNames();
      const key = JSON.stringify([documents.length > 0, names]);
      if (welcome.dataset.key === key) return;
      welcome.dataset.key = key;
      const steps = h("ol", { class: "ub-steps" }, ["step_add", "step_ask", "step_check"].map((step) => h("li", {}, h("strong", {}, t(step)), h("span", {}, t(`${step}_more`)))));
      const add = button("plus", t("add_files"), () => emit("add-files"), { text: true });
      add.classList.add("ub-primary");
      const library = button("panel_left", t("fold_library"), () => emit("unfold", "left"), { text: true });
      library.classList.add("ub-when-folded");
      const actions = h("div", { class: "ub-actions" }, documents.length > 0 && library, add, button("quote", t("sample"), () => emit("sample"), { text: true }), button("text", t("paste_text"), () => emit("paste-text"), { text: true }));
      if (names.length) {
        const questions = (names.length === 1 && unabridged.strings.samples[names[0]]) || [];
        welcome.replaceChildren(h("h2", {}, t("ask_about_title")), h("ol", { class: `ub-names ${names.length > 1 ? "ub-several" : ""}` }, names.map((name) => h("li", {}, name))), h("p", {}, t("ask_about_more")),
          h("div", { class: "ub-questions" }, questions.map((question) => h("button", { type: "button", class: "ub-button", onclick: () => send(question, false) }, question))));
      } else if (documents.length) welcome.replaceChildren(h("h2", {}, t("tick_title")), h("p", {}, t("tick_more")), actions);
      else welcome.replaceChildren(h("h2", {}, t("welcome_title")), h("p", {}, t("welcome_more")), steps, actions);
    };
    const drawAbout = () => {
      bar.show(conversation?.scene ?? null, conversation?.id);
      composer.field.placeholder = !conversation?.scene ? t("ask_here") : conversation.scene.setup.user === t("you") ? t("speak") : t("speak_here", { name: conversation.scene.setup.user });
      if (conversation?.scene) { about.hidden = true; return; }
      const other = conversation && conversation.turns.length > 0 && session.documents.length > 0 && !sameDocuments();
      const gone = conversation && conversation.turns.length > 0 && !session.documents.length;
      about.hidden = !(other || gone || carried);
      about.title = about.textContent = carried ? t("summary_goes_along") : other ? t("reads_other", { names: chosenNames().join(", ") }) : gone ? t("documents_gone") : "";
    };

    // --- what happens
    const load = async () => {
      const ticket = ++loading;
      const wanted = session.conversation;
      let next = null;
      if (wanted) {
        try { const [talk, scene] = await Promise.all([call("conversation", { conversation: wanted }, { quiet: true }), call("scene", { conversation: wanted }, { quiet: true })]); next = { ...talk, scene }; } catch (error) { if (error.kind === "UsageError") update({ conversation: null }); return; }
      }
      if (ticket !== loading) return;
      const other = next?.id !== conversation?.id;
      conversation = next;
      if (other) { drawn.forEach((part) => part.element.remove()); drawn.clear(); }
      draw();
      if (other || following) toEnd();
    };
    let seen = "";
    // What became of the work that this tab waits for. It may have ended before its id was known here, with no more news to come.
    const hear = () => {
      const mine = jobs.find((job) => job.id === asked?.id);
      if (mine && mine.conversation && mine.conversation !== session.conversation && mine.turn) { emit("conversation-began", mine.conversation); update({ conversation: mine.conversation }); }
      if (mine && mine.state !== "running") {
        if (mine.state === "failed") { failure = { error: mine.error, hint: mine.hint, ways: mine.ways, question: asked.question, follows: mine.follows }; }
        if (mine.state === "finished" && asked.first) call("title_conversation", { turn: mine.turn }, { quiet: true });
        if (mine.state !== "finished" && !mine.turn) composer.fill(composer.field.value || asked.question);
        asked = null;
        load();
      }
    };
    on("live", (news) => {
      jobs = news.jobs;
      hear();
      const now = JSON.stringify([news.lists, jobs.filter((job) => job.kind === "answer").map((job) => [job.id, job.state, job.turn])]);
      if (now !== seen) { seen = now; load(); } else stream(runningJob());
    });
    // A turn that was found by a search: its branch is chosen, and it comes into sight.
    const showTurn = async (id) => {
      await load();
      const turn = (wanted) => conversation?.turns.find((each) => each.id === wanted);
      for (let step = turn(id); step; step = turn(step.parent)) chosen[step.parent] = step.id;
      draw();
      following = false;
      drawn.get(id)?.element.scrollIntoView({ block: "start" });
    };
    on("show-turn", showTurn);
    on("session", (changes) => { if ("conversation" in changes) { failure = carried = null; load(); } else draw(); });
    on("documents", (list) => { documents = list; draw(); });
    on("ready", load);
    on("back", load);
    draw();
  });
})();
