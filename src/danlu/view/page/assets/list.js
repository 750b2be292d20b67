"use strict";
/* The list of runs and studies: sorted by any column, filtered by words, some of them picked to be compared. */
danlu.ListPage = class {
  constructor(main) {
    this.sort = JSON.parse(danlu.kept.get("sort") ?? "null") ?? { by: "changed", down: true };
    this.picked = new Set();
    this.words = "";
    this.rows = [];
    this.search = danlu.make("input", {
      type: "search", "aria-label": danlu.say("filter"), placeholder: danlu.say("filter"),
      oninput: () => { this.words = this.search.value.toLowerCase(); this.fill(); },
    });
    this.compare = danlu.make("button", { type: "button", onclick: () => { location.hash = `#/compare/${[...this.picked].join(",")}`; } });
    this.count = danlu.make("span", { class: "faint", role: "status" });
    this.head = danlu.make("thead");
    this.body = danlu.make("tbody");
    this.table = danlu.make("table", { class: "list" }, this.head, this.body);
    this.note = danlu.make("div");
    main.replaceChildren(
      danlu.make("h1", {}, danlu.say("runs")),
      danlu.make("div", { class: "bar" }, this.search, this.compare, this.count),
      this.note, this.table,
    );
    this.drawHead();
    this.drawPicked();
  }

  static columns = [
    ["name", "text", "name"], ["state", "text", "state-cell"], ["score", "number", "score number"], ["net", "text", "wide"],
    ["data", "text", "wide"], ["lr", "number", "wide number"], ["epochs", "number", "wide number"], ["steps", "number", "wide number"],
    ["findings", "number", "wide number"], ["changed", "number", "wide"],
  ];

  static atOnce = 150;

  path() { return ["list", {}]; }

  show(answer) {
    this.rows = answer.rows;
    document.title = "danlu";
    danlu.folder = answer.folder;
    document.querySelector("#top .folder").textContent = answer.folder;
    this.picked = new Set([...this.picked].filter((id) => this.rows.some((row) => row.id === id)));
    this.fill();
  }

  drawHead() {
    const heads = danlu.ListPage.columns.map(([key, , kind]) => danlu.make("th", {
      class: kind,
      "aria-sort": this.sort.by === key ? (this.sort.down ? "descending" : "ascending") : null,
    }, danlu.make("button", { type: "button", onclick: () => this.sortBy(key) }, danlu.say(`column-${key}`))));
    this.head.replaceChildren(danlu.make("tr", {}, danlu.make("th", {}, danlu.make("span", { class: "visually-hidden" }, danlu.say("pick"))), ...heads));
  }

  sortBy(key) {
    this.sort = { by: key, down: this.sort.by === key ? !this.sort.down : key !== "name" };
    danlu.kept.set("sort", JSON.stringify(this.sort));
    this.drawHead();
    this.fill();
  }

  fill() {
    const words = this.words.split(/\s+/).filter(Boolean);
    const text = (row) => [row.name, danlu.say(`state-${row.state}`), row.net, row.data, row.optimiser, row.lr].join(" ").toLowerCase();
    const shown = this.rows.filter((row) => { const all = text(row); return words.every((word) => all.includes(word)); });
    const { down } = this.sort;
    // Clocks are set back and forth: what was begun last is newest, whatever time that is said to have been.
    const by = this.sort.by === "changed" ? "turn" : this.sort.by;
    const numbers = danlu.ListPage.columns.some(([key, kind]) => key === this.sort.by && kind === "number");
    const value = (row) => (numbers && typeof row[by] !== "number" ? null : row[by]);
    shown.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || a === undefined) return 1;
      if (b === null || b === undefined) return -1;
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), danlu.language, { numeric: true });
      return down ? -order : order;
    });
    const focused = document.activeElement?.dataset?.pick ?? document.activeElement?.dataset?.open;
    // What fits the window at once, the rest in the next moments: a thousand lines would keep the reader waiting.
    this.body.replaceChildren(...shown.slice(0, danlu.ListPage.atOnce).map((row) => this.line(row)));
    clearTimeout(this.rest);
    const goOn = (from) => {
      this.body.append(...shown.slice(from, from + danlu.ListPage.atOnce).map((row) => this.line(row)));
      this.focusOn(focused);
      if (from + danlu.ListPage.atOnce < shown.length) this.rest = setTimeout(goOn, 0, from + danlu.ListPage.atOnce);
    };
    goOn(danlu.ListPage.atOnce);
    this.count.textContent = danlu.say("shown", { shown: shown.length, all: this.rows.length });
    this.note.replaceChildren(...(this.rows.length ? [] : [danlu.make("p", { class: "empty" }, danlu.say("no-runs"))]));
  }

  focusOn(id) {
    if (id && document.activeElement === document.body) this.body.querySelector(`[data-pick="${id}"], [data-open="${id}"]`)?.focus();
  }

  line(row) {
    const pick = danlu.make("input", {
      type: "checkbox", "data-pick": row.id, "aria-label": `${danlu.say("pick")} ${row.name}`,
      onchange: () => { if (pick.checked) this.picked.add(row.id); else this.picked.delete(row.id); this.drawPicked(); },
    });
    pick.checked = this.picked.has(row.id);
    pick.disabled = row.kind !== "run" || row.state === "unreadable";
    const page = row.kind === "study" ? "study" : "run";
    const findings = row.findings === null ? "…" : danlu.make("span", { class: row.findings ? "badge some" : "badge" }, String(row.findings));
    const score = row.score === null || row.score === undefined ? "" : `${row.metric} ${danlu.short(row.score)}`;
    return danlu.make("tr", {},
      danlu.make("td", { class: "pick" }, pick),
      danlu.make("td", { class: "name" }, danlu.make("a", { href: `#/${page}/${row.id}`, "data-open": row.id }, row.name)),
      danlu.make("td", { class: "state-cell" }, danlu.state(row.state), row.kind === "study" ? ` · ${danlu.say("study")}` : null),
      danlu.cell(score, "score number"),
      danlu.cell(row.net, "wide"), danlu.cell(row.data, "wide"), danlu.cell(row.lr === null ? "" : danlu.short(row.lr), "wide number"),
      danlu.cell(row.epochs || "", "wide number"), danlu.cell(row.steps ? row.steps.toLocaleString("en-US") : "", "wide number"),
      danlu.make("td", { class: "wide number" }, row.kind === "study" ? "" : findings),
      danlu.cell(danlu.ago(row.changed), "wide"),
    );
  }

  drawPicked() {
    this.compare.textContent = danlu.say("compare", { count: this.picked.size });
    this.compare.disabled = this.picked.size < 2;
  }
};
