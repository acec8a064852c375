// The web switch: its three positions, a search that is proposed, what is happening outside, pages of the web as sources; its
// settings and the network log. Addresses come from strangers: only http and https ones become links.
"use strict";
(() => {
  const { define, on, emit, session, t, number, size, h, icon, button, menu, notice, dialog, kept, strings } = unabridged;
  const POSITIONS = ["off", "ask", "allow"];
  const TITLES = { off: "web_is_off", ask: "web_is_ask", allow: "web_is_allow" };
  const MEANINGS = { off: "web_off_means", ask: "web_ask_means", allow: "web_allow_means" };
  const NAMES = { duckduckgo: "DuckDuckGo", searxng: "SearXNG", brave: "Brave Search", tavily: "Tavily" };
  const REMEMBERED = 100;  // conversations whose switch was moved
  const nameOf = (provider) => provider === "folder" ? t("web_folder_pages") : NAMES[provider] || provider;

  // --- the switch: each conversation has its own position; one that is yet to begin has the position of the settings
  let standard = "off", fresh = null;
  const position = () => (session.conversation ? kept.get("web", {})[session.conversation] : fresh) || standard;
  const move = (to) => {
    if (session.conversation) remember(session.conversation, to); else fresh = to;
    emit("web-moved");
  };
  const remember = (conversation, to) => {
    const { [conversation]: _, ...others } = kept.get("web", {});
    kept.set("web", Object.fromEntries([...Object.entries(others), [conversation, to]].slice(-REMEMBERED)));
  };
  on("conversation-began", (id) => { if (fresh) remember(id, fresh); fresh = null; });
  unabridged.webPosition = position;
  unabridged.webSwitch = () => {
    const element = button("globe", t("web_is_off"), () => menu(element, POSITIONS.map((name) => ({
      icon: name === position() ? "check" : "globe", label: `${t(TITLES[name])} – ${t(MEANINGS[name])}`, run: () => move(name),
    }))), { "aria-haspopup": "menu", "data-web": "off" });
    const word = h("span", { class: "ub-web-word" });
    element.append(word);
    const draw = () => {
      const now = position();
      element.dataset.web = now;
      element.title = `${t(TITLES[now])}: ${t(MEANINGS[now])}`;
      element.setAttribute("aria-label", t(TITLES[now]));
      element.classList.toggle("ub-web-on", now !== "off");
      word.textContent = now === "off" ? "" : t(now === "ask" ? "web_ask_word" : "web_allow_word");
    };
    on("web-moved", draw);
    on("session", draw);
    draw();
    return element;
  };

  // --- what an answer has to do with the web
  const link = (url, words) => {
    const safe = URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
    return safe ? h("a", { class: "ub-web-link", href: url, target: "_blank", rel: "noopener noreferrer", title: url }, words || url) : h("span", { title: url }, words || url);
  };
  const moment = (iso) => { const when = new Date(iso); return isNaN(when) ? "" : when.toLocaleString(strings.language, { dateStyle: "medium", timeStyle: "short" }); };
  unabridged.webLine = (source) => h("span", { class: "ub-web-line" }, icon("globe"), link(source.url), source.retrieved_at && h("span", {}, t("web_retrieved", { when: moment(source.retrieved_at) })));

  const pageLine = (page) => h("li", { class: page.problem ? "ub-web-failed" : "" }, icon(page.problem ? "warning" : "check"),
    h("span", {}, page.url ? link(page.url, page.name || page.url) : nameOf(page.name), page.problem && ` – ${page.problem}`));
  const doing = (job) => job.phase === "searching" ? t("web_searching", { provider: nameOf(job.provider), query: job.query })
    : job.phase === "deciding" ? t("web_deciding", { step: number(job.step), limit: number(job.limit) }) : "";
  // Shown over an answer while it is made; `element` belongs to that turn.
  unabridged.webProgress = (element, job) => {
    const words = doing(job), pages = job.pages || [];
    const key = JSON.stringify([words, pages]);
    if (element.dataset.key === key) return;
    element.dataset.key = key;
    element.hidden = !words && !pages.length;
    element.replaceChildren(...[words && h("p", { role: "status" }, icon("globe"), h("span", {}, words)), pages.length > 0 && h("ul", {}, pages.map(pageLine))].filter(Boolean));
  };
  // The card of a proposed search: nothing has left. `send` gets the words as they were edited.
  unabridged.webProposal = (outside, { send, decline }) => {
    const { proposal, failed } = outside;
    const trouble = failed.length > 0 && h("div", { class: "ub-web-progress" }, h("ul", {}, failed.map(pageLine)));
    if (!proposal) return trouble || null;
    const field = h("input", { type: "text", maxlength: "300", "aria-label": t("web_query") });
    field.value = proposal.query;
    const submit = () => { if (field.value.trim()) send(field.value.trim()); };
    field.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); submit(); } });
    const go = button("send", t("send"), submit, { text: true });
    go.classList.add("ub-primary");
    return h("div", {}, trouble, h("section", { class: "ub-proposal", "aria-label": t("web_propose") },
      h("strong", {}, icon("globe"), t("web_propose")), h("p", {}, proposal.reason), field,
      h("p", { class: "ub-muted" }, t(proposal.provider === "folder" ? "web_sent_folder" : "web_sent_to", { provider: nameOf(proposal.provider) })),
      h("div", { class: "ub-proposal-actions" }, button(null, t("web_not_now"), decline, { text: true }), go)));
  };

  // --- settings and the log
  define("web", (root, call) => {
    let told = null;
    const form = h("div", { class: "ub-web-form" }), log = h("div", { class: "ub-web-log" });
    const fold = h("details", { class: "ub-catalogue ub-web-settings" }, h("summary", {}, t("web_settings"), h("span", { class: "ub-muted" }, t("web_settings_help"))), form);
    const logFold = h("details", { class: "ub-catalogue ub-web-settings", ontoggle: () => logFold.open && drawLog() }, h("summary", {}, t("network_log"), h("span", { class: "ub-muted" }, t("network_log_help"))), log);
    root.append(fold, logFold);

    const labelled = (words, help, field) => h("label", { class: "ub-field" }, h("span", {}, words), help && h("span", { class: "ub-muted" }, help), field);
    const choose = (choices, value) => { const field = h("select", {}, choices.map(([name, words]) => h("option", { value: name }, words))); field.value = value; return field; };
    const draw = () => {
      const field = (name, type, more = {}) => { const input = h("input", { type, ...more }); input.value = told[name]; return input; };
      const mode = choose(POSITIONS.map((name) => [name, t(TITLES[name])]), told.mode);
      const provider = choose(told.providers.map((name) => [name, nameOf(name)]), told.provider);
      const address = field("address", "url", { placeholder: "https://" }), folder = field("folder", "text");
      const pages = field("pages", "number", { min: 1, max: 20 }), tokens = field("tokens", "number", { min: 512 }), steps = field("steps", "number", { min: 0, max: 30 });
      const key = h("input", { type: "password", autocomplete: "off" });
      const addressField = labelled(t("web_address"), t("web_address_help"), address), folderField = labelled(t("web_folder"), t("web_folder_help"), folder);
      const keyState = h("span", { class: "ub-muted" }), forget = button("trash", t("web_key_forget"), () => keep(""), { text: true });
      const keyField = h("div", { class: "ub-field" }, labelled(t("web_key"), null, key), keyState, h("span", { class: "ub-row-of-buttons" }, button("lock", t("web_key_keep"), () => key.value.trim() && keep(key.value), { text: true }), forget));
      const keep = async (value) => { told = await call("keep_web_key", { provider: provider.value, key: value }); key.value = ""; show(); };
      const show = () => {
        addressField.hidden = provider.value !== "searxng";
        folderField.hidden = provider.value !== "folder";
        const known = told.keys[provider.value];
        keyField.hidden = !known;
        keyState.textContent = known ? t(known.kept ? "web_key_is_kept" : "web_key_is_missing", { variable: known.variable }) : "";
        forget.hidden = !known?.kept;
      };
      provider.addEventListener("change", show);
      const save = async () => {
        told = await call("save_web", { mode: mode.value, provider: provider.value, address: address.value, folder: folder.value, pages: Math.trunc(pages.value), tokens: Math.trunc(tokens.value), steps: Math.trunc(steps.value) });
        standard = told.mode;
        emit("web-moved");
        notice(t("settings_saved"));
      };
      for (const each of [mode, provider, address, folder, pages, tokens, steps]) each.addEventListener("change", save);
      form.replaceChildren(labelled(t("web_standard"), t("web_standard_help"), mode), labelled(t("web_provider"), t("web_provider_help"), provider), addressField, folderField, keyField,
        labelled(t("web_pages"), null, pages), labelled(t("web_tokens"), t("web_tokens_help"), tokens), labelled(t("web_steps"), t("web_steps_help"), steps));
      show();
    };
    const drawLog = async () => {
      const rows = await call("network_log", {}, { quiet: true });
      const bytes = (value) => value === null ? "–" : size(value);
      const clear = button("trash", t("network_log_clear"), async () => {
        if (!(await dialog(t("network_log"), h("p", {}, t("network_log_clear_sure")), { action: t("delete"), danger: true }))) return;
        await call("clear_network_log");
        drawLog();
      }, { text: true });
      log.replaceChildren(rows.length
        ? h("div", { class: "ub-log-rows", tabindex: "0" }, h("table", {}, h("thead", {}, h("tr", {}, ["log_at", "log_host", "log_purpose", "log_sent", "log_received", "log_status"].map((name) => h("th", { scope: "col" }, t(name))))),
          h("tbody", {}, rows.map((row) => h("tr", {}, h("td", {}, moment(row.at)), h("td", {}, row.host), h("td", {}, row.purpose), h("td", {}, bytes(row.sent)), h("td", {}, bytes(row.received)), h("td", {}, row.status ?? t("log_no_answer")))))))
        : h("p", { class: "ub-muted" }, t("network_log_empty")), h("div", { class: "ub-row-of-buttons" }, button("again", t("network_log_again"), drawLog, { text: true }), rows.length > 0 && clear));
    };
    const refresh = async () => {
      told = await call("web", {}, { quiet: true });
      standard = told.mode;
      emit("web-moved");
      draw();
    };
    on("ready", refresh);
    on("settings", () => { refresh(); if (logFold.open) drawLog(); });
  });
})();
