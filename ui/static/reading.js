// Above the question: how full the window is before anything is sent, and what is being read, with a way to stop it.
"use strict";
(() => {
  const { on, emit, session, t, number, duration, h, icon, button, notice } = unabridged;

  // `follows` gives {turn, sign}: the turn that the next question follows, or null, and a sign of what the model reads down to
  // it; `waysOut` gives buttons for where the earlier turns are too long.
  unabridged.windowMeter = (call, follows, waysOut) => {
    let documents = [], known = {}, last = null, asked = "", pending = false, busyWith = null;  // the documents that are being read now
    const bar = h("div", { class: "ub-meter-bar" });
    const words = h("span", { class: "ub-meter-words" });
    const read = button("book", t("read_now"), () => call("read", { documents: session.documents }), { text: true });
    const stored = h("span", { class: "ub-stored", title: t("kept_on_disk"), hidden: true }, icon("check"), h("span", {}));
    const root = h("div", { class: "ub-meter", hidden: true }, h("div", { class: "ub-meter-line" }, h("div", { class: "ub-meter-track" }, bar), words, stored, read), h("div", { class: "ub-choices" }));

    const key = () => [session.documents.join(), follows().turn, follows().sign].join(" ");
    const draw = () => {
      root.hidden = !session.documents.length;
      if (root.hidden) return;
      const exact = last && last.key === key();
      const entries = session.documents.map((id) => documents.find((entry) => entry.id === id)).filter(Boolean);
      const ratio = last?.ratio || 0.3;  // tokens per character, until this model has counted something
      const tokens = exact ? last.tokens : Math.round(entries.reduce((sum, entry) => sum + (known[entry.id] ?? entry.characters * ratio), 0));
      const window = last?.window;
      const needed = tokens + (last?.history || 0) + (last?.reserve || 0);
      const over = exact ? !last.fits : false;
      bar.style.width = window ? `${Math.min(100, (needed / window) * 100)}%` : "0";
      root.classList.toggle("ub-over", over);
      const share = exact ? last.stored / last.tokens : 0;
      stored.hidden = share === 0;
      stored.lastChild.textContent = share === 1 ? t("is_read") : t("partly_read", { share: number(Math.floor(share * 100)) });
      read.hidden = share === 1 || over || busyWith === session.documents.join();
      root.classList.toggle("ub-counting", !exact);
      words.textContent = window
        ? t(exact ? "meter" : "meter_about", { tokens: number(tokens + (last.history || 0)), window: number(window), share: number((needed / window) * 100) })
        : t("meter_counting", { tokens: number(tokens) });
      const ways = root.querySelector(".ub-choices");
      ways.replaceChildren();
      if (!over) return;
      ways.append(h("strong", {}, t("does_not_fit", { needed: number(needed), window: number(window) })),
        h("ul", {}, last.choices.map((choice) => h("li", {}, choice))), last.history > 0 ? waysOut() : "");
    };
    const count = async () => {
      if (pending || !session.documents.length || asked === key()) return;
      const wanted = asked = key();
      pending = true;
      try {
        const told = await call("meter", { documents: [...session.documents], follows: follows().turn }, { quiet: true });
        const characters = documents.filter((entry) => session.documents.includes(entry.id)).reduce((sum, entry) => sum + entry.characters, 0);
        for (const share of told.shares) known[share.document] = share.tokens;
        last = { ...told, key: wanted, ratio: characters ? told.tokens / characters : 0.3 };
        emit("meter", told);
        emit("shares", told.shares);
      } catch (error) {
        if (!(error instanceof unabridged.Refused)) throw error;
        words.textContent = error.message;
        asked = "";
        return;
      } finally { pending = false; }
      draw();
      count();
    };
    root.recount = () => { if (asked !== key()) { draw(); count(); } };
    on("session", (changes) => { if (changes.documents) { draw(); count(); } });
    on("documents", (list) => { documents = list; draw(); count(); });
    on("settings-saved", () => { asked = ""; known = {}; last = null; draw(); count(); });
    // Reading or answering changes what lies on disk.
    on("live", ({ jobs }) => {
      const running = jobs.find((job) => ["answer", "read"].includes(job.kind) && job.state === "running");
      const now = running ? (running.documents || []).join() : null;
      if (now === busyWith) return;
      busyWith = now;
      draw();
      if (now === null) { asked = ""; count(); }
    });
    return root;
  };

  // One line for each reading or answer that has not begun to speak, of this tab or another.
  unabridged.readingLines = (call) => {
    const root = h("div", { class: "ub-readings", "aria-live": "off" });
    const lines = new Map();
    const line = (job) => {
      const words = h("span", { class: "ub-reading-words" });
      const progress = h("progress", { max: "1", "aria-label": t("reading") });
      const element = h("div", { class: "ub-reading" }, icon("book"), h("div", { class: "ub-reading-main" }, words, progress), button("close", t("cancel_keeps"), () => call("stop", { job: job.id })));
      root.append(element);
      return { element, words, progress };
    };
    const told = (job) => {
      if (job.stopping) return t("stopping");
      if (job.phase === "waiting") return job.ahead ? t("waiting_for", { ahead: number(job.ahead) }) : t("starting");
      if (job.phase === "loading") return t("loading_model", { model: job.model });
      const percent = job.total ? (job.done / job.total) * 100 : 0;
      const parts = [t("reading_percent", { percent: number(percent), done: number(job.done), total: number(job.total) })];
      if (job.reused) parts.push(t("reused_tokens", { tokens: number(job.reused) }));
      if (job.tokens_per_s > 0) parts.push(t("per_second", { speed: number(job.tokens_per_s) }), t("time_left", { time: duration(job.seconds_left) }));
      return parts.join(" · ");
    };
    const warned = new Set();
    on("live", ({ jobs }) => {
      for (const job of jobs) if (job.unsaved && !warned.has(job.id)) {
        warned.add(job.id);
        notice(t("unsaved", { reason: job.unsaved }), t("unsaved_hint"));
      }
      const running = jobs.filter((job) => job.state === "running" && ["waiting", "loading", "reading"].includes(job.phase));
      for (const job of running) {
        if (!lines.has(job.id)) lines.set(job.id, line(job));
        const { words, progress } = lines.get(job.id);
        words.textContent = told(job);
        if (job.phase === "reading" && job.total) progress.value = job.done / job.total; else progress.removeAttribute("value");
      }
      for (const [id, { element }] of lines) if (!running.some((job) => job.id === id)) { element.remove(); lines.delete(id); }
    });
    return root;
  };
})();
