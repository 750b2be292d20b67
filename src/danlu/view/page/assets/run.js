"use strict";
/* One run while it goes on and after it; several runs side by side. */
danlu.findingCard = (one) => {
  const rows = [];
  const add = (id, text) => { if (text) rows.push(danlu.make("dt", {}, danlu.say(id)), danlu.make("dd", {}, text)); };
  add("why", one.why);
  add("remedy", one.remedies.map((text, at) => (one.remedies.length > 1 ? `${at + 1} ${text}` : text)).join("   "));
  const where = one.where.slice(0, 4).join(", ") + (one.where.length > 4 ? " …" : "");
  const severity = ["error", "warning", "advice"].includes(one.severity) ? one.severity : "advice";
  return danlu.make("div", { class: `finding ${severity}` },
    danlu.make("p", {}, danlu.make("b", {}, `${danlu.say(`severity-${severity}`)} · ${one.name}`),
      ...(one.name === one.rule ? [] : [" ", danlu.make("span", { class: "faint" }, one.rule)]), `   ${where}   ${danlu.say("since", { step: one.since.toLocaleString("en-US") })}`),
    danlu.make("p", {}, one.title), danlu.make("dl", {}, ...rows));
};

danlu.facts = (tree, prefix = "") => Object.entries(tree).flatMap(([key, value]) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? danlu.facts(value, `${prefix}${key}.`)
    : [[`${prefix}${key}`, Array.isArray(value) ? value.join(", ") : String(value)]]);

danlu.RunPage = class {
  constructor(main, id) {
    this.id = id;
    this.title = danlu.make("h1");
    this.state = danlu.make("p");
    this.where = danlu.make("p", { class: "faint" });
    this.numbers = danlu.make("ul", { class: "numbers" });
    this.findings = danlu.make("section", { "aria-live": "polite" });
    const charts = danlu.make("div");
    this.charts = new danlu.Charts(charts);
    this.texts = danlu.make("section");
    this.trial = danlu.make("p", { class: "faint" });
    this.graph = danlu.make("div");
    this.rest = danlu.make("div");
    main.replaceChildren(
      danlu.make("div", { class: "bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`)),
      this.title, this.state, this.where, this.trial, this.numbers, this.findings, charts, this.texts, this.graph, this.rest,
    );
  }

  path() { return [`run/${this.id}`, {}]; }

  show(answer) {
    document.title = `${answer.name} · danlu`;
    this.title.textContent = answer.name;
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.trial.replaceChildren(...(answer.try ? [`${danlu.say("try-link")} `, danlu.make("code", {}, answer.try)] : []));
    this.numbers.replaceChildren(...answer.numbers.map(([name, value]) => danlu.make("li", {}, danlu.make("b", {}, value), danlu.make("span", {}, name))));
    const cards = answer.findings.map(danlu.findingCard);
    this.findings.replaceChildren(
      danlu.make("h2", {}, danlu.say("findings")),
      ...(cards.length ? cards : [danlu.make("p", { class: "faint" }, danlu.say("no-findings"))]),
    );
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
    this.where.className = "faint";
    this.numbers.className = "numbers";
    this.answers.setAttribute("aria-live", "polite");
    this.charts = new danlu.Charts(parts[7]);
    this.rest = danlu.make("div");
    main.replaceChildren(danlu.make("div", { class: "bar" }, danlu.make("a", { href: danlu.listHash }, `← ${danlu.say("runs")}`)), ...parts, this.rest);
  }

  path() { return [`study/${this.id}`, {}]; }

  show(answer) {
    document.title = `${answer.name} · danlu`;
    this.title.textContent = answer.name;
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.answers.replaceChildren(...answer.answers.map((text) => danlu.make("li", {}, text)));
    this.best.textContent = answer.best;
    this.numbers.replaceChildren(...answer.numbers.map(([name, value]) => danlu.make("li", {}, danlu.make("b", {}, value), danlu.make("span", {}, name))));
    const failed = answer.failed.map((text) => danlu.make("li", {}, text));
    this.failed.replaceChildren(...(failed.length ? [danlu.make("h2", {}, danlu.say("failed")), danlu.make("ul", {}, ...failed)] : []));
    this.charts.show(answer.charts);
    if (answer.recipe && !this.rest.childElementCount) {
      this.rest.replaceChildren(danlu.make("h2", {}, danlu.say("recipe")), danlu.make("pre", {}, answer.recipe));
    }
  }
};
