// Numbered citations in an answer: hover or focus shows the quotation, a click opens the source at it.
"use strict";
(() => {
  const { on, emit, t, h, icon } = unabridged;
  let shownFor = null;
  const card = h("div", { class: "ub-card", role: "tooltip", id: "ub-card", hidden: true });

  unabridged.placeOf = (citation) => [
    citation.document,
    citation.page ? t("page_n", { page: citation.page_label || citation.page }) : null,
    citation.path || null,
    citation.url || null,
  ].filter(Boolean).join(" · ");

  // `citations` gives the list of the answer when it is needed: it grows while the answer streams.
  unabridged.bindCitations = (element, citations) => {
    const at = (event) => {
      const mark = event.target.closest?.("[data-n]");
      if (!mark) return null;
      const index = citations().findIndex((citation) => citation.n === Number(mark.dataset.n));
      return index < 0 ? null : { mark, index };
    };
    const open = (event) => {
      const found = at(event);
      if (!found) return;
      event.preventDefault();
      hide();
      emit("open-citation", { list: citations(), index: found.index });
    };
    element.addEventListener("click", open);
    element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") open(event); });
    for (const kind of ["mouseover", "focusin"]) element.addEventListener(kind, (event) => { const found = at(event); if (found) show(found.mark, citations()[found.index]); });
    for (const kind of ["mouseout", "focusout"]) element.addEventListener(kind, (event) => { if (event.target === shownFor) hide(); });
  };
  const show = (mark, citation) => {
    shownFor = mark;
    card.replaceChildren(h("blockquote", {}, citation.quote), h("p", {}, icon(citation.url ? "globe" : "page"), unabridged.placeOf(citation)));
    document.body.append(card);
    card.hidden = false;
    mark.setAttribute("aria-describedby", "ub-card");
    const place = mark.getBoundingClientRect();
    const above = place.top > card.offsetHeight + 16;
    card.style.top = `${above ? place.top - card.offsetHeight - 8 : place.bottom + 8}px`;
    card.style.left = `${Math.max(8, Math.min(place.left - 24, innerWidth - card.offsetWidth - 8))}px`;
  };
  const hide = () => { card.hidden = true; shownFor?.removeAttribute("aria-describedby"); shownFor = null; };
  addEventListener("scroll", hide, true);

  on("citation-shown", (citation) => {
    document.querySelectorAll(".ub-cite.ub-open").forEach((mark) => mark.classList.remove("ub-open"));
    document.querySelectorAll(`[data-turn="${citation.turn}"] .ub-cite[data-n="${citation.n}"]`).forEach((mark) => mark.classList.add("ub-open"));
  });
})();
