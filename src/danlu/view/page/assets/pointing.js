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
      if (b - a >= 5) { this.zoom = [area.x.back(Math.max(a, area.box.left)), area.x.back(Math.min(b, area.box.right))]; this.again(); }
    });
    svg.addEventListener("dblclick", () => { this.zoom = null; this.again(); });
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
      point({ x, y: (box.top + box.bottom) / 2 }, area);
    } else if ((event.key === "+" || event.key === "-") && this.canZoom(area.panel)) {
      const reach = ((box.right - box.left) / 2) * (event.key === "+" ? 0.5 : 2);
      this.zoom = [area.x.back(at - reach), area.x.back(at + reach)];
      this.again();
      this.host.querySelector("svg[tabindex]")?.focus();
    } else if (event.key === "Escape" || event.key === "0") {
      this.zoom = null;
      this.again();
      this.host.querySelector("svg[tabindex]")?.focus();
    } else return;
    event.preventDefault();
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
      if (mark.type === "Cells") return this.toldCell(mark, panel, box, at, line);
    }
    if (!panel.shares_x) return found;
    const where = x.back(at.x);
    const values = panel.marks.filter((mark) => mark.type === "Line" && !this.isHidden(mark)).map((mark) => {
      const index = this.nearest(mark.xs, where);
      const owner = this.owners.get(mark.color ?? "blue")?.split("|").slice(1).join("|");
      const name = (mark.label || owner || panel.y.label) + (mark.faint ? ` (${danlu.say("raw")})` : "");
      return index === null ? null : { mark, name, step: mark.xs[index], value: mark.ys[index] };
    }).filter(Boolean);
    if (!values.length) return found;
    const step = values[0].step;
    const named = this.chart.panels[this.chart.panels.length - 1].x.label;
    const head = danlu.make("div", {}, danlu.make("b", {}, `${named} ${danlu.short(step, 6)}`));
    return [head, ...values.map(({ mark, name, value }) => line(mark.color ?? "blue", name, danlu.short(value))), ...found];
  },

  toldCell(mark, panel, box, at, line) {
    const column = Math.floor(((at.x - box.left) / (box.right - box.left)) * mark.xs.length);
    const row = Math.floor(((at.y - box.top) / (box.bottom - box.top)) * mark.values.length);
    if (!(mark.values[row] && column in mark.values[row])) return [];
    const word = (axis, index) => axis.ticks?.find(([place]) => place === index)?.[1] ?? mark.names?.[index] ?? index;
    const value = mark.texts?.[row]?.[column] || danlu.short(mark.values[row][column]);
    return [line(null, `${word(panel.y, row)}  ·  ${word(panel.x, column)}`), line(null, `${mark.label}: ${value}`)];
  },

  /** The index of the number next to `where`; xs rise, or hold gaps. */
  nearest(xs, where) {
    let [low, high] = [0, xs.length - 1];
    if (high < 0) return null;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= where) low = middle; else high = middle;
    }
    return Math.abs(xs[low] - where) <= Math.abs(xs[high] - where) ? low : high;
  },
});
