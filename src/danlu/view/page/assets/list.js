"use strict";
/* The list of runs and studies. What it shows is asked of the server and stands in the address: filter, order, columns,
   groups, baseline and what is unfolded. */
danlu.listed = () => new URLSearchParams(location.hash.match(/^#\/\?(.*)$/)?.[1] ?? "");

/** The address of the list as it was seen last. */
danlu.listHash = "#/";

danlu.ListPage = class {
  constructor(main) {
    this.asked = danlu.listed();
    if (!this.asked.has("columns") && danlu.kept.get("columns") !== null) this.asked.set("columns", danlu.kept.get("columns"));
    this.picked = new Set();
    this.answer = null;
    this.filter = new danlu.Filter(this.asked.get("where") ?? "", (where) => this.set({ where, limit: "" }));
    this.tools = danlu.make("div", { class: "bar tools" });
    this.chosen = danlu.make("div", { class: "bar chosen", role: "group", "aria-label": danlu.say("picked-ones") });
    this.form = danlu.make("div");
    this.count = danlu.make("span", { class: "faint", role: "status" });
    this.said = danlu.make("div", { class: "said", role: "status" });
    this.head = danlu.make("thead");
    this.body = danlu.make("tbody");
    this.note = danlu.make("div");
    this.below = danlu.make("div");
    this.columns = new danlu.ColumnChoice((columns) => { danlu.kept.set("columns", columns); this.set({ columns }); });
    main.classList.add("wide");
    main.replaceChildren(
      danlu.make("h1", {}, danlu.say("runs")), this.filter.host, this.tools, this.chosen, this.form, this.said, this.note,
      danlu.make("div", { class: "scroll" }, danlu.make("table", { class: "list" }, this.head, this.body)), this.below,
    );
    this.drawChosen();
  }

  path() {
    danlu.listHash = location.hash || "#/";
    return ["list", Object.fromEntries(this.asked)];
  }

  /** Ask for something else; what is empty is left out of the address. */
  set(values) {
    for (const [name, value] of Object.entries(values)) { if (value === "" || value === null) this.asked.delete(name); else this.asked.set(name, value); }
    const shown = new URLSearchParams([...this.asked].filter(([name]) => name !== "limit"));
    history.replaceState(null, "", shown.size ? `#/?${shown}` : "#/");
    this.refresh?.();
  }

  toggle(name, value) {
    const all = (this.asked.get(name) ?? "").split(",").filter(Boolean);
    this.set({ [name]: (all.includes(value) ? all.filter((one) => one !== value) : [...all, value]).join(",") });
  }

  show(answer) {
    document.title = "danlu";
    document.querySelector("#top .folder").textContent = answer.folder;
    this.filter.tell(answer.wrong);
    if (answer.wrong && this.answer) return; // what was picked before stays while an expression is being typed
    this.answer = answer;
    this.drawTools();
    this.drawHead();
    this.drawRows();
    this.drawChosen();
    const reading = answer.unread ? ` · ${danlu.say("unread", { count: answer.unread.toLocaleString("en-US") })}` : "";
    this.count.textContent = danlu.say("shown", { shown: answer.matched.toLocaleString("en-US"), all: answer.total.toLocaleString("en-US") }) + reading;
    const empty = answer.total === 0 ? "no-runs" : answer.matched === 0 && !answer.wrong ? "none-picked" : "";
    this.note.replaceChildren(...(empty ? [danlu.make("p", { class: "empty" }, danlu.say(empty))] : []));
    if (answer.unread) this.soon = true;
  }

  drawTools() {
    const answer = this.answer;
    const focused = document.activeElement?.id;
    const select = (id, options, value, name) => danlu.make("label", {}, `${danlu.say(id)} `, danlu.options(id, options, value, (chosen) => this.set({ [name]: chosen })));
    const groups = answer.choices.filter(([kind, name]) => kind !== "score" && !["epochs", "steps", "seconds", "changed", "findings"].includes(name));
    this.columns.update(answer.choices, answer.columns.map(([name]) => name));
    this.tools.replaceChildren(...[
      answer.metrics.length ? select("metric", answer.metrics, answer.metric, "metric") : null,
      select("group", [["", danlu.say("no-group")], ...groups.map(([, name, label]) => [name, label])], answer.group ?? "", "group"),
      this.columns.button,
      answer.archived ? danlu.make("button", { id: "archived", "aria-pressed": String(this.asked.get("archived") === "1"), onclick: () => this.set({ archived: this.asked.get("archived") === "1" ? "" : "1" }) }, danlu.say("archived", { count: answer.archived })) : null,
      answer.base ? danlu.make("button", { id: "base", onclick: () => this.set({ base: "" }) }, `${danlu.say("baseline")} ${answer.base} ✕`) : null,
      this.count,
    ].filter(Boolean));
    if (focused) document.getElementById(focused)?.focus();
    if (answer.writable && !this.trash) { this.trash = new danlu.Trash(this); this.below.append(this.more = danlu.make("p"), this.trash.host); }
    else if (!this.more) this.below.append(this.more = danlu.make("p"));
  }

  drawHead() {
    const sort = this.asked.get("sort") ?? "-changed";
    const [by, down] = [sort.replace(/^-/, ""), sort.startsWith("-")];
    const metric = this.answer.metrics.find(([name]) => name === this.answer.metric)?.[1] ?? danlu.say("column-score");
    const cell = (column, label, kind) => danlu.make("th", { class: kind, "aria-sort": by === column ? (down ? "descending" : "ascending") : null },
      danlu.make("button", { "data-sort": column, onclick: () => this.sortBy(column, by, down) }, label));
    const hidden = (id) => danlu.make("th", {}, danlu.make("span", { class: "visually-hidden" }, danlu.say(id)));
    const focused = document.activeElement?.dataset?.sort;
    this.head.replaceChildren(danlu.make("tr", {}, hidden("pick"), ...(this.answer.writable ? [hidden("star")] : []),
      cell("name", danlu.say("column-name"), "name"), cell("state", danlu.say("column-state"), "state-cell"), cell("score", metric, "score number"),
      ...this.answer.columns.map(([name, label]) => cell(name, label, `wide ${danlu.COUNTED.has(name) ? "number" : ""}`))));
    if (focused) this.head.querySelector(`[data-sort="${CSS.escape(focused)}"]`)?.focus();
  }

  sortBy(column, by, down) {
    const text = column === "name" || column === "state";
    this.set({ sort: by === column ? (down ? column : `-${column}`) : text ? column : `-${column}` });
  }

  drawRows() {
    const { rows, groups, more } = this.answer;
    const focused = document.activeElement?.closest?.("tbody") ? document.activeElement.dataset : {};
    const lines = this.answer.group === null ? rows.map((row) => this.line(row))
      : groups.flatMap((group) => [this.groupLine(group), ...rows.slice(group.first, group.first + group.rows).map((row) => this.line(row))]);
    this.body.replaceChildren(...lines);
    for (const name of ["pick", "open", "unfold", "star"]) {
      if (focused[name]) this.body.querySelector(`[data-${name}="${CSS.escape(focused[name])}"]`)?.focus();
    }
    this.more.replaceChildren(...(more ? [danlu.button(danlu.say("show-more", { count: more.toLocaleString("en-US") }), () => this.set({ limit: String(rows.length + 500) }))] : []));
  }

  line(row) {
    const name = danlu.names[row.id] = row.title || row.name;
    const runs = row.kind === "member";
    const pick = runs ? null : danlu.make("input", {
      type: "checkbox", "data-pick": row.id, "aria-label": `${danlu.say("pick")} ${name}`,
      onchange: () => { if (pick.checked) this.picked.add(row.id); else this.picked.delete(row.id); this.drawChosen(); },
    });
    if (pick) { pick.checked = this.picked.has(row.id); pick.disabled = row.state === "unreadable"; }
    const star = !this.answer.writable ? [] : [danlu.make("td", { class: "star" }, runs ? null : danlu.make("button", {
      "data-star": row.id, "aria-pressed": String(row.star), "aria-label": `${danlu.say("star")} ${name}`,
      onclick: () => this.write({ [row.id]: { star: !row.star } }),
    }, row.star ? "★" : "☆"))];
    const [first, ...others] = row.differences ?? [];
    return danlu.make("tr", { class: [row.depth ? "inside" : "", row.archived ? "archived" : "", row.base ? "base" : ""].join(" ") },
      danlu.make("td", { class: "pick" }, pick), ...star, this.nameCell(row, name),
      danlu.make("td", { class: "state-cell" }, danlu.state(row.state)), this.scoreCell(row, first),
      ...row.cells.map((value, at) => this.cell(row, value, this.answer.columns[at][0], others[at])));
  }

  /** The button that unfolds what lies in a study or a group. */
  unfolding({ id, opened }, name) {
    return danlu.make("button", {
      class: "unfold", "data-unfold": id, "aria-expanded": String(opened), "aria-label": `${danlu.say("unfold")} ${name}`, onclick: () => this.toggle("opened", id),
    }, opened ? "▾" : "▸");
  }

  nameCell(row, name) {
    const unfold = row.below ? this.unfolding(row, name) : null;
    const shown = row.depth && row.name.includes("/") && !row.title ? row.name.split("/").at(-1) : name;
    const link = row.kind === "member" ? danlu.make("span", {}, name)
      : danlu.make("a", { href: `#/${row.kind === "study" ? "study" : "run"}/${row.id}`, "data-open": row.id, title: row.title ? row.name : null }, shown);
    return danlu.make("td", { class: "name" }, unfold, link,
      row.chip ? danlu.make("span", { class: "chip" }, row.chip) : null,
      ...row.tags.map((tag) => danlu.make("span", { class: "chip tag" }, tag)),
      row.note ? danlu.make("span", { class: "faint note-line" }, row.note.split("\n")[0].slice(0, 80)) : null);
  }

  scoreCell(row, difference) {
    const part = row.score !== null && row.part !== "test" && !this.answer.metric.includes(".") ? danlu.make("span", { class: "faint", title: danlu.say(`part-${row.part}`) }, ` ${danlu.say(`short-${row.part}`)}`) : null;
    return danlu.make("td", { class: "score number" }, row.score ?? danlu.make("span", { class: "faint" }, row.other), part, this.difference(difference));
  }

  difference(one) {
    return one ? danlu.make("span", { class: `difference ${["worse", "", "better"][one[1] + 1]}` }, one[0]) : null;
  }

  cell(row, value, column, difference) {
    if (column === "changed") return danlu.cell(value ? danlu.ago(value) : "", "wide");
    if (column === "findings") {
      const badge = row.kind !== "run" ? "" : value === null ? "…" : danlu.make("span", { class: value === "0" ? "badge" : "badge some" }, value);
      return danlu.make("td", { class: "wide number" }, badge, this.difference(difference));
    }
    return danlu.make("td", { class: `wide ${danlu.COUNTED.has(column) ? "number" : ""}` }, value ?? "…", this.difference(difference));
  }

  groupLine(group) {
    const told = `${this.answer.group_label} = ${group.value || "–"}`;
    const [mean, low, high] = group.score ?? [];
    const text = low === undefined ? "" : `[${low} … ${high}]`;
    return danlu.make("tr", { class: "group" }, danlu.make("td", { class: "pick" }), ...(this.answer.writable ? [danlu.make("td", { class: "star" })] : []),
      danlu.make("td", { class: "name" }, this.unfolding(group, told), danlu.make("b", {}, told), danlu.make("span", { class: "chip" }, danlu.say("runs-in-group", { count: group.count }))),
      danlu.make("td", { class: "state-cell" }), danlu.make("td", { class: "score number" }, mean ?? ""),
      danlu.make("td", { class: "band", colspan: Math.max(1, this.answer.columns.length) }, danlu.band(group, this.answer.groups), ` ${text}`));
  }

  drawChosen() {
    const rows = [...this.picked].flatMap((id) => (this.answer?.rows ?? []).filter((row) => row.id === id)); // in the order in which they were picked
    const runs = rows.filter((row) => row.kind === "run");
    const button = (id, text, enabled, onclick) => danlu.make("button", { id: `do-${id}`, disabled: enabled ? null : "", onclick }, text);
    const focused = document.activeElement?.id;
    const both = rows.every((row) => row.archived);
    const writing = !this.answer?.writable || !rows.length ? [] : [
      button("rename", danlu.say("rename"), rows.length === 1, () => this.ask("title", rows)),
      button("tag", danlu.say("tag"), true, () => this.ask("tags", rows)),
      button("archive", danlu.say(both ? "unarchive" : "archive"), true, () => this.write(Object.fromEntries(rows.map((row) => [row.id, { archived: !both }])))),
      button("delete", danlu.say("delete"), true, () => this.delete(rows)),
    ];
    this.chosen.replaceChildren(
      button("compare", danlu.say("compare", { count: runs.length }), runs.length > 1, () => { location.hash = `#/compare/${runs.map((row) => row.id).join(",")}`; }),
      button("base", danlu.say("as-baseline"), rows.length === 1, () => { this.picked.clear(); this.set({ base: rows[0].id }); }), ...writing);
    if (focused?.startsWith("do-")) document.getElementById(focused)?.focus();
  }

  /** A line to type a title or tags in, for the runs that are picked. */
  ask(what, rows) {
    const one = rows.length === 1;
    const before = !one ? "" : what === "title" ? rows[0].title : rows[0].tags.join(", ");
    const input = danlu.make("input", { type: "text", "aria-label": danlu.say(`ask-${what}`), placeholder: danlu.say(`ask-${what}`) });
    input.value = before;
    const close = () => { this.form.replaceChildren(); document.getElementById(`do-${what === "title" ? "rename" : "tag"}`)?.focus(); };
    const save = async () => {
      const tags = danlu.tagsOf(input.value);
      const changes = rows.map((row) => [row.id, what === "title" ? { title: input.value.trim() } : { tags: one ? tags : [...new Set([...row.tags, ...tags])] }]);
      if (await this.write(Object.fromEntries(changes))) close();
    };
    this.form.replaceChildren(danlu.make("form", { class: "bar", onsubmit: (event) => { event.preventDefault(); save(); }, onkeydown: (event) => { if (event.key === "Escape") close(); } },
      input, danlu.make("button", { type: "submit" }, danlu.say("save")), danlu.make("button", { onclick: close }, danlu.say("cancel"))));
    input.focus();
  }

  async write(changes) {
    const told = await danlu.send("notes", { changes });
    this.tell(told.error ?? "");
    this.refresh?.();
    return !told.error;
  }

  async delete(rows) {
    const told = await danlu.send("trash", { ids: rows.map((row) => row.id) });
    if (told.error) { this.tell(told.error); return; }
    for (const row of rows) this.picked.delete(row.id);
    this.tell(danlu.say("deleted", { count: told.trash.length }), () => this.restore(told.trash.map((one) => one.id)));
    this.refresh?.();
    this.trash?.look();
  }

  async restore(ids) {
    const told = await danlu.send("restore", { ids });
    this.tell(told.error ?? danlu.say("restored", { count: told.restored.length }));
    this.refresh?.();
    this.trash?.look();
  }

  tell(text, undo) {
    const back = undo ? danlu.button(danlu.say("undo"), undo, { id: "undo" }) : null;
    this.said.replaceChildren(...(text ? [danlu.make("p", { class: "empty" }, text, " ", back)] : []));
    if (back) back.focus();
  }
};
