"use strict";
/* One run while it goes on and after it; several runs side by side. */
/** A finding; of many the first ones are open. `back` leads to it on its run's page. */
danlu.findingCard = (one, open = true, back = "") => {
  const rows = [];
  if (one.why) rows.push(danlu.make("dt", {}, danlu.say("why")), danlu.make("dd", {}, one.why));
  const remedies = one.remedies.map(([text, change]) => danlu.make("li", {}, change ? danlu.copyable(text) : text));
  if (remedies.length) rows.push(danlu.make("dt", {}, danlu.say("remedy")), danlu.make("dd", {}, danlu.make("ol", { class: "remedies" }, ...remedies)));
  if (one.cure) rows.push(danlu.make("dt", {}, danlu.say("prove-one")), danlu.make("dd", {}, danlu.copyable(one.cure)));
  const where = one.where.slice(0, 4).join(", ") + (one.where.length > 4 ? " …" : "");
  const severity = ["error", "warning", "advice"].includes(one.severity) ? one.severity : "advice";
  return danlu.make("details", { class: `finding ${severity}`, open: open ? "" : null, "data-rule": one.rule },
    danlu.make("summary", {}, danlu.make("b", {}, `${one.number} · ${danlu.say(`severity-${severity}`)} · ${one.name}`),
      ...(one.name === one.rule ? [] : [" ", danlu.make("span", { class: "faint" }, one.rule)]), `   ${where}   ${danlu.say("since", { step: one.since.toLocaleString("en-US") })}`,
      danlu.make("span", { class: "title" }, one.title)),
    danlu.make("dl", {}, ...rows), back ? danlu.make("p", {}, danlu.make("a", { href: back }, danlu.say("to-finding"))) : null);
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

/** What stands at the head of a page: the way back, the name, and how far it is. */
danlu.headOf = (page, id) => {
  page.title = danlu.make("h1", {}, danlu.names[id] ?? "");
  page.state = danlu.make("p");
  page.where = danlu.faint();
  page.notes = new danlu.NotesPanel();
  return danlu.make("div", { class: "head bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`), page.title, page.state);
};

danlu.folded = (title, ...inside) => danlu.make("details", {}, danlu.make("summary", {}, title), ...inside);

danlu.RunPage = class {
  constructor(main, id, rule) {
    [this.id, this.rule] = [id, rule];
    main.className = "wide run";
    const head = danlu.headOf(this, id);
    this.numbers = danlu.make("ul", { class: "numbers" });
    this.findings = danlu.make("section", { "aria-live": "polite" });
    this.pace = new danlu.Pace();
    this.trial = danlu.faint();
    const [curves, rest] = [danlu.make("div", { class: "curves" }), danlu.make("div", { class: "side" })];
    [this.curves, this.charts] = [new danlu.Charts(curves), new danlu.Charts(rest)];
    [this.graph, this.rest] = ["div", "div"].map((tag) => danlu.make(tag));
    this.machine = new danlu.TimeMachine((at) => danlu.ask(`moment/${id}`, { at }), this.curves);
    this.graph.className = "net";
    rest.append(this.graph);
    main.replaceChildren(
      head, this.pace.host,
      danlu.make("div", { class: "story" }, danlu.make("div", {}, this.numbers, this.findings, this.trial, this.where, this.notes.host), curves),
      this.machine.host, rest, this.rest,
    );
  }

  path() { return [`run/${this.id}`, {}]; }

  show(answer) {
    danlu.named(this, answer);
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.trial.replaceChildren(...(answer.try ? [`${danlu.say("try-link")} `, danlu.make("code", {}, answer.try)] : []));
    this.numbers.replaceChildren(...danlu.numbers(answer.numbers));
    this.pace.update(answer.progress);
    const told = JSON.stringify([answer.findings, answer.cure, answer.cures]);
    if (told !== this.told) { // else a button that was just pressed would go
      this.told = told;
      const cards = answer.findings.map((one, at) => danlu.findingCard(one, at < 2 || one.rule === this.rule));
      this.findings.replaceChildren(
        danlu.make("h2", {}, danlu.say("findings")),
        ...(cards.length ? cards : [danlu.faint(danlu.say("no-findings"))]),
        ...(answer.cure ? [danlu.make("p", {}, `${danlu.say("prove")} `, danlu.copyable(answer.cure))] : []),
        ...(answer.cures ?? []).map(([id, name]) => danlu.make("p", {}, `${danlu.say("proved")} `, danlu.make("a", { href: `#/study/${id}` }, name))),
      );
      if (this.rule) { this.findings.querySelector(`[data-rule="${this.rule}"]`)?.scrollIntoView({ block: "center" }); this.rule = ""; }
    }
    this.curves.show(answer.charts.slice(0, 1));
    this.charts.show(answer.charts.slice(1));
    this.machine.update(answer.moments);
    if (answer.net && !this.graph.childElementCount) {
      const wait = danlu.faint(danlu.say("loading"));
      const image = danlu.make("img", { src: `/api/run/${this.id}/net.svg?lang=${danlu.language}`, alt: danlu.say("net"), onload: () => wait.remove(), onerror: () => wait.remove() });
      this.graph.replaceChildren(danlu.make("h2", {}, danlu.say("net")), danlu.make("div", { class: "graph" }, wait, image));
    }
    if (!this.rest.childElementCount) {
      this.rest.replaceChildren(danlu.folded(danlu.say("recipe"), danlu.make("pre", {}, answer.recipe)),
        danlu.folded(danlu.say("environment"), danlu.table([], danlu.facts(answer.environment))));
    }
  }
};

danlu.ComparePage = class {
  constructor(main, ids) {
    this.ids = ids;
    main.className = "wide";
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
      answer.settings.length ? danlu.table(["", ...answer.names], answer.settings) : danlu.faint(danlu.say("no-differences")),
    );
  }
};
