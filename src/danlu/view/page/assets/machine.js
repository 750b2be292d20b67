"use strict";
/* The moments of a run, on its page and in its report. */
danlu.numbers = (pairs) => pairs.map(([name, value]) => danlu.make("li", {}, danlu.make("b", {}, value), danlu.make("span", {}, name)));

/** Charts in their places: each is kept while its kind stays, so that what the reader chose in it stays too. */
danlu.Charts = class {
  constructor(host) { this.host = host; this.held = []; }

  show(charts) {
    charts.forEach((chart, at) => {
      const held = this.held[at];
      if (held && held.chart.kind === chart.kind) { held.update(chart); return; }
      if (held) held.remove();
      const place = held ? held.host : danlu.make("div");
      if (!held) this.host.append(place);
      this.held[at] = new danlu.Chart(place, chart);
    });
    for (const held of this.held.splice(charts.length)) { held.remove(); held.host.remove(); }
  }
};

/** One slider over the moments of a run: what the net was like, where that was on its curves, and what it wrote. `ask`
    answers with what is known of the moment of a number. */
danlu.TimeMachine = class {
  constructor(ask, curves) {
    [this.ask, this.curves, this.moments] = [ask, curves, []];
    this.slider = danlu.make("input", { type: "range", min: 0, "aria-label": danlu.say("moment"), oninput: () => this.go() });
    this.label = danlu.make("output");
    this.numbers = danlu.make("ul", { class: "numbers" });
    this.text = danlu.make("p", { class: "generated" });
    const charts = danlu.make("div", { class: "side" });
    this.charts = new danlu.Charts(charts);
    const toggled = () => { danlu.kept?.set("moments", this.host.open ? "1" : ""); this.go(this.newest); };
    this.host = danlu.make("details", { class: "machine hidden", open: danlu.kept?.get("moments") ? "" : null, ontoggle: toggled },
      danlu.make("summary", {}, danlu.say("moments")), danlu.make("div", { class: "bar" }, this.slider, this.label, this.numbers), charts, this.text);
  }

  get newest() { return Number(this.slider.value) === this.moments.length - 1; }

  /** Other moments: who looks at the newest one goes on with it. */
  update(moments) {
    const newest = this.newest || !this.moments.length;
    const more = moments.length !== this.moments.length;
    this.moments = moments;
    this.host.classList.toggle("hidden", !moments.length);
    this.slider.max = Math.max(0, moments.length - 1);
    if (!more || !moments.length) return;
    if (newest) this.slider.value = moments.length - 1;
    this.go(newest);
  }

  async go(newest = false) {
    const number = Number(this.slider.value);
    const { open } = this.host;
    const { label, at } = this.moments[number] ?? {};
    this.curves.held[0]?.mark(newest || !open ? null : at);
    if (!open || !label) return;
    this.label.textContent = label;
    this.slider.setAttribute("aria-valuetext", label);
    let told = null;
    try { told = await this.ask(number); } catch { return; }
    if (number !== Number(this.slider.value)) return; // it was moved on meanwhile
    this.numbers.replaceChildren(...danlu.numbers(told.numbers));
    this.charts.show(told.charts);
    this.text.replaceChildren(...(told.text ? [danlu.make("b", {}, told.text[0]), told.text[1]] : []));
  }
};
