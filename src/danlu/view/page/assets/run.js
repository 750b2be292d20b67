"use strict";
/* One run while it goes on and after it; several runs side by side. */
danlu.findingCard = (one) => {
  const rows = [];
  if (one.why) rows.push(danlu.make("dt", {}, danlu.say("why")), danlu.make("dd", {}, one.why));
  const remedies = one.remedies.map(([text, change]) => danlu.make("li", {}, change ? danlu.copyable(text) : text));
  if (remedies.length) rows.push(danlu.make("dt", {}, danlu.say("remedy")), danlu.make("dd", {}, danlu.make("ol", { class: "remedies" }, ...remedies)));
  const where = one.where.slice(0, 4).join(", ") + (one.where.length > 4 ? " …" : "");
  const severity = ["error", "warning", "advice"].includes(one.severity) ? one.severity : "advice";
  return danlu.make("div", { class: `finding ${severity}` },
    danlu.make("p", {}, danlu.make("b", {}, `${one.number} · ${danlu.say(`severity-${severity}`)} · ${one.name}`),
      ...(one.name === one.rule ? [] : [" ", danlu.make("span", { class: "faint" }, one.rule)]), `   ${where}   ${danlu.say("since", { step: one.since.toLocaleString("en-US") })}`),
    danlu.make("p", {}, one.title), danlu.make("dl", {}, ...rows));
};

/** The pace of a training that goes on, from what was seen of it in the last seconds. */
danlu.Pace = class {
  static WINDOW = 15;

  constructor() {
    this.seen = [];
    this.bar = danlu.make("progress", { max: 1, value: 0, "aria-label": danlu.say("state-running") });
    this.text = danlu.make("span", { class: "faint" });
    this.host = danlu.make("p", { class: "pace hidden" }, this.bar, " ", this.text);
  }

  update(progress) {
    this.host.classList.toggle("hidden", !progress);
    if (!progress) { this.seen = []; return; }
    const now = performance.now() / 1000;
    if (this.seen.length && progress.step < this.seen.at(-1)[1]) this.seen = [];
    if (this.seen.at(-1)?.[1] !== progress.step) this.seen.push([now, progress.step]);
    while (this.seen.length > 2 && now - this.seen[0][0] > danlu.Pace.WINDOW) this.seen.shift();
    const [[since, first], [until, last]] = [this.seen[0], this.seen.at(-1)];
    const pace = until > since ? (last - first) / (until - since) : 0;
    const told = { epoch: progress.epoch, epochs: progress.epochs, rate: pace && progress.batch ? danlu.short(Math.round(pace * progress.batch)) : "…", left: pace ? danlu.clock((progress.steps - progress.step) / pace) : "…" };
    this.bar.classList.toggle("hidden", !progress.steps);
    if (progress.steps) this.bar.value = progress.step / progress.steps;
    this.text.textContent = danlu.say(progress.steps ? "pace" : "pace-open", told);
  }
};

danlu.facts = (tree, prefix = "") => Object.entries(tree).flatMap(([key, value]) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? danlu.facts(value, `${prefix}${key}.`)
    : [[`${prefix}${key}`, Array.isArray(value) ? value.join(", ") : String(value)]]);

/** The title that the reader gave, or the name; and the notes. */
danlu.named = (page, answer) => {
  const title = answer.notes?.title || answer.name;
  document.title = `${title} · danlu`;
  page.title.textContent = title;
  page.notes.refresh = page.refresh;
  if (answer.notes) page.notes.update(answer);
};

