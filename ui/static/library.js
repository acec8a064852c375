// The library: files with their state, what is being taken in, conversations, and one search over all of them.
"use strict";
(() => {
  const { define, on, emit, ended, session, update, t, number, size, h, fillRows, icon, button, menu, dialog, notice, strings } = unabridged;

  const OFFICE = "application/vnd.openxmlformats-officedocument";
  const KINDS = { "application/pdf": "PDF", [`${OFFICE}.wordprocessingml.document`]: "Word", [`${OFFICE}.spreadsheetml.sheet`]: "Excel", [`${OFFICE}.presentationml.presentation`]: "PowerPoint",
    "application/epub+zip": "EPUB", "application/rtf": "RTF", "application/vnd.oasis.opendocument.text": "OpenDocument", "text/html": "HTML", "text/markdown": "Markdown", "text/csv": "CSV", "text/plain": t("kind_text") };

  // Everything of a drop: files, and the files inside folders.
  const filesOf = async (transfer) => {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
    const files = [];
    const walk = async (entry) => {
      if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      else {
        const reader = entry.createReader();
        for (;;) {
          const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
          if (!some.length) break;
          for (const inner of some) await walk(inner);
        }
      }
    };
    for (const entry of entries) await walk(entry);
    return files.filter((file) => !file.name.startsWith("."));
  };

  define("library", (root, call) => {
    let documents = [], conversations = [], jobs = [], found = null;
    const uploads = new Map();  // files on their way: name → share that arrived

    const filePicker = h("input", { type: "file", multiple: true, hidden: true, onchange: () => { take([...filePicker.files]); filePicker.value = ""; } });
    const folderPicker = h("input", { type: "file", webkitdirectory: true, hidden: true, onchange: () => { take([...folderPicker.files].filter((file) => !file.name.startsWith("."))); folderPicker.value = ""; } });
    const searchBox = h("input", { type: "search", class: "ub-search", placeholder: t("search"), "aria-label": t("search") });
    const list = h("div", { class: "ub-documents" });
    const takingList = h("div", { class: "ub-taking-list" });
    const talks = h("div", { class: "ub-conversations" });
    const addButton = button("plus", t("add_files"), () => filePicker.click(), { text: true });
    const moreButton = button("more", t("add_more"), () => menu(moreButton, [
      { icon: "book", label: t("add_folder"), run: () => folderPicker.click() },
      { icon: "text", label: t("paste_text"), run: pasteText },
      { icon: "quote", label: t("sample"), run: sample },
    ]));
    let inArchive = false, putAway = [];  // whether the archive is looked at, and the conversations in it
    const talksButton = button("more", t("more_conversations"), () => unabridged.talksMenu(talksButton, { archived: inArchive, toggle: () => { inArchive = !inArchive; draw(); } }));
    root.append(filePicker, folderPicker,
      h("header", { class: "ub-pane-head" }, addButton, moreButton, h("span", { class: "ub-spacer" }), button("panel_left", t("fold_library"), () => emit("fold", "left"))),
      h("label", { class: "ub-search-row" }, icon("search"), searchBox),
      h("section", { class: "ub-half", "aria-label": t("documents") }, h("h2", {}, t("documents")), takingList, list),
      h("section", { class: "ub-half", "aria-label": t("conversations") },
        h("h2", {}, t("conversations"), h("span", { class: "ub-group" }, button("plus", t("new_conversation"), () => unabridged.beginTalk()), talksButton)), talks));

    // --- taking files in: what this tab brings is ticked at once
    const brought = async (id) => {
      const job = await ended(id);
      if (job.state === "failed") job.error_kind === "DocumentEncrypted" ? unlock(job) : notice(job.error, job.hint);
      if (job.state !== "finished") return;
      await refresh();
      tick(job.document, true);
    };
    const send = (file) => new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", `/upload?name=${encodeURIComponent(file.name)}&language=${strings.language}`);
      request.upload.onprogress = (event) => { uploads.set(file.name, event.loaded / event.total); drawTaking(); };
      request.onload = () => {
        const answer = JSON.parse(request.responseText);
        if (answer.error) notice(answer.error, answer.hint); else brought(answer.job);
        resolve();
      };
      request.onerror = () => { notice(t("upload_failed", { name: file.name }), t("connection_lost_hint")); resolve(); };
      request.send(file);
    });
    const take = async (files) => {
      for (const file of files) {
        if (await unabridged.tookConversation(file) || await unabridged.tookCharacter(file)) continue;
        if (file.size > strings.limits.upload_bytes) {
          notice(t("too_large", { name: file.name, size: size(file.size) }), t("too_large_hint", { limit: size(strings.limits.upload_bytes) }));
          continue;
        }
        uploads.set(file.name, 0);
        draw();
        await send(file);
        uploads.delete(file.name);
      }
      draw();
    };
    const sample = async () => { brought((await call("add_sample")).job); };
    const pasteText = async () => {
      const name = h("input", { type: "text", placeholder: t("paste_name"), "aria-label": t("paste_name") });
      const text = h("textarea", { rows: "12", placeholder: t("paste_here"), "aria-label": t("paste_here") });
      const given = await dialog(t("paste_text"), h("div", { class: "ub-fields" }, name, text), { action: t("add"), answer: () => ({ name: name.value, text: text.value }) });
      if (given) brought((await call("add_text", given)).job);
    };
    const unlock = async (job) => {
      const field = h("input", { type: "password", autocomplete: "off", "aria-label": t("password") });
      const password = await dialog(t("wants_password", { name: job.name }), h("div", { class: "ub-fields" }, h("p", {}, job.error), field, h("p", { class: "ub-muted" }, job.hint)), { action: t("open"), answer: () => field.value });
      const answer = await call("unlock", { job: job.id, password });
      if (answer.job) brought(answer.job);
    };
    on("add-files", () => filePicker.click());
    on("add-folder", () => folderPicker.click());
    on("paste-text", pasteText);
    on("sample", sample);
    const shade = h("div", { class: "ub-drop", hidden: true }, h("p", {}, icon("plus"), t("drop_here")));
    document.body.append(shade);
    let depth = 0;
    addEventListener("dragenter", (event) => { if ([...event.dataTransfer.types].includes("Files")) { depth += 1; shade.hidden = false; event.preventDefault(); } });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); shade.hidden = depth === 0; });
    addEventListener("drop", async (event) => { event.preventDefault(); depth = 0; shade.hidden = true; take(await filesOf(event.dataTransfer)); });

    // --- documents
    const tick = (id, on_) => update({ documents: on_ ? [...session.documents.filter((other) => other !== id), id] : session.documents.filter((other) => other !== id) });
    const move = (id, by) => {
      const order = [...session.documents], at = order.indexOf(id);
      order.splice(at + by, 0, ...order.splice(at, 1));
      update({ documents: order });
    };
    const documentRow = (entry) => {
      const order = session.documents.indexOf(entry.id);
      const box = h("input", { type: "checkbox", "aria-label": t("read_this", { name: entry.name }), onchange: () => tick(entry.id, box.checked) });
      box.checked = order >= 0;
      const facts = [entry.pages ? t("pages_n", { count: number(entry.pages) }) : null, t("characters_n", { count: number(entry.characters) })].filter(Boolean).map((words) => h("span", {}, words));
      const more = button("more", t("more_about", { name: entry.name }), () => menu(more, [
        { icon: "page", label: t("open"), run: () => emit("open-document", { document: entry.id }) },
        { icon: "edit", label: t("rename"), run: () => rename(entry) },
        { icon: "list", label: t("receipt"), run: () => receipt(entry) },
        order > 0 && { icon: "up", label: t("read_earlier"), run: () => move(entry.id, -1) },
        order >= 0 && order < session.documents.length - 1 && { icon: "down", label: t("read_later"), run: () => move(entry.id, 1) },
        entry.stored_bytes > 0 && { icon: entry.pinned ? "close" : "pin", label: t(entry.pinned ? "unpin" : "pin"), run: () => call("pin_document", { document: entry.id, pinned: !entry.pinned }) },
        { icon: "trash", label: t("remove"), danger: true, run: () => remove(entry) },
      ]));
      return h("div", { class: `ub-row ${order >= 0 ? "ub-on" : ""}`, "data-document": entry.id },
        h("span", { class: "ub-tick" }, box, session.documents.length > 1 && order >= 0 && h("span", { class: "ub-order", title: t("reading_order") }, number(order + 1))),
        h("button", { type: "button", class: "ub-row-main", title: entry.name, onclick: () => emit("open-document", { document: entry.id }) },
          h("span", { class: "ub-row-name" }, entry.name),
          h("span", { class: "ub-row-facts" }, entry.stored_bytes > 0 && h("span", { class: "ub-row-stored", title: stateOf(entry) }, icon(entry.pinned ? "pin" : "check"), size(entry.stored_bytes)), facts)),
        entry.problems > 0 && h("button", { type: "button", class: "ub-badge", title: t("problems_n", { count: number(entry.problems) }), "aria-label": t("problems_n", { count: number(entry.problems) }), onclick: () => receipt(entry) }, icon("warning"), number(entry.problems)),
        more);
    };
    const stateOf = (entry) => entry.stored_bytes > 0 ? t("state_read", { models: entry.stored_models.join(", "), size: size(entry.stored_bytes) }) : t("state_taken_in");
    // Rows of what is on its way are kept while they last: a button that is replaced under the pointer cannot be clicked.
    const takingRows = new Map();
    const drawTaking = () => {
      const now = [...[...uploads].map(([name, share]) => ({ key: `upload ${name}`, name, share })),
        ...jobs.filter((job) => job.kind === "ingest" && job.state === "running").map((job) => ({ key: job.id, job: job.id, name: job.name, done: job.done, total: job.total, share: job.total ? job.done / job.total : undefined }))];
      for (const { key, job, name, share, done, total } of now) {
        if (!takingRows.has(key)) {
          const bar = h("progress", { max: "1", "aria-label": t("taking_in", { name }) });
          const words = h("span", { class: "ub-row-facts" });  // pages, for what has some
          const element = h("div", { class: "ub-row ub-taking" }, h("div", { class: "ub-row-main" }, h("span", { class: "ub-row-name", title: name }, name), bar, words),
            job && button("close", t("cancel"), () => call("stop", { job })));
          takingRows.set(key, { element, bar, words });
          takingList.append(element);
        }
        const { bar, words } = takingRows.get(key);
        words.textContent = total > 1 ? t("n_of_m", { n: number(done), m: number(total) }) : "";
        if (share === undefined) bar.removeAttribute("value"); else bar.value = share;
      }
      for (const [key, { element }] of takingRows) if (!now.some((each) => each.key === key)) { element.remove(); takingRows.delete(key); }
    };
    const rename = async (entry) => {
      const field = h("input", { type: "text", value: entry.name, "aria-label": t("name") });
      const name = await dialog(t("rename"), field, { action: t("rename"), answer: () => field.value });
      if (name) await call("rename_document", { document: entry.id, name });
    };
    const remove = async (entry) => {
      const about = h("div", {}, h("p", {}, t("remove_sure", { name: entry.name })), h("ul", {}, h("li", {}, t("remove_goes", { size: size(entry.size_bytes) })), entry.stored_bytes > 0 && h("li", {}, t("remove_reading_goes", { size: size(entry.stored_bytes) })), h("li", {}, t("remove_stays"))));
      if (!(await dialog(t("remove"), about, { action: t("remove"), danger: true }))) return;
      await call("remove_document", { document: entry.id });
      tick(entry.id, false);
      emit("document-gone", entry.id);
    };
    const receipt = async (entry) => {
      const told = await call("document_problems", { document: entry.id });
      const tokens = h("span", {}, entry.tokens === undefined ? "…" : number(entry.tokens));  // counted by the model, which may have to start
      if (entry.tokens === undefined) call("document_tokens", { document: entry.id }, { quiet: true }).then((count) => { tokens.textContent = number(entry.tokens = count); }, () => { tokens.textContent = "–"; });
      const facts = [[t("kind"), KINDS[entry.media_type] || entry.media_type], [t("size"), size(entry.size_bytes)], entry.pages > 0 && [t("pages"), number(entry.pages)], [t("characters"), number(entry.characters)],
        [t("tokens"), tokens], [t("state"), stateOf(entry)], ...Object.entries(told.details)].filter(Boolean);
      dialog(entry.name, h("div", {},
        h("table", { class: "ub-facts" }, h("tbody", {}, facts.map(([name, value]) => h("tr", {}, h("th", {}, name), h("td", {}, value))))),
        h("h3", {}, told.problems.length ? t("problems_n", { count: number(told.problems.length) }) : t("no_problems")),
        h("ul", { class: "ub-problem-list" }, told.problems.slice(0, 300).map((problem) => h("li", {}, h("strong", {}, `${problem.kind} – ${problem.where}`), h("p", {}, problem.hint))))));
    };

    // --- conversations
    const dayOf = (moment) => {
      const days = Math.floor((new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / 86400000);
      return days <= 0 ? t("today") : days === 1 ? t("yesterday") : days < 7 ? t("this_week") : days < 31 ? t("this_month") : t("earlier");
    };
    const talkRow = (talk) => {
      const more = button("more", t("more_about", { name: talk.title }), () => menu(more, [
        { icon: "edit", label: t("rename"), run: async () => {
          const field = h("input", { type: "text", value: talk.title, "aria-label": t("name") });
          const title = await dialog(t("rename"), field, { action: t("rename"), answer: () => field.value });
          if (title) await call("rename_conversation", { conversation: talk.id, title });
        } },
        ...unabridged.talkActions(more, talk, call),
        { icon: "trash", label: t("delete"), danger: true, run: async () => {
          if (!(await dialog(t("delete"), h("p", {}, t("delete_sure", { name: talk.title })), { action: t("delete"), danger: true }))) return;
          await call("delete_conversation", { conversation: talk.id });
          if (session.conversation === talk.id) update({ conversation: null });
        } },
      ]));
      return h("div", { class: `ub-row ${session.conversation === talk.id ? "ub-on" : ""}`, "data-conversation": talk.id },
        h("button", { type: "button", class: "ub-row-main", title: talk.title, "aria-current": session.conversation === talk.id ? "true" : null,
          onclick: () => openTalk(talk) },
          h("span", { class: "ub-row-name" }, h("span", {}, talk.incognito && icon("incognito"), talk.played && icon("people"), talk.archived && icon("archive"), talk.title)), h("span", { class: "ub-row-facts" }, talk.documents.map((document) => document.name).join(", "))), more);
    };
    const openTalk = (talk) => {
      if (innerWidth < 1000) emit("fold", "left");  // the library lies over the chat there
      update({ conversation: talk.id, documents: talk.documents.map((document) => document.id).filter((id) => documents.some((entry) => entry.id === id)) });
    };
    const saidRow = (hit, talk) => h("button", { type: "button", class: "ub-place", onclick: () => { openTalk(talk); emit("show-turn", hit.turn_id); } }, h("span", {}, hit.before, h("mark", {}, hit.words), hit.after));

    // --- drawing
    const line = (key, make) => ({ key, sign: key, make });
    const heading = (words, before = "") => line(`heading ${words} ${before}`, () => h("h3", {}, words));  // a day may come twice
    const hint = (words) => line(`hint ${words}`, () => h("p", { class: "ub-hint" }, words));
    const placeRow = (place) => h("button", { type: "button", class: "ub-place", onclick: () => emit("open-document", { document: place.document, start: place.start, end: place.end }) },
      h("span", { class: "ub-row-facts" }, place.page ? `${place.name} · ${t("page_n", { page: place.page })}` : place.name), h("span", {}, "…", place.before, h("mark", {}, place.words), place.after, "…"));
    const draw = () => {
      const words = searchBox.value.trim().toLowerCase();
      const shownDocuments = words ? documents.filter((entry) => entry.name.toLowerCase().includes(words)) : documents;
      drawTaking();
      const rows = shownDocuments.map((entry) => ({ key: entry.id, make: () => documentRow(entry), sign: JSON.stringify([entry, session.documents.indexOf(entry.id), session.documents.length]) }));
      if (found?.places.length) rows.push(heading(t("in_the_texts")), ...found.places.map((place) => line(JSON.stringify(place), () => placeRow(place))));
      if (!rows.length && !takingRows.size) rows.push(hint(words ? t("nothing_found") : t("library_empty")));
      fillRows(list, rows);
      const said = words && found ? found.said.filter((hit) => hit.turn_id) : [];
      const shownTalks = words ? [...conversations, ...putAway].filter((talk) => talk.title.toLowerCase().includes(words) || said.some((hit) => hit.conversation_id === talk.id)) : inArchive ? putAway : conversations;
      const talkRows = inArchive ? [heading(t("archive"))] : [];
      let day = "";
      for (const talk of shownTalks) {
        if (dayOf(talk.changed_at) !== day) talkRows.push(heading(day = dayOf(talk.changed_at), talk.id));
        talkRows.push({ key: talk.id, make: () => talkRow(talk), sign: JSON.stringify([talk, session.conversation === talk.id]) },
          ...said.filter((hit) => hit.conversation_id === talk.id).slice(0, 3).map((hit) => line(JSON.stringify(hit), () => saidRow(hit, talk))));
      }
      if (!shownTalks.length) talkRows.push(hint(words ? t("nothing_found") : t("no_conversations")));
      fillRows(talks, talkRows);
    };
    const refresh = async () => {
      [documents, conversations, putAway] = await Promise.all([call("documents", {}, { quiet: true }), call("conversations", {}, { quiet: true }), call("conversations", { archived: true }, { quiet: true })]);
      const known = session.documents.filter((id) => documents.some((entry) => entry.id === id));
      if (known.length !== session.documents.length) update({ documents: known });
      emit("documents", documents);
      draw();
    };
    let timer = 0;
    searchBox.addEventListener("input", () => {
      draw();
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const words = searchBox.value.trim();
        const answer = words ? await call("search", { words }, { quiet: true }) : null;
        if (words === searchBox.value.trim()) { found = answer; draw(); }
      }, 250);
    });
    // What changes the lists: a job that ends, a turn that begins, and what other tabs do (the lists' own revision).
    let seen = "";
    on("live", (news) => {
      jobs = news.jobs;
      const now = JSON.stringify([news.lists, jobs.map((job) => [job.id, job.state, job.turn])]);
      if (now !== seen) { seen = now; refresh(); } else drawTaking();
    });
    on("session", draw);
    on("shares", (shares) => { for (const share of shares) { const entry = documents.find((each) => each.id === share.document); if (entry) entry.tokens = share.tokens; } });
    on("search", () => { emit("unfold", "left"); searchBox.focus(); });
    on("ready", refresh);
    on("back", refresh);
  });
})();
