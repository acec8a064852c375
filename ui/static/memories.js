// Memories: what is kept in mind from one conversation to the next, listed, added, edited, switched, deleted; and proposed ones.
"use strict";
(() => {
  const { define, on, ended, session, t, number, h, icon, button, dialog, notice } = unabridged;

  define("memories", (root, call) => {
    root.hidden = true;
    let told = { memories: [], budget: 0 };
    const list = h("ul", { class: "ub-memories" });
    const text = h("textarea", { rows: "2", maxlength: "2000", placeholder: t("memory_new"), "aria-label": t("memory_new") });
    const scope = h("select", { "aria-label": t("memory_scope") });
    const budget = h("input", { type: "number", min: "0", max: "65536", step: "128" });
    const box = h("dialog", { class: "ub-dialog ub-memories-box", "aria-label": t("memories") });

    const change = async (name, given) => { told = await call(name, given); draw(); };
    const scopeWords = (memory) => memory.scope === "everything" ? t("scope_everything")
      : [t(memory.scope === "documents" ? "scope_documents" : memory.scope === "character" ? "scope_character" : "scope_conversation"), memory.names.join(", ") || t("scope_gone")].join(": ");
    const edit = async (memory) => {
      const field = h("textarea", { rows: "4", maxlength: "2000", "aria-label": t("edit") });
      field.value = memory.text;
      const words = await dialog(t("edit"), h("div", { class: "ub-fields" }, field), { action: t("save"), answer: () => field.value });
      if (words?.trim()) await change("edit_memory", { memory: memory.id, text: words });
    };
    const remove = async (memory) => {
      if (await dialog(t("delete"), h("div", {}, h("p", {}, memory.text), h("p", { class: "ub-muted" }, t("memory_delete_means"))), { action: t("delete"), danger: true })) await change("remove_memory", { memory: memory.id });
    };
    const row = (memory) => {
      const proposed = memory.state === "proposed";
      const tick = h("input", { type: "checkbox", "aria-label": t("memory_on"), title: t("memory_on"), onchange: () => change("switch_memory", { memory: memory.id, on: tick.checked }) });
      tick.checked = memory.state === "on";
      return h("li", { class: `ub-memory ub-memory-${memory.state}`, "data-memory": memory.id }, proposed ? icon("help") : tick,
        h("div", { class: "ub-memory-words" }, h("span", {}, memory.text), h("span", { class: "ub-muted" }, proposed ? `${t("memory_proposed")} · ${scopeWords(memory)}` : scopeWords(memory))),
        proposed ? [button("check", t("memory_accept"), () => change("switch_memory", { memory: memory.id, on: true }), { text: true }), button("close", t("memory_reject"), () => change("remove_memory", { memory: memory.id }), { text: true })]
          : [button("edit", t("edit"), () => edit(memory)), button("trash", t("delete"), () => remove(memory))]);
    };
    const draw = () => {
      list.replaceChildren(...(told.memories.length ? told.memories.map(row) : [h("li", { class: "ub-muted" }, t("memories_none"))]));
      const chosen = scope.value || "everything";
      const kept = session.conversation && !session.conversation.startsWith("incognito-");
      scope.replaceChildren(h("option", { value: "everything" }, t("scope_everything")), ...(session.documents.length ? [h("option", { value: "documents" }, t("scope_these_documents", { count: number(session.documents.length) }))] : []),
        ...(kept ? [h("option", { value: "conversation" }, t("scope_this_conversation"))] : []));
      scope.value = [...scope.options].some((option) => option.value === chosen) ? chosen : "everything";
      if (document.activeElement !== budget) budget.value = told.budget;
    };
    const add = async () => {
      if (!text.value.trim()) { text.focus(); return; }
      await change("add_memory", { text: text.value, scope: scope.value, documents: session.documents, conversation: session.conversation });
      text.value = "";
    };
    budget.addEventListener("change", () => change("set_memory_budget", { tokens: Math.trunc(budget.value) }));
    const addButton = button("plus", t("add"), add, { text: true });
    addButton.classList.add("ub-primary");
    box.append(h("div", { class: "ub-memories-head" }, h("h2", {}, t("memories")), button("close", t("close"), () => box.close())),
      h("p", { class: "ub-muted" }, t("memories_about")), h("div", { class: "ub-fields" }, text, h("div", { class: "ub-row-of-buttons" }, scope, addButton)), list,
      h("label", { class: "ub-field ub-memory-budget" }, h("span", {}, t("memory_budget")), budget, h("span", { class: "ub-muted" }, t("memory_budget_help"))));
    box.addEventListener("close", () => box.remove());

    on("memories", async () => { told = await call("memories"); draw(); document.body.append(box); box.showModal(); text.focus(); });
    // What the model would remember of a conversation: shown, and kept only when it is accepted.
    on("propose-memory", async (turn) => {
      const { job } = await call("propose_memory", { turn });
      notice(t("memory_thinking"), t("memory_thinking_hint"));
      const { state, error, hint, memory } = await ended(job);
      if (state === "failed") { notice(error, hint); return; }
      if (!memory) { notice(t("memory_nothing")); return; }
      const field = h("textarea", { rows: "4", maxlength: "2000", "aria-label": t("memory_new") });
      field.value = memory.text;
      const words = await dialog(t("memory_propose"), h("div", { class: "ub-fields" }, field, h("p", { class: "ub-muted" }, t("memory_propose_means"))), { action: t("memory_accept"), answer: () => field.value });
      if (words === null) return;  // it stays in the list as proposed
      if (words.trim() && words.trim() !== memory.text) await call("edit_memory", { memory: memory.id, text: words });
      await call("switch_memory", { memory: memory.id, on: true });
    });
    const heard = new Set();
    on("live", (news) => {
      for (const job of news.jobs) if (job.remembered && !heard.has(job.id)) { heard.add(job.id); notice(t("memory_kept"), job.remembered); }
    });
  });
})();