danlu.RunPage = class {
  constructor(main, id) {
    this.id = id;
    this.title = danlu.make("h1");
    this.state = danlu.make("p");
    this.where = danlu.make("p", { class: "faint" });
    this.numbers = danlu.make("ul", { class: "numbers" });
    this.findings = danlu.make("section", { "aria-live": "polite" });
    this.pace = new danlu.Pace();
    this.notes = new danlu.NotesPanel();
    const charts = danlu.make("div");
    this.charts = new danlu.Charts(charts);
    this.texts = danlu.make("section");
    this.trial = danlu.make("p", { class: "faint" });
    this.graph = danlu.make("div");
    this.rest = danlu.make("div");
    main.replaceChildren(
      danlu.make("div", { class: "bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`)),
      this.title, this.state, this.pace.host, this.where, this.notes.host, this.trial, this.numbers, this.findings, charts, this.texts, this.graph, this.rest,
    );
  }

  path() { return [`run/${this.id}`, {}]; }

  show(answer) {
    danlu.named(this, answer);
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.trial.replaceChildren(...(answer.try ? [`${danlu.say("try-link")} `, danlu.make("code", {}, answer.try)] : []));
    this.numbers.replaceChildren(...answer.numbers.map(([name, value]) => danlu.make("li", {}, danlu.make("b", {}, value), danlu.make("span", {}, name))));
    this.pace.update(answer.progress);
    const told = JSON.stringify([answer.findings, answer.cure]);
    if (told !== this.told) { // else a button that was just pressed would go
      this.told = told;
      const cards = answer.findings.map(danlu.findingCard);
      this.findings.replaceChildren(
        danlu.make("h2", {}, danlu.say("findings")),
        ...(cards.length ? cards : [danlu.make("p", { class: "faint" }, danlu.say("no-findings"))]),
        ...(answer.cure ? [danlu.make("p", {}, `${danlu.say("prove")} `, danlu.copyable(answer.cure))] : []),
      );
    }
    this.charts.show(answer.charts);
    const written = answer.texts.map(([epoch, prompt, text]) => danlu.make("tr", {},
      danlu.make("td", { class: "faint" }, epoch), danlu.make("td", { class: "generated" }, danlu.make("b", {}, prompt), text)));
    this.texts.replaceChildren(...(written.length ? [danlu.make("h2", {}, danlu.say("texts")),
      danlu.make("div", { class: "scroll" }, danlu.make("table", {}, danlu.make("tbody", {}, ...written)))] : []));
    if (answer.net && !this.graph.childElementCount) {
      const image = danlu.make("img", { src: `/api/run/${this.id}/net.svg?lang=${danlu.language}`, alt: danlu.say("net") });
      this.graph.replaceChildren(danlu.make("h2", {}, danlu.say("net")), danlu.make("div", { class: "graph" }, image));
    }
    const recipe = danlu.make("details", {}, danlu.make("summary", {}, danlu.say("recipe")), danlu.make("pre", {}, answer.recipe));
    const environment = danlu.make("details", {}, danlu.make("summary", {}, danlu.say("environment")), danlu.table([], danlu.facts(answer.environment)));
    if (!this.rest.childElementCount) this.rest.replaceChildren(recipe, environment);
  }
};

danlu.ComparePage = class {
  constructor(main, ids) {
    this.ids = ids;
    const charts = danlu.make("div");
    this.charts = new danlu.Charts(charts);
    this.tables = danlu.make("div");
    main.replaceChildren(
      danlu.make("div", { class: "bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`)),
      danlu.make("h1", {}, danlu.say("side-by-side")), charts, this.tables,
    );
  }

  path() { return ["compare", { runs: this.ids }]; }

  show(answer) {
    document.title = `${danlu.say("side-by-side")} · danlu`;
    this.charts.show(answer.charts);
    this.tables.replaceChildren(
      danlu.make("h2", {}, danlu.say("scores")), danlu.table(["", ...answer.names], answer.scores),
      danlu.make("h2", {}, danlu.say("differences")),
      answer.settings.length ? danlu.table(["", ...answer.names], answer.settings) : danlu.make("p", { class: "faint" }, danlu.say("no-differences")),
    );
  }
};

danlu.StudyPage = class {
  constructor(main, id) {
    this.id = id;
    const parts = ["h1", "p", "p", "ul", "p", "ul", "div", "div"].map((tag) => danlu.make(tag));
    [this.title, this.state, this.where, this.answers, this.best, this.numbers, this.failed] = parts;
    this.notes = new danlu.NotesPanel();
    this.table = danlu.make("div");
    parts.splice(3, 0, this.notes.host);
    parts.splice(-2, 0, this.table);
    this.where.className = "faint";
    this.numbers.className = "numbers";
    this.answers.setAttribute("aria-live", "polite");
    this.charts = new danlu.Charts(parts.at(-1));
    this.rest = danlu.make("div");
    main.replaceChildren(danlu.make("div", { class: "bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`)), ...parts, this.rest);
  }

  path() { return [`study/${this.id}`, {}]; }

  show(answer) {
    danlu.named(this, answer);
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.answers.replaceChildren(...answer.answers.map((text) => danlu.make("li", {}, text)));
    this.best.replaceChildren(answer.best, ...(answer.best_run ? [" ", danlu.make("a", { href: `#/run/${answer.best_run}` }, danlu.say("best-run"))] : []));
    this.numbers.replaceChildren(...[...(answer.test ?? []), ...answer.numbers].map(([name, value]) => danlu.make("li", {}, danlu.make("b", {}, value), danlu.make("span", {}, name))));
    const { head, rows, all } = answer.combinations;
    this.table.replaceChildren(...(rows.length ? [danlu.make("h2", {}, danlu.say("combinations")), danlu.table(head, rows)] : []),
      ...(all > rows.length ? [danlu.make("p", { class: "faint" }, danlu.say("shown", { shown: rows.length, all }))] : []));
    const failed = answer.failed.map((text) => danlu.make("li", {}, text));
    this.failed.replaceChildren(...(failed.length ? [danlu.make("h2", {}, danlu.say("failed")), danlu.make("ul", {}, ...failed)] : []));
    this.charts.show(answer.charts);
    if (answer.recipe && !this.rest.childElementCount) {
      this.rest.replaceChildren(danlu.make("details", {}, danlu.make("summary", {}, danlu.say("recipe")), danlu.make("pre", {}, answer.recipe)));
    }
  }
};
