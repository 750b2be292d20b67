"use strict";
/* The tools of the list: the filter with its completion, the choice of columns, the trash, the band of a group. */
danlu.COUNTED = new Set(["epochs", "steps", "seconds", "findings"]);

danlu.options = (id, options, value, chosen) => {
  const select = danlu.make("select", { id: `choose-${id}`, onchange: () => chosen(select.value) },
    ...options.map(([name, label]) => danlu.make("option", { value: name }, label)));
  select.value = value;
  return select;
};

/** An expression that is typed: what can come next is offered, and what is wrong is shown where it stands. */
danlu.Filter = class {
  static PATIENCE = 250;

  constructor(where, changed) {
    this.changed = changed;
    this.words = [];
    this.at = -1;
    this.input = danlu.make("input", {
      type: "search", value: where, role: "combobox", "aria-label": danlu.say("filter"), "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "completions",
      placeholder: danlu.say("filter"), autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 4000,
      oninput: () => { this.wait(); this.offer(); }, onkeydown: (event) => this.key(event), onblur: () => this.close(), onclick: () => this.offer(),
    });
    this.list = danlu.make("ul", { id: "completions", role: "listbox", class: "completions hidden", "aria-label": danlu.say("completions") });
    this.wrong = danlu.make("p", { class: "wrong", role: "alert" });
    this.host = danlu.make("div", { class: "bar filter" }, danlu.make("div", { class: "typed" }, this.input, this.list), this.wrong);
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed(this.input.value.trim()), danlu.Filter.PATIENCE);
  }

  tell(wrong) {
    const text = this.input.value;
    clearTimeout(this.telling);
    if (!wrong) { this.wrong.replaceChildren(); return; }
    this.telling = setTimeout(() => { // half an expression is no mistake yet
      const at = Math.max(0, wrong.at - 1);
      this.wrong.replaceChildren(wrong.text, danlu.make("br"), danlu.make("code", {}, text.slice(0, at), danlu.make("mark", {}, text.slice(at) || "▁")));
    }, this.wrong.childElementCount ? 0 : 500);
  }

  async offer() {
    const [text, at] = [this.input.value, this.input.selectionStart];
    let told = null;
    try { told = await danlu.ask("complete", { where: text, at }); } catch { return; }
    if (text !== this.input.value || document.activeElement !== this.input) return;
    this.from = told.from;
    this.words = told.words;
    this.choose(-1);
    this.list.replaceChildren(...this.words.map((word, number) => danlu.make("li", {
      role: "option", id: `completion-${number}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); this.take(number); },
    }, word)));
    this.list.classList.toggle("hidden", !this.words.length);
    this.input.setAttribute("aria-expanded", String(this.words.length > 0));
  }

  choose(at) {
    this.at = at;
    [...this.list.children].forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
    if (at >= 0) { this.input.setAttribute("aria-activedescendant", `completion-${at}`); this.list.children[at].scrollIntoView({ block: "nearest" }); }
    else this.input.removeAttribute("aria-activedescendant");
  }

  take(number) {
    const [before, after] = [this.input.value.slice(0, this.from), this.input.value.slice(this.input.selectionStart)];
    this.input.value = `${before}${this.words[number]} ${after.replace(/^ /, "")}`;
    const at = before.length + this.words[number].length + 1;
    this.input.setSelectionRange(at, at);
    this.wait();
    this.offer();
  }

  key(event) {
    const open = !this.list.classList.contains("hidden");
    if (event.key === "ArrowDown" && !open) { event.preventDefault(); this.offer(); }
    else if (["ArrowDown", "ArrowUp"].includes(event.key) && open) {
      event.preventDefault();
      const count = this.words.length;
      this.choose(event.key === "ArrowDown" ? (this.at + 1) % count : (this.at + count - (this.at < 0 ? 0 : 1)) % count);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (open && this.at >= 0) this.take(this.at);
      else { clearTimeout(this.timer); this.close(); this.changed(this.input.value.trim()); }
    } else if (event.key === "Escape" && open) { event.preventDefault(); this.close(); }
  }

  close() {
    this.list.classList.add("hidden");
    this.input.setAttribute("aria-expanded", "false");
    this.choose(-1);
  }
};

/** Which columns are shown: settings that differ first, then all others. */
danlu.ColumnChoice = class {
  constructor(changed) {
    this.changed = changed;
    this.body = danlu.make("div", { class: "choices" });
    this.search = danlu.make("input", { type: "search", "aria-label": danlu.say("find-column"), placeholder: danlu.say("find-column"), oninput: () => this.fill() });
    this.button = danlu.make("details", { class: "menu", id: "columns", onkeydown: (event) => { if (event.key === "Escape") { this.button.open = false; this.button.firstChild.focus(); } } },
      danlu.make("summary", {}, danlu.say("columns")), danlu.make("div", { class: "panel" }, this.search, this.body));
    document.addEventListener("click", (event) => { if (this.button.open && this.button.isConnected && !this.button.contains(event.target)) this.button.open = false; });
  }

  update(choices, columns) {
    const told = JSON.stringify([choices, columns]);
    if (told === this.told) return;
    this.told = told;
    [this.choices, this.columns] = [choices, columns];
    this.fill();
  }

  fill() {
    const words = this.search.value.toLowerCase();
    const focused = document.activeElement?.dataset?.column;
    const parts = ["differing", "fact", "score", "setting"].map((kind) => {
      const own = this.choices.filter(([one, name, label]) => one === kind && `${name} ${label}`.toLowerCase().includes(words));
      return own.length ? danlu.make("fieldset", {}, danlu.make("legend", {}, danlu.say(`choice-${kind}`)), ...own.map(([, name, label]) => this.choice(name, label))) : null;
    });
    const all = this.choices.filter(([kind]) => kind === "differing").map(([, name]) => name);
    this.body.replaceChildren(...(all.length ? [danlu.button(danlu.say("only-differing"), () => this.changed([...new Set([...all, "findings", "changed"])].join(",")), { "data-column": "*" })] : []), ...parts.filter(Boolean));
    if (focused) this.body.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  choice(name, label) {
    const box = danlu.make("input", { type: "checkbox", "data-column": name, onchange: () => {
      this.changed((box.checked ? [...this.columns, name] : this.columns.filter((one) => one !== name)).join(",") || "name");
    } });
    box.checked = this.columns.includes(name);
    return danlu.make("label", {}, box, ` ${label}`);
  }
};

/** What was deleted, and can be taken back. */
danlu.Trash = class {
  constructor(page) {
    this.page = page;
    this.body = danlu.make("ul");
    this.host = danlu.make("details", { class: "trash", ontoggle: () => { if (this.host.open) this.look(); } }, danlu.make("summary", {}, danlu.say("trash")), this.body);
  }

  async look() {
    let told = null;
    try { told = await danlu.ask("trash"); } catch { return; }
    this.body.replaceChildren(...(told.trash.length ? told.trash.map((one) => danlu.make("li", {}, `${one.name} `,
      danlu.button(danlu.say("restore"), () => this.page.restore([one.id]), { "aria-label": `${danlu.say("restore")} ${one.name}` }))) : [danlu.make("li", { class: "faint" }, danlu.say("trash-empty"))]));
  }
};

/** The mean of a group and its interval, on one scale for all groups. */
danlu.band = (group, groups) => {
  const read = (text) => Number(String(text).replaceAll(",", "").replace("−", "-"));
  const ends = groups.flatMap((one) => (one.score ?? []).map(read)).filter(Number.isFinite);
  if (!group.score || ends.length < 2) return null;
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const place = (value) => 4 + (152 * (read(value) - least)) / (most - least || 1);
  const [mean, low, high] = group.score;
  return danlu.make("svg", { width: 160, height: 14, "aria-hidden": "true" },
    danlu.make("line", { x1: 4, x2: 156, y1: 7, y2: 7, class: "scale" }),
    low === undefined ? null : danlu.make("line", { x1: place(low), x2: place(high), y1: 7, y2: 7, class: "interval" }),
    danlu.make("circle", { cx: place(mean), cy: 7, r: 3.5, class: "mean" }));
};
