// A document as its own text: headings, paragraphs, tables, notes; sections are fetched when they come near. Every character of
// the document stands on the page once and in order, signs between cells too, so that spans can be marked exactly.
"use strict";
(() => {
  const { h, t } = unabridged;
  const TAGS = { "heading": "h3", "list item": "p", "table": "div", "footnote": "aside", "comment": "aside", "caption": "p", "paragraph": "p" };
  const NOTE_SIGN = /^\[\^[^\]\s]{1,20}\]|^\[Comment[^:]{0,200}:|^\[Speaker notes:/;
  const NOTE_REFERENCE = /(\[\^[^\]\s]{1,20}\])/;

  // Python counts code points, the browser UTF-16 units: they differ where a text has characters beyond the first plane.
  const toUnits = (text, points) => {
    if (!/[\ud800-\udfff]/.test(text)) return points;
    let units = 0;
    for (const character of text) { if (points-- <= 0) break; units += character.length; }
    return units;
  };

  // The words text[from:to] as nodes; what `ranges` ({from, to, class}, in order, apart from each other) cover is marked.
  const pieces = (text, ranges, from, to) => {
    const nodes = [];
    let at = from;
    const plain = (until) => {
      for (const part of text.slice(at, until).split(NOTE_REFERENCE)) if (part) nodes.push(NOTE_REFERENCE.test(part) ? h("span", { class: "ub-note-reference" }, part) : part);
      at = until;
    };
    for (const range of ranges) {
      const start = Math.max(at, range.from), end = Math.min(to, range.to);
      if (end <= start) continue;
      plain(start);
      nodes.push(h("mark", { class: range.class }, text.slice(start, end)));
      at = end;
    }
    plain(to);
    return nodes;
  };
  const quiet = (text, ranges, from, to, name) => h("span", { class: name }, pieces(text, ranges, from, to));

  // Rows are lines, cells stand between " | " (or between the bars of a Markdown table, whose line of dashes is only a sign).
  const tableOf = (text, ranges) => {
    const rows = [];
    let at = 0;
    for (const line of text.split("\n")) {
      const start = at, end = at + line.length, cells = [];
      at = end + 1;
      const ruled = /^\|?(\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?$/.test(line) && line.includes("|");
      if (!ruled) {
        let from = start;
        const barred = /^\s*\|.*\|\s*$/.test(line);
        for (const bar of line.matchAll(/ ?\| ?/g)) {
          const edge = barred && (bar.index === 0 || bar.index + bar[0].length === line.length);
          if (!edge || bar.index > 0) cells.push({ from, to: start + bar.index, sign: start + bar.index + bar[0].length });
          else cells.push({ from: start, to: start, sign: start + bar[0].length, edge: true });
          from = start + bar.index + bar[0].length;
        }
        if (from < end || !barred) cells.push({ from, to: end, sign: end });
      }
      rows.push({ start, end, cells, ruled, newline: Math.min(end + 1, text.length) });
    }
    const columns = Math.max(1, ...rows.map((row) => row.cells.filter((cell) => !cell.edge).length));
    const heads = rows.findIndex((row) => row.ruled);
    return h("table", {}, h("tbody", {}, rows.map((row, index) => {
      if (row.ruled) return h("tr", { class: "ub-sign" }, h("td", { colspan: columns }, pieces(text, ranges, row.start, row.newline)));
      const edge = row.cells.find((cell) => cell.edge);
      const shown = row.cells.filter((cell) => !cell.edge);
      return h("tr", {}, shown.map((cell, at) => h(index < heads ? "th" : "td", { colspan: shown.length === 1 && columns > 1 ? columns : null },
        at === 0 && edge && quiet(text, ranges, edge.from, edge.sign, "ub-sign"), pieces(text, ranges, cell.from, cell.to),
        quiet(text, ranges, cell.to, at === shown.length - 1 ? row.newline : cell.sign, "ub-sign"))));
    })));
  };

  const contentOf = (block, ranges) => {
    const { text } = block, whole = (from) => pieces(text, ranges, from, text.length);
    if (block.kind === "table" && text.includes("|")) return [tableOf(text, ranges)];
    // Markdown's own signs and the signs of notes are part of the text, and of quotations: they stay, but quietly.
    const sign = block.kind === "heading" ? text.match(/^#{1,6} /) : ["footnote", "comment"].includes(block.kind) ? text.match(NOTE_SIGN) : null;
    if (!sign) return whole(0);
    return [quiet(text, ranges, 0, sign[0].length, block.kind === "heading" ? "ub-marker" : "ub-note-sign"), ...whole(sign[0].length)];
  };

  unabridged.textView = (call, manifest, onPlace) => {
    const root = h("div", { class: "ub-text", tabindex: "0", lang: manifest.cjk ? "zh" : null });
    const marks = [];  // {start, end, class}
    const parts = manifest.sections.map(([start, end]) => {
      const element = h("section", { "aria-busy": "true" });
      element.style.minHeight = `${Math.min(8000, 40 + (end - start) * 0.35)}px`;
      const part = { start, end, element, blocks: [], loading: null };
      element.unabridgedPart = part;
      return part;
    });
    root.append(...parts.map((part) => part.element));
    const load = (part) => part.loading ||= call("section", { document: manifest.id, start: part.start, end: part.end }).then((blocks) => {
      part.blocks = blocks.map((block) => {
        const tag = block.kind === "heading" ? `h${Math.min(6, 2 + Math.max(1, block.level))}` : TAGS[block.kind];
        const element = h(tag, { id: block.id, class: `ub-block ub-${block.kind.replace(" ", "-")}`, role: tag === "aside" ? "note" : null });
        if (block.level) element.style.setProperty("--level", block.level);
        return { ...block, end: block.start + [...block.text].length, element };
      });
      part.element.replaceChildren(...part.blocks.flatMap((block) => [
        block.page !== undefined && h("div", { class: "ub-sheet-rule", "aria-hidden": "true" }, t("page_n", { page: block.page })), block.element,
      ].filter(Boolean)));
      part.element.style.minHeight = "";
      part.element.removeAttribute("aria-busy");
      part.blocks.forEach(paint);
    });
    const paint = (block) => {
      let at = 0;
      const ranges = marks.filter((mark) => mark.start < block.end && mark.end > block.start)
        .sort((a, b) => a.start - b.start || (a.class === "ub-other") - (b.class === "ub-other"))
        .map((mark) => {
          const from = Math.max(at, toUnits(block.text, Math.max(0, mark.start - block.start)));
          at = Math.max(at, toUnits(block.text, mark.end - block.start));
          return { from, to: at, class: mark.class };
        });
      block.element.replaceChildren(...contentOf(block, ranges));
    };
    const setMarks = (next) => {
      const touched = [...marks, ...next];
      marks.splice(0, marks.length, ...next);
      for (const part of parts) for (const block of part.blocks)
        if (touched.some((mark) => mark.start < block.end && mark.end > block.start)) paint(block);
    };
    const partAt = (position) => parts.findLast((part) => part.start <= position) || parts[0];
    const show = async (start, end, kind) => {
      const from = parts.indexOf(partAt(start)), to = parts.indexOf(partAt(Math.max(start, end - 1)));
      await Promise.all(parts.slice(Math.max(0, from - 1), to + 2).map(load));
      setMarks([...marks.filter((mark) => mark.class !== kind), { start, end, class: kind }]);
      const block = parts[from].blocks.findLast((candidate) => candidate.start <= start) || parts[from].blocks[0];
      const target = block?.element.querySelector(`mark.${kind}`) || block?.element;
      target?.scrollIntoView({ block: "center" });
    };
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) load(entry.target.unabridgedPart);
    }, { root, rootMargin: "1200px 0px" });
    parts.forEach((part) => watcher.observe(part.element));
    const position = () => {
      const top = root.getBoundingClientRect().top + 80;
      const part = parts.find((each) => each.element.getBoundingClientRect().bottom > top);
      return (part?.blocks.find((block) => block.element.getBoundingClientRect().bottom > top) || part)?.start ?? 0;
    };
    let frame = 0;
    root.addEventListener("scroll", () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => onPlace(position()));
    }, { passive: true });
    return {
      root, show, position, close: () => watcher.disconnect(),
      markAll: (spans) => setMarks([...marks.filter((mark) => mark.class !== "ub-other"), ...spans.map(([start, end]) => ({ start, end, class: "ub-other" }))]),
      clear: (kind) => setMarks(marks.filter((mark) => mark.class !== kind)),
      goTo: (index) => show(manifest.pages[index][3], manifest.pages[index][3], "ub-here"),
    };
  };
})();
