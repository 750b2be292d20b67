"use strict";
/* One study, search or cure: the answers first, its tables and pictures beside them, all else below. */
/** A table under its heading; `lines` are said on it. */
danlu.namedTable = ({ title, head, rows, all, lines }, most = rows.length) => danlu.make("section", {},
  title ? danlu.make("h2", {}, title) : null, rows.length ? danlu.table(head, rows.slice(0, most)) : null,
  all > most ? danlu.faint(danlu.say("shown", { shown: most, all })) : null,
  ...lines.map((line) => danlu.make("p", {}, line)));

/** How many seeds an answer lacks, as a button that shows what to type for them. */
danlu.lacking = (lacks, command) => {
  const line = danlu.make("span", { class: "hidden" }, " ", danlu.copyable(command));
  const button = danlu.make("button", {
    class: "plain", "aria-expanded": "false",
    onclick: () => { button.setAttribute("aria-expanded", String(!line.classList.toggle("hidden"))); },
  }, lacks);
  return danlu.make("div", { class: "lacking" }, button, line);
};

danlu.StudyPage = class {
  static ROWS = 8; // of a table beside the pictures

  constructor(main, id) {
    this.id = id;
    main.className = "wide";
    const head = danlu.headOf(this, id);
    const part = (tag = "div", kind = "") => danlu.make(tag, { class: kind });
    this.answers = part("ul", "answers");
    this.answers.setAttribute("aria-live", "polite");
    [this.back, this.heading, this.best, this.tables, this.failed, this.cured, this.rest] = Array.from({ length: 7 }, () => part());
    this.numbers = part("ul", "numbers");
    const hosts = { lead: part("div", "curves"), rest: part("div", "side"), folded: part("div", "side") };
    this.charts = Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, new danlu.Charts(host)]));
    this.pairs = danlu.folded(danlu.say("pairs"), hosts.folded);
    main.replaceChildren(head, this.back,
      danlu.make("div", { class: "story even" },
        danlu.make("div", {}, this.heading, this.answers, this.best, this.numbers, this.tables, this.where, this.notes.host),
        hosts.lead),
      hosts.rest, this.failed, this.cured, this.pairs, this.rest);
  }

  path() { return [`study/${this.id}`, {}]; }

  show(answer) {
    danlu.named(this, answer);
    this.state.replaceChildren(danlu.make("span", { class: `state ${answer.state}` }, answer.done));
    this.where.replaceChildren(danlu.make("code", {}, answer.where));
    this.numbers.replaceChildren(...danlu.numbers(answer.numbers));
    const run = answer.run ? `#/run/${answer.run}` : "";
    const told = JSON.stringify([answer.answers, answer.lines, answer.best, answer.command, answer.heading, answer.best_run, answer.cured, run, answer.tables, answer.members]);
    if (told !== this.told) { this.told = told; this.write(answer, run); } // else a button that was just pressed would go
    const failed = answer.failed.map((text) => danlu.make("li", {}, text));
    this.failed.replaceChildren(...(failed.length ? [danlu.make("h2", {}, danlu.say("failed")), danlu.make("ul", {}, ...failed)] : []));
    for (const [name, charts] of Object.entries(answer.charts)) this.charts[name].show(charts);
    this.pairs.classList.toggle("hidden", !answer.charts.folded.length);
  }

  write(answer, run) {
    this.back.replaceChildren(...(run ? [danlu.make("p", {}, danlu.say("cure-of"), " ", danlu.make("a", { href: run }, answer.run_name))] : []));
    this.heading.replaceChildren(answer.heading);
    this.answers.replaceChildren(
      ...answer.answers.map((one) => danlu.make("li", { class: one.look }, danlu.make("b", {}, one.change), danlu.make("span", {}, one.answer), one.command ? danlu.lacking(one.lacks, one.command) : null)),
      ...answer.lines.map((line) => danlu.make("li", {}, line)),
    );
    this.best.replaceChildren(danlu.make("p", {}, danlu.make("b", {}, answer.best), ...(answer.best_run ? [" ", danlu.make("a", { href: `#/run/${answer.best_run}` }, danlu.say("best-run"))] : [])),
      ...(answer.command ? [danlu.make("p", {}, danlu.copyable(answer.command))] : []));
    const most = danlu.StudyPage.ROWS;
    this.tables.replaceChildren(...answer.tables.map((table) => danlu.namedTable(table, Math.min(most, table.rows.length))));
    const longer = answer.tables.filter((table) => table.rows.length > most).map((table) => danlu.folded(table.title, danlu.namedTable({ ...table, title: "", lines: [] })));
    const cards = answer.cured.map((one) => danlu.findingCard(one, false, run ? `${run}?finding=${one.rule}` : ""));
    this.cured.replaceChildren(...(cards.length ? [danlu.make("h2", {}, danlu.say("cured")), ...cards] : []));
    const open = [...this.rest.children].map((one) => one.open);
    this.rest.replaceChildren(...longer, ...(answer.members.rows.length ? [danlu.folded(danlu.say("members", { count: answer.members.all.toLocaleString("en-US") }), danlu.namedTable(answer.members))] : []),
      ...(answer.recipe ? [danlu.folded(danlu.say("recipe"), danlu.make("pre", {}, answer.recipe))] : []));
    [...this.rest.children].forEach((one, at) => { one.open = open[at] ?? false; });
  }
};
