// What all panels share: mounting, calls to Python, the session of this tab, live news, small pieces of page.
// Text from documents, models and files is only ever put on the page as text (`h`); the one exception is `setRendered`.
"use strict";
window.unabridged = (() => {
  const drawers = {}, listeners = {};
  const strings = window.unabridgedStrings;

  // --- panels and events -------------------------------------------------------------------------------------------
  const define = (name, draw) => { drawers[name] = draw; };
  const on = (event, listener) => { (listeners[event] ||= []).push(listener); };
  const emit = (event, data) => { for (const listener of listeners[event] || []) listener(data); };
  const wanted = ["header", "library", "chat", "source", "models", "web", "memories", "characters", "settings"];
  const mount = (name, root, server, upload) => {
    drawers[name](root, caller(server), upload);
    wanted.splice(wanted.indexOf(name), 1);
    if (!wanted.length) { document.documentElement.lang = strings.language; emit("ready"); listen(); }
  };

  // --- Python ------------------------------------------------------------------------------------------------------
  class Refused extends Error {}
  const caller = (server) => async (name, given = {}, { quiet = false } = {}) => {
    let answer;
    try {
      answer = await server[name]({ ...given, language: strings.language });
    } catch (error) {
      if (!quiet) notice(t("connection_lost"), t("connection_lost_hint"));
      throw new Refused(String(error));
    }
    if (answer && answer.error !== undefined) {
      if (!quiet) notice(answer.error, answer.hint);
      throw Object.assign(new Refused(answer.error), { hint: answer.hint, kind: answer.kind });
    }
    return answer;
  };
  window.addEventListener("unhandledrejection", (event) => { if (event.reason instanceof Refused) event.preventDefault(); });

  // --- news of running work, for every tab -------------------------------------------------------------------------
  let lost = false, run = null, jobs = [];
  const awaited = new Map();  // job → who waits for its end
  const settle = () => {
    for (const job of jobs) if (job.state !== "running" && awaited.has(job.id)) {
      const resolve = awaited.get(job.id);
      awaited.delete(job.id);
      resolve(job);
    }
  };
  // The last news of a job, once it has ended; it may have ended before its id was known here, with no more news to come.
  const ended = (id) => new Promise((resolve) => { awaited.set(id, resolve); settle(); });
  const listen = () => {
    const source = new EventSource(`/live?language=${strings.language}`);
    source.onmessage = (message) => {
      const news = JSON.parse(message.data);
      if (run && run !== news.run) { location.reload(); return; }  // another start of the server, perhaps another version
      run = news.run;
      if (lost) { lost = false; document.body.classList.remove("ub-lost"); emit("back"); }
      jobs = news.jobs;
      emit("live", news);
      settle();
    };
    source.onerror = () => {
      lost = true;
      document.body.classList.add("ub-lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 1500);  // refused: the browser itself would give up
    };
  };

  // --- the session of this tab: kept in the address, so that a reload finds it ---------------------------------------
  const session = { conversation: null, documents: [], ...readAddress() };
  function readAddress() {
    const fields = new URLSearchParams(location.hash.slice(1));
    const kept = {};
    if (fields.get("c")) kept.conversation = fields.get("c");
    if (fields.get("d")) kept.documents = fields.get("d").split(",");
    return kept;
  }
  const update = (changes) => {
    Object.assign(session, changes);
    const fields = new URLSearchParams();
    if (session.conversation) fields.set("c", session.conversation);
    if (session.documents.length) fields.set("d", session.documents.join(","));
    history.replaceState(null, "", `#${fields}`);
    emit("session", changes);
  };

  // --- words and numbers ---------------------------------------------------------------------------------------------
  const integers = new Intl.NumberFormat(strings.language);
  const number = (value) => integers.format(Math.round(value));
  const t = (key, values = {}) => {
    let text = strings.texts[key];
    if (text === undefined) throw new Error(`no string ${key}`);
    const forms = text.split("|");  // one|many
    if (forms.length === 2) text = forms[values.count === number(1) ? 0 : 1];
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
    return `${bytes >= 10 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
  };
  const duration = (seconds) => {
    seconds = Math.max(0, Math.round(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  };

  // --- pieces of page --------------------------------------------------------------------------------------------------
  const h = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "class") element.className = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };
  // `html` was made by ui/markdown.py, which escapes all text. Blocks that did not change stay untouched, and with them
  // what the reader has selected.
  const setRendered = (element, html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const next = [...fresh.content.children];
    const old = [...element.children];
    next.forEach((child, index) => {
      if (!old[index]) element.append(child);
      else if (old[index].outerHTML !== child.outerHTML) old[index].replaceWith(child);
    });
    old.slice(next.length).forEach((child) => child.remove());
  };
  // Rows of a list, each {key, sign, make}: one is made anew only when its sign has changed, and hands on the focus, so that
  // nobody's click or place in the list is lost.
  const lists = new WeakMap();
  const FOCUSABLE = "button,input,a,summary,[tabindex]";
  const fillRows = (container, rows) => {
    const known = lists.get(container) || new Map(), next = new Map();
    lists.set(container, next);
    for (const [position, { key, sign, make }] of rows.entries()) {
      const old = known.get(key);
      const row = old?.sign === sign ? old : { sign, element: make() };
      next.set(key, row);
      if (old && old !== row) {
        const at = [...old.element.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
        old.element.replaceWith(row.element);
        if (at >= 0) row.element.querySelectorAll(FOCUSABLE)[at]?.focus({ preventScroll: true });
      }
      if (container.children[position] !== row.element) container.insertBefore(row.element, container.children[position] || null);
    }
    for (const element of [...container.children].slice(rows.length)) element.remove();
  };
  const PATHS = {
    plus: "M12 5v14M5 12h14", send: "M12 19V5M6 11l6-6 6 6", stop: "M7 7h10v10H7z", close: "M6 6l12 12M18 6L6 18",
    globe: "M12 3a9 9 0 100 18 9 9 0 000-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
    attach: "M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.4 3.4 0 015 5l-8.5 8.500a1.7 1.7 0 01-2.5-2.500L15 7",
    search: "M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l5 5", more: "M4.2 12a.8.8 0 101.6 0 .8.8 0 10-1.6 0M11.2 12a.8.8 0 101.6 0 .8.8 0 10-1.6 0M18.2 12a.8.8 0 101.6 0 .8.8 0 10-1.6 0",
    copy: "M9 9h11v11H9zM5 15H4V4h11v1", edit: "M4 20h4L19 9l-4-4L4 16z", trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
    again: "M20 5v5h-5M20 10a8 8 0 10.5 4", left: "M15 5l-7 7 7 7", right: "M9 5l7 7-7 7", up: "M5 15l7-7 7 7", down: "M5 9l7 7 7-7",
    panel_left: "M4 5h16v14H4zM9 5v14", panel_right: "M4 5h16v14H4zM15 5v14", gear: "M4 7h9M17 7h3M4 17h3M11 17h9M13 4v6M7 14v6",
    moon: "M20 14A8 8 0 1110 4a7 7 0 0010 10z", sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
    list: "M4 6h16M4 12h10M4 18h13", page: "M6 3h9l4 4v14H6zM14 3v5h5", text: "M5 6h14M5 10h14M5 14h14M5 18h8", warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
    check: "M5 13l4 4L19 7", help: "M9 9a3 3 0 114 3c-1 .600-1 1-1 2M12 18h.01", quote: "M5 17V9h5v5a4 4 0 01-3 3M14 17V9h5v5a4 4 0 01-3 3",
    people: "M8.500 5a3.500 3.500 0 100 7 3.500 3.500 0 000-7zM2 20a6.500 6.500 0 0113 0M16 5.500a3.300 3.300 0 010 6.200M18 14.500a6 6 0 014 5.500",
    book: "M4 5a8 8 0 018 1 8 8 0 018-1v13a8 8 0 00-8 1 8 8 0 00-8-1zM12 6v13", zoom_in: "M12 6v12M6 12h12", zoom_out: "M6 12h12",
    incognito: "M3 11h18M6 11l2-6h8l2 6M7 14a2.500 2.500 0 100 5 2.500 2.500 0 000-5zM17 14a2.500 2.500 0 100 5 2.500 2.500 0 000-5zM9.500 16h5", archive: "M4 5h16v4H4zM6 9v10h12V9M10 13h4", bookmark: "M7 4h10v16l-5-4-5 4z",
    fetch: "M12 4v11M7 11l5 5 5-5M5 20h14", pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7", lock: "M6 11h12v9H6zM8.5 11V8a3.500 3.500 0 017 0v3", language: "M4 5h9M8 3v2M11 5c-1 5-4 7-7 9M5 8c1 3 4 5 6 6M12 21l4-10 4 10M13.5 18h5",
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("class", "ub-icon");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", PATHS[name]);
    svg.append(path);
    return svg;
  };
  const button = (iconName, label, onclick, { text = false, ...attributes } = {}) =>
    h("button", { type: "button", title: text ? undefined : label, "aria-label": label, class: text ? "ub-button" : "ub-tool", onclick, ...attributes },
      iconName && icon(iconName), text && h("span", {}, label));

  // --- notices and questions --------------------------------------------------------------------------------------------
  const notices = h("div", { class: "ub-notices", role: "status", "aria-live": "polite" });
  const notice = (message, hint = "") => {
    document.body.append(notices);
    const item = h("div", { class: "ub-notice" }, h("div", {}, h("strong", {}, message), hint && h("p", {}, hint)),
      button("close", t("close"), () => item.remove()));
    notices.append(item);
    while (notices.children.length > 3) notices.firstElementChild.remove();
    setTimeout(() => item.remove(), 12000);
  };
  // A modal question; resolves with what `answer` gives, or null when it was dismissed.
  const dialog = (title, body, { action, danger = false, wide = false, answer = () => true } = {}) => new Promise((resolve) => {
    const box = h("dialog", { class: `ub-dialog ${wide ? "ub-wide" : ""}`, "aria-label": title });
    const done = (value) => { box.close(); box.remove(); resolve(value); };
    box.append(h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); done(answer()); } },
      h("h2", {}, title), body,
      h("div", { class: "ub-dialog-actions" },
        h("button", { type: "button", class: "ub-button", onclick: () => done(null) }, action ? t("cancel") : t("close")),
        action && h("button", { type: "submit", class: `ub-button ${danger ? "ub-danger" : "ub-primary"}` }, action))));
    box.addEventListener("cancel", (event) => { event.preventDefault(); done(null); });
    document.body.append(box);
    box.showModal();
    const first = box.querySelector("input,textarea");
    if (first?.matches("input")) first.select(); else { first?.focus(); first?.setSelectionRange(0, 0); }
  });
  const menu = (anchor, items) => {
    document.querySelector(".ub-menu")?.remove();
    const list = h("div", { class: "ub-menu", role: "menu" }, items.filter(Boolean).map((item) =>
      h("button", { type: "button", role: "menuitem", class: item.danger ? "ub-danger-text" : "",
        onclick: (event) => { event.stopPropagation(); list.remove(); item.run(); } }, icon(item.icon), item.label)));
    document.body.append(list);
    const place = anchor.getBoundingClientRect();
    list.style.top = `${Math.min(place.bottom + 4, innerHeight - list.offsetHeight - 8)}px`;
    list.style.left = `${Math.max(8, Math.min(place.right - list.offsetWidth, innerWidth - list.offsetWidth - 8))}px`;
    list.querySelector("button").focus();
    const away = (event) => {
      if (event.type === "keydown" && event.key !== "Escape") return;
      if (event.type === "pointerdown" && list.contains(event.target)) return;
      if (event.type === "keydown") { event.stopPropagation(); anchor.focus(); }
      list.remove();
      document.removeEventListener("pointerdown", away, true);
      document.removeEventListener("keydown", away, true);
    };
    document.addEventListener("pointerdown", away, true);
    document.addEventListener("keydown", away, true);
  };
  const copy = async (text) => { await navigator.clipboard.writeText(text); notice(t("copied")); };
  const kept = {  // what only this browser remembers: widths, folds
    get: (name, otherwise) => { const value = localStorage.getItem(`unabridged.${name}`); return value === null ? otherwise : JSON.parse(value); },
    set: (name, value) => localStorage.setItem(`unabridged.${name}`, JSON.stringify(value)),
  };

  return { define, mount, on, emit, ended, session, update, t, strings, number, size, duration, h, setRendered, fillRows, icon, button, notice, dialog, menu, copy, kept, Refused };
})();
