// The catalogue in the settings: models that can be fetched, what each would get on this machine, progress, and choosing one.
"use strict";
(() => {
  const { define, on, emit, ended, t, number, size, h, fillRows, icon, button, dialog, notice } = unabridged;

  define("models", (root, call) => {
    let told = { models: [] }, jobs = [], open = false;
    const list = h("ul", { class: "ub-offers" });
    const fold = h("details", { class: "ub-catalogue" }, h("summary", {}, t("catalogue"), h("span", { class: "ub-muted" }, t("catalogue_help"))), list);
    root.append(fold);

    const fits = (model) => !model.window_here
      ? h("span", { class: "ub-error" }, t("offer_does_not_fit"))
      : h("span", {}, t("offer_window_here", { here: number(model.window_here) }));
    const action = (model, job) => {
      if (job) return button("close", t("cancel"), () => call("stop_fetching", { job: job.id }), { text: true });
      if (model.used) return h("span", { class: "ub-stored" }, icon("check"), t("offer_used"));
      if (model.here) return button("check", t("offer_use"), () => choose(model), { text: true });
      return button("fetch", t("offer_fetch"), () => fetchIt(model), { text: true });
    };
    const row = (model, job) => {
      const bar = h("progress", { max: "1" }), words = h("span", { class: "ub-muted" });
      const element = h("li", { class: "ub-offer", "data-model": model.name },
        h("div", { class: "ub-offer-facts" }, h("strong", {}, model.name),
          h("span", { class: "ub-muted" }, [t("offer_size", { size: model.size_gb.toFixed(1) }), t("offer_trained", { trained: number(model.trained_window) }), model.licence].join(" · ")),
          h("span", { class: "ub-muted" }, fits(model)), job && h("div", { class: "ub-offer-progress" }, bar, words)),
        action(model, job));
      element.show = (now) => {
        const known = now.total > 0;
        words.textContent = now.stopping ? t("stopping") : !known ? t("offer_asking")
          : t(now.phase === "checking" ? "offer_checking" : "offer_fetching", { done: size(now.done), total: size(now.total) });
        bar.setAttribute("aria-label", words.textContent);
        if (known) bar.value = now.done / now.total; else bar.removeAttribute("value");
      };
      return element;
    };
    const draw = () => {
      const running = (model) => jobs.find((each) => each.name === model.name && each.state === "running");
      fillRows(list, told.models.map((model) => ({ key: model.name, sign: JSON.stringify([model, running(model)?.id]), make: () => row(model, running(model)) })));
      told.models.forEach((model, at) => { if (running(model)) list.children[at].show(running(model)); });
    };
    const refresh = async () => {
      told = await call("catalogue", {}, { quiet: true });
      if (!told.models.some((model) => model.here)) fold.open = true;  // nobody has to look for what they do not know of
      draw();
    };
    // The one thing here that uses the network: said before it happens.
    const fetchIt = async (model) => {
      const about = h("div", {}, h("p", {}, t("offer_fetch_sure", { name: model.name, size: model.size_gb.toFixed(1) })),
        h("table", { class: "ub-facts" }, h("tbody", {}, [[t("offer_from"), `${model.repository}/${model.file}`], [t("offer_licence"), model.licence], [t("offer_to"), told.folder]]
          .map(([name, value]) => h("tr", {}, h("th", {}, name), h("td", {}, value))))),
        h("p", { class: "ub-hint" }, t("offer_network")));
      if (await dialog(t("offer_fetch"), about, { action: t("offer_fetch") })) watch((await call("fetch_model", { name: model.name })).job);
    };
    const choose = async (model) => { await call("choose_model", { name: model.name }); await refresh(); emit("settings-saved"); emit("model-chosen"); };
    // What is told are the ends of transfers that this tab saw or began; one that had ended before is no news.
    const watched = new Set();
    const watch = async (id) => {
      if (watched.has(id)) return;
      watched.add(id);
      const job = await ended(id);
      if (job.state === "failed") notice(job.error, job.hint);
      else if (job.state === "finished") notice(t("offer_here", { name: job.name }), t("offer_here_hint"));
      refresh();
    };
    on("live", (news) => {
      jobs = news.jobs.filter((job) => job.kind === "download");
      for (const job of jobs) if (job.state === "running") watch(job.id);
      if (open && jobs.length) draw();
    });
    on("settings", () => { open = true; refresh(); });
    on("settings-close", () => { open = false; });
    on("escape", () => { open = false; });
  });
})();
