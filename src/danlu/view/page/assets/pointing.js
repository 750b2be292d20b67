"use strict";
/* What a chart answers to pointer and keyboard. */
Object.assign(danlu.Chart.prototype, {
  listen(svg, holder) {
    const tip = danlu.make("div", { class: "tip hidden", role: "status" });
    const cursor = danlu.make("g");
    const band = danlu.make("rect", { style: { fill: "var(--blue)", fillOpacity: 0.15 }, class: "hidden" });
    svg.append(cursor, band);
    holder.append(tip);
    let start = null;
    const areaAt = (place) => this.areas.find(({ box }) => place.y >= box.top - 8 && place.y <= box.bottom + 8);
    const place = (event) => { const at = svg.getBoundingClientRect(); return { x: event.clientX - at.left, y: event.clientY - at.top }; };
    const leave = () => { tip.classList.add("hidden"); cursor.replaceChildren(); };
    const point = (at, area) => {
      cursor.replaceChildren();
      const lines = this.told(area, at);
      if (!lines.length) { leave(); return; }
      const singles = danlu.make("g", { "clip-path": `url(#${area.clip})`, class: "singles" });
      const mean = this.nearestLine(area, at);
      for (const ys of mean?.singles ?? []) danlu.marks.Line({ ...mean, ys, width: 0.9, dash: "solid" }, { x: area.x, y: area.y, layer: singles });
      cursor.append(singles);
      for (const other of this.areas) {
        if (other !== area && (!area.panel.shares_x || other.panel.shares_x !== area.panel.shares_x)) continue;
        if (!area.panel.shares_x) continue;
        cursor.append(danlu.make("line", { class: "cursor", x1: at.x, x2: at.x, y1: other.box.top, y2: other.box.bottom }));
      }
      tip.replaceChildren(...lines);
      tip.classList.remove("hidden");
      const left = at.x + 16 + tip.offsetWidth > this.width ? at.x - 16 - tip.offsetWidth : at.x + 16;
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${Math.max(0, at.y - 20)}px`;
    };
    svg.addEventListener("pointermove", (event) => {
      const at = place(event);
      const area = areaAt(at);
      if (start && area) {
        const [a, b] = [start.x, Math.min(start.area.box.right, Math.max(start.area.box.left, at.x))].sort((one, two) => one - two);
        Object.entries({ x: a, width: b - a, y: start.area.box.top, height: start.area.box.bottom - start.area.box.top }).forEach(([name, value]) => band.setAttribute(name, value));
        band.classList.toggle("hidden", b - a < 5);
      }
      if (!area || at.x < area.box.left || at.x > area.box.right) { leave(); return; }
      this.cursor = { x: at.x, index: area.index };
      point(at, area);
    });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("pointerdown", (event) => {
      const at = place(event);
      const area = areaAt(at);
      if (event.button === 0 && event.pointerType !== "touch" && area && this.canZoom(area.panel) && at.x >= area.box.left) {
        start = { x: at.x, area };
        svg.setPointerCapture(event.pointerId);
      }
    });
    svg.addEventListener("pointerup", (event) => {
      if (!start) return;
      const [a, b] = [start.x, place(event).x].sort((one, two) => one - two);
      const { area } = start;
      start = null;
      band.classList.add("hidden");
      if (b - a >= 5) { this.zoomTo([area.x.back(Math.max(a, area.box.left)), area.x.back(Math.min(b, area.box.right))]); }
    });
    svg.addEventListener("click", (event) => { const at = place(event); const area = areaAt(at); if (area) this.pick(area, at); });
    svg.addEventListener("dblclick", () => this.zoomTo(null));
    svg.addEventListener("keydown", (event) => this.keyed(event, point));
  },

  keyed(event, point) {
    const area = this.areas[this.cursor?.index ?? 0];
    const { box } = area;
    const at = this.cursor?.x ?? box.left;
    const step = (box.right - box.left) / 60;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const x = Math.min(box.right, Math.max(box.left, at + (event.key === "ArrowLeft" ? -step : step)));
      this.cursor = { x, index: area.index };
      this.follow(x, area, point);
    } else if (area.panel.marks[0].type === "Cells" && ["ArrowUp", "ArrowDown", "Enter"].includes(event.key)) {
      this.row = Math.min(area.panel.marks[0].values.length - 1, Math.max(0, (this.row ?? -1) + ({ ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0)));
      const place = { x: at + 1, y: area.y(this.row) };
      point(place, area);
      if (event.key === "Enter") this.pick(area, place);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const count = area.panel.marks.filter((mark) => mark.type === "Line" && !this.isHidden(mark)).length;
      if (!count) return;
      this.followed = ((this.followed ?? -1) + (event.key === "ArrowDown" ? 1 : count - ((this.followed ?? -1) < 0 ? 0 : 1))) % count;
      this.follow(at, area, point);
    } else if ((event.key === "+" || event.key === "-") && this.canZoom(area.panel)) {
      const reach = ((box.right - box.left) / 2) * (event.key === "+" ? 0.5 : 2);
      this.zoomTo([area.x.back(at - reach), area.x.back(at + reach)]);
      this.host.querySelector("svg[tabindex]")?.focus();
    } else if (event.key === "Escape" || event.key === "0") {
      this.zoomTo(null);
      this.host.querySelector("svg[tabindex]")?.focus();
    } else return;
    event.preventDefault();
  },

  /** Point at a place of a panel: at the line that the keys up and down have chosen, or at the middle. */
  follow(x, area, point) {
    const line = area.panel.marks.filter((mark) => mark.type === "Line" && !this.isHidden(mark))[this.followed ?? -1];
    const index = line ? this.nearest(line.xs, area.x.back(x)) : null;
    const known = index !== null && area.y.fits(line.ys[index]);
    point({ x, y: known ? area.y(line.ys[index]) : (area.box.top + area.box.bottom) / 2 }, area);
  },

  rowAt({ panel, box }, at) { return Math.floor(((at.y - box.top) / (box.bottom - box.top)) * (panel.marks[0].values?.length ?? 0)); },

  columnAt({ panel, box, x }, at) {
    const { xs } = panel.marks[0];
    return panel.x.ticks?.length ? Math.floor(((at.x - box.left) / (box.right - box.left)) * xs.length) : danlu.before(danlu.edges(xs), x.back(at.x));
  },

  /** Show the sample that a row is of, or the samples of a cell. */
  pick(area, at) {
    const mark = area.panel.marks.find((one) => one.samples);
    if (!mark) return;
    const [row, column] = [this.rowAt(area, at), this.columnAt(area, at)];
    const pictures = mark.samples.filter((_, index) => mark.places ? `${mark.places[index]}` === `${[row, column]}` : index === row);
    if (pictures.length || mark.places) this.picked.replaceChildren(danlu.pictures({ pictures }));
  },

  /** Show a stretch of the axis, or null for all of it. */
  zoomTo(zoom) {
    this.zoom = zoom;
    this.again();
    this.asked?.zoomed();
  },

  /** The line next to a place, within a finger's width. */
  nearestLine({ panel, x, y }, at) {
    let [found, least] = [null, 22];
    for (const mark of panel.marks) {
      if (mark.type !== "Line" || this.isHidden(mark)) continue;
      const index = this.nearest(mark.xs, x.back(at.x));
      const away = index !== null && y.fits(mark.ys[index]) ? Math.abs(y(mark.ys[index]) - at.y) : Infinity;
      if (away < least) [found, least] = [mark, away];
    }
    return found;
  },

  /** The lines of the tip for a place in a panel. */
  told({ panel, box, x, y }, at) {
    const line = (color, ...words) => danlu.make("div", {}, color ? danlu.make("i", { style: { background: danlu.color(color) } }) : null, danlu.make("span", {}, words.join(" ")));
    const found = [];
    for (const mark of panel.marks) {
      if (this.isHidden(mark)) continue;
      if (mark.type === "GuideLine" && mark.text && Math.abs(x(mark.at) - at.x) < 7) found.push(line(mark.color, mark.text));
      if (mark.type === "Points" && mark.texts?.length) {
        mark.xs.forEach((px, index) => {
          if (x.fits(px) && y.fits(mark.ys[index]) && Math.hypot(x(px) - at.x, y(mark.ys[index]) - at.y) < 14 && mark.texts[index]) found.push(line(mark.color, mark.texts[index]));
        });
      }
    }
    const cells = panel.marks.filter((mark) => mark.type === "Cells");
    if (cells.length) return this.toldCell(cells, { panel, box, x }, at, line);
    if (!panel.shares_x) return found;
    const where = x.back(at.x);
    const values = panel.marks.filter((mark) => mark.type === "Line" && !this.isHidden(mark)).map((mark) => {
      const index = this.nearest(mark.xs, where);
      if (index === null) return null;
      const band = panel.marks.find((other) => other.type === "Band" && other.color === mark.color && other.xs.length === mark.xs.length);
      const ends = band?.lows[index] === null || !band ? "" : ` [${danlu.score(band.lows[index])}, ${danlu.score(band.highs[index])}]`;
      return { mark, name: this.nameOf(mark, panel), step: mark.xs[index], value: danlu.score(mark.ys[index]) + ends };
    }).filter(Boolean);
    if (!values.length) return found;
    const step = values[0].step;
    const named = this.chart.panels[this.chart.panels.length - 1].x.label;
    const head = danlu.make("div", {}, danlu.make("b", {}, `${named} ${danlu.short(step, 6)}`));
    return [head, ...values.map(({ mark, name, value }) => line(mark.color ?? "blue", name, value)), ...found];
  },

  /** What a line is called: by its own label, or by the one that the legend has for its colour. */
  nameOf(mark, panel) {
    const owner = this.owners.get(mark.color ?? "blue")?.split("|").slice(1).join("|");
    return (mark.label || owner || panel.y.label || "") + (mark.faint ? ` (${danlu.say("raw")})` : "");
  },

  toldCell(cells, area, at, line) {
    const { panel } = area;
    const { xs, values } = cells[0];
    const [row, column, words] = [this.rowAt(area, at), this.columnAt(area, at), panel.x.ticks?.length];
    if (!(values[row] && column in values[row])) return [];
    const mark = cells.find((one) => one.values[row][column] !== null) ?? cells.find((one) => one.texts?.[row]?.[column]) ?? cells[0];
    const word = (axis, index) => axis.ticks?.find(([place]) => place === index)?.[1] ?? index;
    const value = mark.texts?.[row]?.[column] || danlu.short(mark.values[row][column]);
    const where = words ? word(panel.x, column) : `${this.chart.panels.at(-1).x.label} ${danlu.short(xs[column])}`;
    return [line(null, `${mark.names?.[row] ?? word(panel.y, row)}  ·  ${where}`), line(null, `${mark.label}: ${value}`)];
  },

  /** The index of the number next to `where`; xs rise, or hold gaps. */
  nearest(xs, where) {
    if (!xs.length) return null;
    const low = danlu.before(xs, where);
    const high = Math.min(xs.length - 1, low + 1);
    return Math.abs(xs[low] - where) <= Math.abs(xs[high] - where) ? low : high;
  },
});
