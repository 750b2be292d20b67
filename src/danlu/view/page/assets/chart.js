"use strict";
/* A chart in the page: panels under each other over the width there is; point at it, drag over it to see a stretch of it
   more closely, double-click to see all again; with the keyboard: arrows, + and -, Escape. */
danlu.Chart = class {
  constructor(host, chart) {
    this.host = host;
    this.hidden = new Set();
    this.zoom = null;
    this.cursor = null;
    this.logs = {};
    this.title = danlu.make("p", { class: "chart-title" });
    this.tools = danlu.make("div", { class: "chart-tools" });
    [this.body, this.picked] = [danlu.make("div"), danlu.make("div", { class: "picked", role: "status" })];
    host.classList.add("chart");
    host.replaceChildren(danlu.make("div", { class: "chart-head" }, this.title, this.tools), this.body, this.picked);
    this.asked = danlu.CurveTools && chart.asks ? new danlu.CurveTools(this, chart.asks) : null;
    danlu.equip(this, chart);
    this.observer = new ResizeObserver(() => this.redraw());
    this.dressed = () => this.again(); // what is painted, not drawn, has the colours of its time
    window.addEventListener("danlu-theme", this.dressed);
    this.accept(chart);
    this.asked?.begin();
    this.observer.observe(host);
  }

  /** Draw other numbers in the same place; what the reader has chosen stays. */
  update(chart) { if (!this.asked?.holds(chart)) this.accept(chart); }

  accept(chart) {
    this.chart = chart;
    this.width = 0;
    this.redraw();
  }

  remove() { this.observer.disconnect(); window.removeEventListener("danlu-theme", this.dressed); this.host.replaceChildren(); }

  redraw() {
    const width = Math.floor(this.host.clientWidth);
    if (!width || width === this.width) return;
    this.width = width;
    const { chart, host } = this;
    danlu.dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    this.title.textContent = chart.title;
    const parts = [this.legend()];
    const solid = chart.panels.flatMap((panel) => panel.marks).find((mark) => mark.solid);
    const pictures = chart.panels.flatMap((panel) => panel.marks).find((mark) => mark.type === "Pictures");
    if (solid) parts.push(danlu.solid(solid, chart.panels[0], width, this));
    else if (pictures) parts.push(danlu.pictures(pictures));
    else parts.push(this.panels(width));
    const notes = [...(chart.notes ?? []), chart.hint].filter(Boolean).map((note) => danlu.make("li", {}, note));
    if (notes.length) parts.push(danlu.make("ul", { class: "chart-notes" }, ...notes));
    host.dataset.kind = chart.kind;
    this.body.replaceChildren(...parts);
    this.mark();
  }

  again() { this.width = 0; this.redraw(); }

  /** Mark where a moment lies along the axis that curves share: it is known along each that they can have. */
  mark(moment = this.moment) {
    this.moment = moment;
    const svg = this.body.querySelector(".panels svg");
    svg?.querySelectorAll(".moment").forEach((one) => one.remove());
    for (const { panel, box, x } of svg && moment ? this.areas : []) {
      const at = x(moment[panel.shares_x]);
      if (at >= box.left && at <= box.right) svg.append(danlu.make("line", { class: "moment", x1: at, x2: at, y1: box.top, y2: box.bottom }));
    }
  }

  /** An axis as the reader wants it: by powers of ten or not. What has both a least and a greatest number stays as it is. */
  axis(panel, which) {
    const [axis, log] = [panel[which], this.logs[which]];
    if (log === undefined || !panel.shares_x || axis.ticks?.length || axis.most !== undefined) return axis;
    return { ...axis, log: log && panel.marks.some((mark) => (which === "x" ? mark.xs : mark.ys)?.some((value) => value > 0)) };
  }

  key(mark) { return `${mark.color ?? "blue"}|${mark.label}`; }

  isHidden(mark) {
    if (!["Line", "Points", "Band"].includes(mark.type)) return false;
    return mark.label
      ? this.hidden.has(this.key(mark))
      : [...this.hidden].some((key) => key.startsWith(`${mark.color ?? "blue"}|`) && this.owners.get(mark.color ?? "blue") === key);
  }

  /** Buttons that show and hide what is laid over each other; the first label of a colour owns its other marks. */
  legend() {
    this.owners = new Map();
    const entries = new Map();
    for (const mark of this.chart.panels.flatMap((panel) => panel.marks)) {
      if (!mark.label || !["Line", "Points", "Zone", "Whiskers", "Heatmap"].includes(mark.type)) continue;
      if (["Zone", "Whiskers"].includes(mark.type)) { entries.set(`zone|${mark.label}`, { ...mark, type: "Zone", fixed: mark.type !== "Zone" }); continue; }
      entries.set(this.key(mark), mark);
      if (!this.owners.has(mark.color ?? "blue")) this.owners.set(mark.color ?? "blue", this.key(mark));
    }
    for (const mark of this.chart.panels.flatMap((panel) => panel.marks)) {
      if (mark.bare) entries.set(`cells|${mark.label}`, { type: "Zone", label: mark.label, color: mark.ramp === "mistake" ? "orange" : "blue", fixed: true });
      if (mark.type !== "Heatmap") continue;
      if (mark.path_label) entries.set("path", { type: "Line", label: mark.path_label, color: "orange", fixed: true });
      if (mark.marked_label) entries.set("marked", { type: "Points", label: mark.marked_label, color: "ink", shape: "star", fixed: true });
      if (mark.saddles_label) entries.set("saddles", { type: "Points", label: mark.saddles_label, color: "ink", shape: "diamond", fixed: true });
    }
    const buttons = [...entries].filter(([, mark]) => mark.type !== "Heatmap").map(([key, mark]) => {
      const inside = [this.swatch(mark), danlu.make("span", {}, mark.label)];
      if (mark.type === "Zone" || mark.fixed) return danlu.make("div", { class: "plain" }, ...inside);
      return danlu.make("button", {
        title: mark.label,
        "aria-pressed": String(!this.hidden.has(key)),
        onclick: () => { if (!this.hidden.delete(key)) this.hidden.add(key); this.again(); },
      }, ...inside);
    });
    return danlu.make("div", { class: "legend" }, ...buttons);
  }

  swatch(mark) {
    const svg = danlu.make("svg", { width: 24, height: 12, "aria-hidden": "true" });
    const scale = danlu.scale(0, 24, 0, 24);
    const color = mark.color ?? "blue";
    const [x, y] = [Object.assign(scale, {}), danlu.scale(0, 12, 0, 12)];
    if (mark.type === "Zone") svg.append(danlu.make("rect", { width: 24, height: 12, style: { fill: danlu.color(color), fillOpacity: mark.fixed ? 0.85 : 0.25 } }));
    else if (mark.type === "Line") danlu.marks.Line({ ...mark, xs: [0, 24], ys: [6, 6], faint: false }, { x, y, layer: svg });
    else danlu.marks.Points({ ...mark, xs: [12], ys: [6], size: 9, faint: false }, { x, y, layer: svg });
    return svg;
  }

  panels(width) {
    const { chart } = this;
    this.stacks = chart.panels.map((panel) => this.stacked(panel, width));
    const left = this.leftMargin(width);
    const last = chart.panels.length - 1;
    this.words = chart.panels.map((panel) => this.along(panel, width - left - this.rightMargin(panel)));
    const named = (panel) => Boolean(panel.title || panel.y.label);
    const below = (panel, index) => (!panel.shares_x || panel.x.label || index === last ? 24 + 16 * this.below(panel).length + this.deeper(index) : 8);
    const inside = (panel, index) => this.stacks[index] ? 10 + this.stacks[index].length * (26 + 13 * Math.max(...this.stacks[index].map((lines) => lines.length))) : 150 * (panel.height ?? 1);
    const heights = chart.panels.map((panel, index) => (named(panel) ? 20 : 6) + inside(panel, index) + below(panel, index));
    const total = heights.reduce((sum, height) => sum + height, 0);
    const svg = danlu.make("svg", { width, height: total, viewBox: `0 0 ${width} ${total}`, tabindex: 0, role: "img", "aria-label": this.spoken() });
    this.areas = [];
    let top = 0;
    chart.panels.forEach((panel, index) => {
      const box = { left, right: width - this.rightMargin(panel), top: top + (named(panel) ? 20 : 6), bottom: top + heights[index] - below(panel, index) };
      this.areas.push(this.drawPanel(svg, panel, box, index));
      top += heights[index];
    });
    const holder = danlu.make("div", { class: "panels" }, svg);
    this.listen(svg, holder);
    return holder;
  }

  spoken() {
    const names = this.chart.panels.map((panel) => panel.title || panel.y.label).filter(Boolean);
    return [this.chart.title, ...names, ...(this.chart.notes ?? [])].join(". ");
  }

  widest(panel) { return Math.max(0, ...(panel.y.ticks ?? []).flatMap(([, word]) => String(word).split("\n").map(danlu.textWidth))); }

  /** The names of the rows as lines above them, where they would take too much of the width beside them; else null. */
  stacked(panel, width) {
    if (this.widest(panel) + 14 <= 0.46 * width || panel.marks.some((mark) => mark.type === "Cells")) return null;
    return panel.y.ticks.map(([, word]) => String(word).split("\n").flatMap((line) => danlu.wrapped(line, width - 40)));
  }

  leftMargin(width) {
    const numbers = this.chart.panels.flatMap((panel) => panel.y.ticks?.length ? [] : this.yTicks(panel).map(([, word]) => 0.96 * danlu.textWidth(word)));
    const words = this.chart.panels.flatMap((panel, index) => this.stacks[index] ? [] : [this.widest(panel)]);
    return Math.max(this.stacks.every(Boolean) ? 16 : 54, Math.min(Math.max(...numbers, ...words, 0) + 14, 0.46 * width));
  }

  /** The numbers along an upright axis with their words. */
  yTicks(panel, [low, high] = this.domain(panel, "y")) {
    const rows = Math.max(2, Math.floor((150 * (panel.height ?? 1)) / 38));
    const { log } = this.axis(panel, "y");
    return danlu.ticks(Math.min(low, high), Math.max(low, high), rows, log).map((at) => [at, danlu.tickText(at, log)]);
  }

  rightMargin(panel) { return panel.marks.some((mark) => mark.type === "Cells" || mark.type === "Heatmap") ? 78 : 12; }

  domain(panel, axis) {
    const wanted = this.axis(panel, axis);
    const cells = panel.marks.find((mark) => mark.type === "Cells");
    if (cells && axis === "x" && !wanted.ticks?.length) { const edges = danlu.edges(cells.xs); return [edges[0], edges.at(-1)]; }
    if (cells) return axis === "x" ? [-0.5, cells.xs.length - 0.5] : [cells.values.length - 0.5, -0.5];
    let [low, high] = [Infinity, -Infinity];
    const add = (value) => {
      if (value === null || value === undefined || !Number.isFinite(value) || (wanted.log && value <= 0)) return;
      low = Math.min(low, value); high = Math.max(high, value);
    };
    for (const mark of panel.marks) {
      if (this.isHidden(mark)) continue;
      const along = axis === "x" ? mark.xs : mark.ys;
      if (mark.type === "Heatmap") { along.forEach(add); continue; }
      if (mark.type === "Line" || mark.type === "Points") {
        along.forEach((value, index) => { if (axis === "x" || this.inSight(mark.xs[index])) add(value); });
      }
      if (mark.type === "Band") mark.xs.forEach((at, index) => {
        if (axis === "x") add(at);
        else if (this.inSight(at)) { add(mark.lows[index]); add(mark.highs[index]); }
      });
      if (mark.type === "Bars") { if (axis === "x") mark.xs.forEach((at) => { add(at - mark.width / 2); add(at + mark.width / 2); }); else { add(0); mark.heights.forEach(add); } }
      if (mark.type === "Whiskers") { if ((axis === "y") === Boolean(mark.upright)) { mark.lows.forEach(add); mark.highs.forEach(add); } else mark.at.forEach(add); }
      if (mark.type === "Zone" && (mark.axis ?? "x") === axis && !panel.shares_x) { add(mark.low); add(mark.high); }
      if (mark.type === "GuideLine" && (mark.axis ?? "x") === axis && (axis === "y" || !panel.shares_x)) add(mark.at);
    }
    if (low > high) [low, high] = wanted.log ? [1, 10] : [0, 1];
    const counted = axis === "x" && ["step", "epoch"].includes(panel.shares_x);
    if (low === high) { const off = wanted.log ? null : counted ? 1 : Math.abs(low) * 0.05 || 0.5; [low, high] = wanted.log ? [low / 2, high * 2] : [low - off, high + off]; }
    const pad = axis === "x" && panel.shares_x ? 0.01 : 0.05;
    if (wanted.log) { const ratio = (high / low) ** pad; low /= ratio; high *= ratio; }
    else { const span = (high - low) * pad; low -= span; high += span; }
    if (wanted.least !== undefined && !wanted.log) low = Math.max(low, wanted.least);
    if (wanted.most !== undefined) high = Math.min(high, wanted.most);
    return [wanted.low ?? low, wanted.high ?? high];
  }

  inSight(value) { return !this.zoom || (value >= this.zoom[0] && value <= this.zoom[1]); }

  drawPanel(svg, panel, box, index) {
    const zoomed = this.zoom && this.canZoom(panel);
    const shared = panel.shares_x ? this.chart.panels.filter((other) => other.shares_x === panel.shares_x) : [panel];
    const domains = shared.map((other) => this.domain(other, "x"));
    const [low, high] = zoomed ? this.zoom : [Math.min(...domains.map(([first]) => first)), Math.max(...domains.map(([, second]) => second))];
    const x = danlu.scale(low, high, box.left, box.right, this.axis(panel, "x").log);
    const [bottom, top] = this.domain(panel, "y");
    const y = danlu.scale(bottom, top, box.bottom, box.top, this.axis(panel, "y").log);
    const id = `clip-${danlu.Chart.count += 1}`;
    const area = { panel, box, x, y, index, clip: id, later: [] };
    this.axes(svg, area);
    svg.append(danlu.make("defs", {}, danlu.make("clipPath", { id }, danlu.make("rect", { x: box.left, y: box.top - 9, width: Math.max(1, box.right - box.left) + 9, height: box.bottom - box.top + 18 }))));
    const layer = danlu.make("g", { "clip-path": `url(#${id})` });
    const over = danlu.make("g");
    svg.append(layer, over);
    for (const mark of panel.marks) {
      if (!this.isHidden(mark)) danlu.marks[mark.type]?.(mark, { x, y, layer, over, box, columns: mark.xs?.length ?? 1, words: Boolean(panel.x.ticks?.length) });
    }
    svg.append(...area.later);
    const bars = panel.marks.filter((mark) => mark.type === "Cells" || mark.type === "Heatmap");
    const part = (box.bottom - box.top) / bars.length;
    bars.forEach((mark, at) => this.colorBar(svg, mark, { right: box.right, top: box.top + at * part, bottom: box.top + (at + 1) * part - (bars.length > 1 ? 10 : 0) }));
    return area;
  }

  axes(svg, { panel, box, x, y, index, later }) {
    const heading = panel.title || panel.y.label;
    const [start, bar] = [panel.y.ticks?.length ? 4 : box.left, panel.marks.find((mark) => ["Cells", "Heatmap"].includes(mark.type) && !mark.bare)];
    if (heading) svg.append(danlu.make("text", { x: start, y: box.top - 7, style: { fontWeight: 600 } }, this.fitted(heading, this.width - start - (bar ? danlu.textWidth(bar.label) : 0))));
    const count = Math.max(2, Math.floor((box.right - box.left) / 90));
    const along = () => {
      const all = danlu.ticks(x.low, x.high, count, x.log);
      const whole = ["step", "epoch"].includes(panel.shares_x) ? all.filter(Number.isInteger) : all; // there is no half a step
      return (whole.length > 1 ? whole : all).map((at) => [at, danlu.tickText(at, x.log)]);
    };
    const grid = !panel.marks.some((mark) => mark.type === "Cells" || mark.type === "Heatmap");
    const rows = Math.max(2, Math.floor((box.bottom - box.top) / (panel.y.ticks?.length ? 12 : 38)));
    const stack = this.stacks[index];
    for (const [at, word] of stack ? panel.y.ticks : panel.y.ticks?.length ? danlu.some(panel.y.ticks, rows) : this.yTicks(panel, [y.low, y.high])) {
      const place = y(at);
      if (place < box.top - 1 || place > box.bottom + 1) continue;
      if (grid) svg.append(danlu.make("line", { class: "grid", x1: box.left, x2: box.right, y1: place, y2: place }));
      if (stack) {
        const own = stack[panel.y.ticks.findIndex(([other]) => other === at)];
        own.forEach((line, number) => later.push(danlu.make("text", { class: "tick halo", x: box.left, y: place - 9 - 13 * (own.length - 1 - number) }, line)));
        continue;
      }
      const told = String(word).split("\n");
      const broken = told.flatMap((line) => danlu.wrapped(line, box.left - 10));
      const lines = 13 * broken.length <= (box.bottom - box.top) / (panel.y.ticks?.length || 1) ? broken : told; // where the row is high enough
      lines.forEach((line, number) => {
        const shown = this.fitted(line, box.left - 10);
        svg.append(danlu.make("text", { class: "tick", x: box.left - 7, y: place + 4 + 13 * (number - (lines.length - 1) / 2), "text-anchor": "end" }, shown, line === shown ? null : danlu.make("title", {}, line)));
      });
    }
    const shown = !panel.shares_x || panel.x.label || index === this.chart.panels.length - 1;
    for (const [at, word, lines = [word]] of this.words[index] ?? along()) {
      const place = x(at);
      if (place < box.left - 1 || place > box.right + 1) continue;
      if (grid) svg.append(danlu.make("line", { class: "grid", x1: place, x2: place, y1: box.top, y2: box.bottom }));
      const half = Math.max(...lines.map(danlu.textWidth)) / 2;
      if (shown) lines.forEach((line, number) => svg.append(danlu.make("text", { class: "tick", x: Math.max(half, Math.min(place, this.width - half)), y: box.bottom + 16 + 13 * number, "text-anchor": "middle" }, line)));
    }
    svg.append(danlu.make("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }));
    this.below(panel).forEach((line, number) => {
      const half = danlu.textWidth(line) / 2;
      svg.append(danlu.make("text", { x: Math.max(half, Math.min((box.left + box.right) / 2, this.width - half)), y: box.bottom + 34 + 16 * number + this.deeper(index), "text-anchor": "middle" }, line));
    });
    if (panel.title && panel.y.label) svg.append(danlu.make("text", { class: "tick", x: box.left, y: box.top - 7, "text-anchor": "end" }, panel.y.label));
  }

  /** The words along a panel's x axis, as many as have room, each as lines as wide as its share; null where there are none. */
  along(panel, width) {
    if (!panel.x.ticks?.length) return null;
    const widest = Math.max(...panel.x.ticks.map(([, word]) => danlu.textWidth(word)));
    const found = danlu.some(panel.x.ticks, Math.max(2, Math.floor(width / Math.min(90, widest + 12))));
    const columns = panel.marks.find((mark) => mark.type === "Cells")?.xs.length ?? found.length;
    const room = (width / columns) * Math.ceil(panel.x.ticks.length / found.length);
    return found.map(([at, word]) => [at, word, danlu.wrapped(word, room - 8)]);
  }

  /** How much more room than one line of words takes. */
  deeper(index) { return 13 * (Math.max(1, ...(this.words[index] ?? []).map(([, , lines]) => lines.length)) - 1); }

  /** What an axis is called, as lines below it. */
  below(panel) { return panel.x.label ? danlu.wrapped(panel.x.label, this.width - 8) : []; }

  /** A word in the width there is; what is too long is cut. */
  fitted(word, width) {
    const fits = (text) => danlu.textWidth(text) * 0.96 <= width;
    if (fits(word)) return word;
    let signs = [...word];
    while (signs.length > 1 && !fits(`${signs.join("")}…`)) signs = signs.slice(0, -1);
    return `${signs.join("")}…`;
  }

  colorBar(svg, mark, box) {
    const ramp = mark.type === "Heatmap" ? "amount" : mark.ramp ?? "amount";
    const range = mark.range ?? danlu.colorRange(mark.values, ramp, Boolean(mark.log));
    const column = Array.from({ length: 64 }, (_, at) => [1 - at / 63]);
    const height = box.bottom - box.top;
    svg.append(danlu.make("image", { href: danlu.gridImage(column, ramp, false), x: box.right + 8, y: box.top, width: 10, height, preserveAspectRatio: "none" }));
    const scale = danlu.scale(range[0], range[1], box.bottom, box.top, mark.log);
    for (const at of danlu.ticks(range[0], range[1], Math.max(2, height / 45), mark.log)) {
      svg.append(danlu.make("text", { class: "tick", x: box.right + 22, y: scale(at) + 4 }, danlu.tickText(at, mark.log)));
    }
    if (!mark.bare) svg.append(danlu.make("text", { class: "tick", x: box.right + 76, y: box.top - 7, "text-anchor": "end" }, mark.label));
  }

  canZoom(panel) { return !panel.x.ticks?.length && !panel.marks.some((mark) => mark.type === "Heatmap"); }
};
danlu.Chart.count = 0;

danlu.pictures = (mark) => danlu.make("div", { class: "pictures" }, ...mark.pictures.map((picture) => {
  const image = /^[A-Za-z0-9+/=]+$/.test(picture.png)
    ? danlu.make("img", { src: `data:image/png;base64,${picture.png}`, alt: picture.title })
    : null;
  const words = [picture.title, ...(picture.lines ?? [])].map((line) => danlu.make("div", {}, line));
  return danlu.make("figure", { class: image ? null : "bare" }, image, danlu.make("figcaption", {}, ...words));
}));
