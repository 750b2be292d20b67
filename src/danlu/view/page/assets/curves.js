"use strict";
/* Curves as the reader wants them: how smooth, along which axis, which stretch. The server draws them from all of its
   numbers, so that a closer look has finer points; what is chosen stands in the address. */
danlu.CurveTools = class {
  static PATIENCE = 120;

  constructor(chart, asks) {
    this.chart = chart;
    this.turn = 0;
    const told = new URLSearchParams(location.hash.split("?")[1] ?? "");
    this.state = new Map(["axis", "smooth", "bands", "low", "high", "logx", "logy"].filter((name) => told.has(name)).map((name) => [name, told.get(name)]));
    for (const which of ["x", "y"]) if (this.state.has(`log${which}`)) chart.logs[which] = this.state.get(`log${which}`) === "1";
    if (this.state.has("low") && this.state.has("high")) chart.zoom = [Number(this.state.get("low")), Number(this.state.get("high"))];
    this.slider = danlu.make("input", { type: "range", min: 0, step: 1, "aria-label": danlu.say("smoothing"), oninput: () => this.slid() });
    this.told = danlu.make("output", { class: "faint" });
    this.select = danlu.make("select", { "aria-label": danlu.say("axis"), onchange: () => this.along(this.select.value) });
    this.bands = danlu.make("span");
    chart.tools.append(danlu.make("label", { class: "smooth" }, `${danlu.say("smoothing")} `, this.slider, this.told), this.select, this.bands);
    this.fill(asks);
  }

  /** What can be chosen, by what there is to be seen by now. */
  fill(asks) {
    this.asks = asks;
    const most = Math.max(10, asks.steps / 10);
    this.sigmas = [0];
    for (let power = 1; power <= most; power *= 10) for (const part of [1, 2, 5]) if (part * power <= most) this.sigmas.push(part * power);
    this.sigmas = [...new Set([...this.sigmas, asks.sigma, Number(this.state.get("smooth") ?? asks.sigma) || 0])].sort((one, two) => one - two);
    this.slider.max = this.sigmas.length - 1;
    this.slider.value = this.sigmas.indexOf(this.state.has("smooth") ? Number(this.state.get("smooth")) || 0 : asks.sigma);
    this.tell();
    if (this.select.childElementCount !== asks.axes.length) {
      this.select.replaceChildren(...asks.axes.map((axis) => danlu.make("option", { value: axis }, danlu.say(`axis-${axis}`))));
    }
    this.select.value = asks.axes.includes(this.state.get("axis")) ? this.state.get("axis") : asks.axes[0];
    if (asks.bands !== null && !this.bands.childElementCount) {
      const value = this.state.has("bands") ? this.state.get("bands") === "1" : asks.bands;
      this.bands.replaceChildren(danlu.checked(danlu.say("bands"), value, (on) => { this.keep("bands", on ? "1" : "0"); this.load(); }));
    }
  }

  get sigma() { return this.sigmas[Number(this.slider.value)] ?? 0; }

  tell() {
    const text = this.sigma ? danlu.say("sigma", { steps: danlu.short(this.sigma, 2) }) : danlu.say("unsmoothed");
    this.told.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }

  slid() {
    this.tell();
    this.keep("smooth", this.sigma === this.asks.sigma ? null : String(this.sigma));
    this.soon();
  }

  along(axis) {
    this.chart.zoom = null;
    for (const end of ["low", "high"]) this.keep(end, null);
    this.keep("axis", axis === this.asks.axes[0] ? null : axis);
    this.load();
  }

  zoomed() {
    const ends = this.chart.zoom ?? [null, null];
    ["low", "high"].forEach((name, at) => this.keep(name, ends[at] === null ? null : String(Number(ends[at].toPrecision(7)))));
    this.soon();
  }

  soon() { clearTimeout(this.waiting); this.waiting = setTimeout(() => this.load(), danlu.CurveTools.PATIENCE); }

  /** Remember a choice in the address; null is none. */
  keep(name, value) {
    if (value === null) this.state.delete(name); else this.state.set(name, value);
    const path = location.hash.split("?")[0];
    history.replaceState(null, "", this.state.size ? `${path}?${new URLSearchParams([...this.state])}` : path);
  }

  get custom() { return ["axis", "smooth", "bands", "low"].some((name) => this.state.has(name)); }

  begin() { if (this.custom) this.load(); }

  /** Whether the newest curves are to be asked for again, in the way in which the reader wants them. */
  holds(chart) {
    if (chart.asks) this.fill(chart.asks);
    if (this.custom) this.load();
    return this.custom;
  }

  async ask(more = {}) {
    const runs = location.hash.match(/^#\/\w+\/([0-9a-f,]+)/)?.[1] ?? "";
    const wanted = [...this.state].filter(([name]) => !name.startsWith("log"));
    const told = await danlu.ask("curves", { runs, ...Object.fromEntries(wanted), ...more });
    return told?.chart ?? null;
  }

  async load() {
    const turn = (this.turn += 1);
    let chart = null;
    try { chart = await this.ask(); } catch { return; } // the page itself says that nobody answers
    if (chart && turn === this.turn) this.chart.accept(chart);
  }

  /** All points of the stretch that is seen. */
  async whole() { try { return await this.ask({ most: 200000 }); } catch { return null; } }
};
