// The source pane: one document at a time, as sheets (pages.js) or as text (text.js); outline, page jump, find, next and previous citation.
"use strict";
(() => {
  const { define, on, emit, session, t, number, h, icon, button, kept } = unabridged;

  define("source", (root, call) => {
    let manifest = null, view = null, citations = [], current = -1, hits = { total: 0, spans: [] }, hit = -1, opening = 0;
    const title = h("h2", { class: "ub-source-title" });
    const body = h("div", { class: "ub-source-body" });
    const outline = h("nav", { class: "ub-outline", "aria-label": t("outline"), hidden: true });
    const pageBox = h("input", { class: "ub-page-box", "aria-label": t("page_jump"), title: t("page_jump"), onkeydown: (event) => event.key === "Enter" && jump(pageBox.value) });
    const pageCount = h("span", { class: "ub-muted" });
    const findBox = h("input", { type: "search", class: "ub-find-box", placeholder: t("find_placeholder"), "aria-label": t("find_here") });
    const findCount = h("span", { class: "ub-muted ub-find-count", "aria-live": "polite" });
    const citeCount = h("span", { class: "ub-muted" });
    const outlineButton = button("list", t("outline"), () => { outline.hidden = !outline.hidden; });
    const viewButton = button("text", t("as_text"), () => { kept.set("as_text", !kept.get("as_text", false)); reopen(); });
    const zoomButtons = [button("zoom_out", t("zoom_out"), () => view?.zoom?.(1 / 1.2)), button("zoom_in", t("zoom_in"), () => view?.zoom?.(1.2))];
    const pageTools = h("span", { class: "ub-group" }, pageBox, pageCount);
    const citeTools = h("span", { class: "ub-group ub-cite-tools" }, button("left", t("previous_citation"), () => step(-1)), citeCount, button("right", t("next_citation"), () => step(1)));
    const hitButtons = [button("up", t("previous_hit"), () => nextHit(-1), { hidden: true }), button("down", t("next_hit"), () => nextHit(1), { hidden: true })];
    const findTools = h("span", { class: "ub-find-group" }, icon("search"), findBox, findCount, hitButtons);
    const setHits = (found) => { hits = found; hit = -1; hitButtons.forEach((each) => { each.hidden = found.total < 2; }); };
    const bar = h("div", { class: "ub-source-bar" }, outlineButton, pageTools, citeTools, findTools, zoomButtons, viewButton);
    const problems = h("details", { class: "ub-problems", hidden: true });
    const empty = h("div", { class: "ub-empty" }, icon("quote"), h("p", {}, t("source_empty")));
    const address = h("p", { class: "ub-source-address", hidden: true });  // of a page of the web
    root.append(h("header", { class: "ub-pane-head" }, title, button("panel_right", t("fold_source"), () => emit("fold", "right"))), address, bar, problems, h("div", { class: "ub-source-main" }, outline, body));
    const askButton = h("button", { type: "button", class: "ub-button ub-primary ub-ask-about", hidden: true, onpointerdown: (event) => event.preventDefault(), onclick: askAbout }, icon("quote"), t("ask_about"));
    root.append(askButton);
    nothing();

    function nothing() {
      view?.close();
      manifest = view = null;
      title.textContent = t("source");
      for (const part of [address, bar, outline, problems]) part.hidden = true;
      body.replaceChildren(empty);
    }

    async function open(documentId, { fresh = false, place = 0 } = {}) {
      if (!fresh && manifest?.id === documentId) return;
      const ticket = ++opening;
      body.setAttribute("aria-busy", "true");
      let next;
      try { next = await call("open_source", { document: documentId }); } finally { body.removeAttribute("aria-busy"); }
      if (ticket !== opening) return;
      view?.close();
      manifest = next;
      address.hidden = true;
      setHits({ total: 0, spans: [] });
      findBox.value = findCount.textContent = "";
      title.textContent = title.title = manifest.name;
      bar.hidden = false;
      view = manifest.paged && !kept.get("as_text", false) ? unabridged.pagesView(call, manifest, showPage) : unabridged.textView(call, manifest, (place) => showPage(manifest.pages.findLastIndex((page) => page[3] <= place)));
      body.replaceChildren(view.root);
      view.start?.(place);
      pageTools.hidden = !manifest.pages.length;
      pageCount.textContent = t("of_pages", { pages: number(manifest.pages.length) });
      showPage(0);
      viewButton.hidden = !manifest.paged;
      zoomButtons.forEach((each) => { each.hidden = !view.zoom; });
      viewButton.setAttribute("aria-pressed", String(!view.zoom));
      drawOutline();
      problems.hidden = !manifest.problems.length;
      problems.replaceChildren(h("summary", {}, icon("warning"), t("problems_n", { count: number(manifest.problems.length) })),
        h("ul", {}, manifest.problems.slice(0, 200).map((problem) => h("li", {}, h("strong", {}, `${problem.kind}: ${problem.where}`), " ", problem.hint))));
    }
    const reopen = async () => {
      const shown = citations[current], place = view.position();
      await open(manifest.id, { fresh: true, place });
      if (shown?.document_id === manifest.id) view.show(shown.start, shown.end, "ub-cited");
      else if (place > 0) view.show(place, place, "ub-here");
    };
    const showPage = (index) => {
      const page = manifest.pages[index];
      if (!page || document.activeElement === pageBox) return;
      pageBox.value = page[0] && page[0] !== String(index + 1) ? `${index + 1} (${page[0]})` : String(index + 1);
    };
    // A sheet's number, or what is printed on it. A number that is both means the sheet; "p. 7" and "(7)" mean the print.
    const jump = (words) => {
      const printed = words.match(/^(?:p\.?|\()\s*(.+?)\)?$/i);
      const wanted = (printed ? printed[1] : words.replace(/\s*\(.*/, "")).trim();
      const sheet = printed ? NaN : Number(wanted);
      let index = Number.isInteger(sheet) && sheet >= 1 && sheet <= manifest.pages.length ? sheet - 1 : -1;
      if (index < 0) index = manifest.pages.findIndex((page) => page[0].toLowerCase() === wanted.toLowerCase());
      pageBox.classList.toggle("ub-wrong", index < 0);
      if (index < 0) return;
      view.goTo(index);
      pageBox.blur();
      showPage(index);
    };
    const drawOutline = () => {
      outlineButton.disabled = !manifest.outline.length;
      outline.hidden = outline.hidden || !manifest.outline.length;
      let depth = 0;
      outline.replaceChildren(...manifest.outline.map((entry) => {
        depth = Math.min(entry.level, depth + 1);  // levels that are left out leave no gap
        const item = h("button", { type: "button", title: entry.title, onclick: () => view.show(entry.start, entry.end, "ub-here") }, entry.title);
        item.style.setProperty("--level", Math.min(6, depth));
        return item;
      }));
    };

    // --- citations
    const showCitation = async (index) => {
      const citation = citations[index];
      if (!citation) return;
      current = index;
      emit("unfold", "right");
      citeTools.hidden = citations.length < 2;
      citeCount.textContent = t("n_of_m", { n: index + 1, m: citations.length });
      await open(citation.document_id, { place: citation.start });
      address.hidden = !citation.url;
      if (citation.url) address.replaceChildren(unabridged.webLine(citation));
      await view.show(citation.start, citation.end, "ub-cited");
      emit("citation-shown", citation);
    };
    const step = (by) => citations.length && showCitation((current + by + citations.length) % citations.length);
    on("open-citation", ({ list, index }) => { citations = list; showCitation(index); });
    on("step-citation", step);
    on("open-document", async ({ document, start, end }) => {
      emit("unfold", "right");
      citations = []; current = -1; citeTools.hidden = true;
      await open(document, { place: start });
      if (start !== undefined) view.show(start, end, "ub-cited");
    });
    on("document-gone", (id) => { if (manifest?.id === id) nothing(); });

    // --- find
    let timer = 0;
    findBox.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 200); });
    findBox.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); nextHit(event.shiftKey ? -1 : 1); } });
    const search = async () => {
      const words = findBox.value;
      if (!words.trim()) { setHits({ total: 0, spans: [] }); findCount.textContent = ""; view.clear("ub-found"); view.markAll?.([]); return; }
      const found = await call("find_in", { document: manifest.id, words });
      if (words !== findBox.value) return;
      setHits(found);
      view.markAll?.(hits.spans);
      findCount.textContent = found.total ? "" : t("nothing_found");
      if (found.total) nextHit(1); else view.clear("ub-found");
    };
    const nextHit = (by) => {
      if (!hits.spans.length) return;
      hit = (hit + by + hits.spans.length) % hits.spans.length;
      findCount.textContent = t("n_of_m", { n: number(hit + 1), m: number(hits.total) });
      const [start, end] = hits.spans[hit];
      view.show(start, end, "ub-found");
    };
    on("find", () => { emit("unfold", "right"); findBox.focus(); findBox.select(); });

    // --- a passage that the reader selects
    const selected = () => {
      const selection = getSelection();
      return selection.rangeCount && body.contains(selection.anchorNode) && body.contains(selection.focusNode) ? selection.toString().trim() : "";
    };
    document.addEventListener("selectionchange", () => {
      const words = selected();
      askButton.hidden = words.length < 2;
      if (askButton.hidden) return;
      const place = getSelection().getRangeAt(0).getBoundingClientRect(), pane = root.getBoundingClientRect();
      askButton.style.top = `${Math.min(pane.height - 48, Math.max(56, place.bottom - pane.top + 6))}px`;
      askButton.style.left = `${Math.max(8, Math.min(pane.width - askButton.offsetWidth - 8, place.left - pane.left))}px`;
    });
    function askAbout() {
      emit("ask-about", { words: selected(), document: manifest.id });
      getSelection().removeAllRanges();
    }
  });
})();
