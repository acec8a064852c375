// A PDF as its sheets: page images that are fetched when they come near, selectable text over them, boxes round what is shown.
"use strict";
(() => {
  const { h, t, button, dialog } = unabridged;
  const WIDTHS = [600, 900, 1200, 1600, 2200, 3000];  // pixels; few sizes, so that the browser's cache is of use
  const measuring = document.createElement("canvas").getContext("2d");

  unabridged.pagesView = (call, manifest, onPage) => {
    const root = h("div", { class: "ub-pages", tabindex: "0" });
    let factor = 1, scale = 1, tries = 0;
    const boxes = {};  // kind → [{page, box}]
    const sheets = manifest.pages.map(([label, width, height], index) => {
      const element = h("div", { class: "ub-sheet", role: "group", "aria-label": t("page_n", { page: label || index + 1 }), "data-page": index + 1 });
      const sheet = { index, width, height, element, near: false, lines: null, image: null };
      element.unabridgedSheet = sheet;
      return sheet;
    });
    root.append(...sheets.map((sheet) => sheet.element));

    // At first what is printed fills the pane: white margins would make the letters small.
    const [left, right] = manifest.printed;
    const layOut = () => {
      scale = (Math.max(240, root.clientWidth - 36) / (right - left)) * factor;
      for (const sheet of sheets) {
        sheet.element.style.width = `${sheet.width * scale}px`;
        sheet.element.style.height = `${sheet.height * scale}px`;
        if (sheet.near) fill(sheet);
      }
      root.scrollLeft = left * scale;
    };
    const fill = (sheet) => {
      const pixels = sheet.width * scale * (devicePixelRatio || 1);
      const width = WIDTHS.find((each) => each >= pixels) || WIDTHS.at(-1);
      const address = `/pages/${manifest.id}/${sheet.index + 1}/${width}.png${tries ? `?try=${tries}` : ""}`;
      if (sheet.image?.getAttribute("src") !== address) {
        const image = h("img", { src: address, alt: "", draggable: "false" });
        const old = sheet.image;
        image.onload = () => { old?.remove(); sheet.element.classList.remove("ub-failed"); };
        image.onerror = () => failed(sheet, image, address);
        sheet.image = image;
        sheet.element.prepend(image);
      }
      if (sheet.lines) placeLines(sheet);
      else if (!sheet.asked) {
        sheet.asked = call("lines", { document: manifest.id, page: sheet.index + 1 }, { quiet: true }).then((lines) => { sheet.lines = lines; if (sheet.near) placeLines(sheet); });
      }
      placeBoxes(sheet);
    };
    const failed = async (sheet, image, address) => {
      image.remove();
      const locked = sheet.near && (await fetch(address)).status === 423;
      sheet.element.classList.add("ub-failed");
      sheet.element.dataset.notice = locked ? "" : t("page_failed");
      if (locked && !sheet.element.querySelector(".ub-unlock")) sheet.element.append(button("lock", t("unlock_pages"), unlock, { text: true }));
      sheet.element.querySelector(".ub-button")?.classList.add("ub-unlock");
    };
    const unlock = async () => {
      const field = h("input", { type: "password", autocomplete: "off", "aria-label": t("password") });
      const password = await dialog(t("unlock_pages"), h("div", { class: "ub-fields" }, h("p", {}, t("unlock_pages_more")), field), { action: t("open"), answer: () => field.value });
      if (!password) return;
      await call("unlock_pages", { document: manifest.id, password });
      tries += 1;
      for (const sheet of sheets) if (sheet.near) { sheet.element.querySelector(".ub-unlock")?.remove(); sheet.image = null; fill(sheet); }
    };
    const placeLines = (sheet) => {
      const layer = h("div", { class: "ub-lines" }, sheet.lines.map((line) => {
        const [x0, y0, x1, y1] = line.box.map((value) => value * scale);
        const span = h("span", { "data-start": line.start }, `${line.text}\n`);
        const size = Math.max(1, (y1 - y0) * 0.85);
        measuring.font = `${size}px sans-serif`;
        const natural = measuring.measureText(line.text).width || 1;
        Object.assign(span.style, { left: `${x0}px`, top: `${y0}px`, height: `${y1 - y0}px`, fontSize: `${size}px`, transform: `scaleX(${(x1 - x0) / natural})` });
        return span;
      }));
      sheet.element.querySelector(".ub-lines")?.remove();
      sheet.element.append(layer);
    };
    // Boxes of lines reach into each other; what is marked twice would look like a mark of its own.
    const apart = (own) => own.map(([x0, y0, x1, y1], at) => {
      const above = own[at - 1]?.[3] ?? -Infinity, below = own[at + 1]?.[1] ?? Infinity;
      return [x0, above > y0 && above < y1 ? (above + y0) / 2 : y0, x1, below < y1 && below > y0 ? (below + y1) / 2 : y1];
    });
    const placeBoxes = (sheet) => {
      sheet.element.querySelectorAll(".ub-box").forEach((box) => box.remove());
      for (const [kind, list] of Object.entries(boxes)) for (const box of apart(list.filter(({ page }) => page === sheet.index + 1).map(({ box }) => box))) {
        const [x0, y0, x1, y1] = box.map((value) => value * scale);
        const element = h("div", { class: `ub-box ${kind}` });
        Object.assign(element.style, { left: `${x0 - 1}px`, top: `${y0}px`, width: `${x1 - x0 + 2}px`, height: `${y1 - y0}px` });
        sheet.element.append(element);
      }
    };
    const empty = (sheet) => { sheet.near = false; if (sheet.image && !sheet.image.complete) sheet.image.src = ""; sheet.image = null; sheet.element.replaceChildren(); };

    const watcher = new IntersectionObserver((entries) => {
      const middle = root.scrollTop + root.clientHeight / 2;
      const distance = (entry) => Math.abs(entry.target.offsetTop + entry.target.offsetHeight / 2 - middle);
      for (const entry of entries.toSorted((one, other) => distance(one) - distance(other))) {  // what is looked at is drawn first
        const sheet = entry.target.unabridgedSheet;
        if (entry.isIntersecting) { sheet.near = true; fill(sheet); } else if (sheet.near) empty(sheet);
      }
    }, { root, rootMargin: "600px 0px" });
    let frame = 0;
    root.addEventListener("scroll", () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => onPage(atTop()));
    }, { passive: true });
    const atTop = () => {
      const middle = root.scrollTop + root.clientHeight / 3;
      let low = 0, high = sheets.length - 1;
      while (low < high) { const half = (low + high + 1) >> 1; if (sheets[half].element.offsetTop <= middle) low = half; else high = half - 1; }
      return low;
    };
    const sheetAt = (place) => Math.max(0, manifest.pages.findLastIndex((page) => page[3] <= place));
    const keepingPlace = (change) => {
      const index = atTop(), sheet = sheets[index];
      const part = (root.scrollTop - sheet.element.offsetTop) / (sheet.element.offsetHeight || 1);
      change();
      root.scrollTop = sheet.element.offsetTop + part * sheet.element.offsetHeight;
    };
    const resized = new ResizeObserver(() => keepingPlace(layOut));
    const clear = (kind) => { delete boxes[kind]; sheets.filter((sheet) => sheet.near).forEach(placeBoxes); };
    return {
      root, clear,
      // The sheets before the wanted place are never drawn.
      start: (place = 0) => { layOut(); if (place > 0) root.scrollTop = sheets[sheetAt(place)].element.offsetTop; sheets.forEach((sheet) => watcher.observe(sheet.element)); resized.observe(root); },
      close: () => { watcher.disconnect(); resized.disconnect(); },
      zoom: (by) => keepingPlace(() => { factor = Math.min(4, Math.max(0.4, factor * by)); layOut(); }),
      position: () => manifest.pages[atTop()][3],
      goTo: (index) => { root.scrollTop = sheets[index].element.offsetTop - 8; onPage(index); },
      show: async (start, end, kind) => {
        boxes[kind] = await call("boxes", { document: manifest.id, start, end });
        sheets.filter((sheet) => sheet.near).forEach(placeBoxes);
        const first = boxes[kind][0];
        const index = first ? first.page - 1 : sheetAt(start);
        const top = sheets[index].element.offsetTop + (first ? first.box[1] * scale : 0);
        root.scrollTop = top - root.clientHeight / 3;
        onPage(index);
      },
    };
  };
})();
