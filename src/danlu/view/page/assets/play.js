"use strict";
/* The playground: what is chosen on the left, what the networks say in the middle, whether it helps on the right. */
danlu.Plane = class {
  static SIZE = 480; // pixels of the canvas

  constructor() {
    const size = danlu.Plane.SIZE * 2;
    this.canvas = danlu.make("canvas", { class: "plane", width: size, height: size, role: "img", "aria-label": danlu.say("play-waiting") });
    window.addEventListener("danlu-theme", () => this.draw());
  }

  draw() {
    const { axes, points, votes, lead, nets, shown } = this;
    if (!axes || !votes) return;
    const pen = this.canvas.getContext("2d");
    const side = danlu.form.side, size = this.canvas.width, style = getComputedStyle(document.documentElement);
    const [blue, orange, ink, panel] = ["blue", "orange", "ink", "panel"].map((name) => style.getPropertyValue(`--${name}`).trim());
    const shares = votes.map((count) => count / Math.max(1, nets));
    const small = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const ground = small.getContext("2d"), pixels = ground.createImageData(side, side);
    const parts = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    const [own, other, middle] = [blue, orange, panel].map(parts);
    shares.forEach((share, at) => {
      const end = share > 0.5 ? own : other, strength = 1.5 * Math.abs(share - 0.5);
      pixels.data.set([...middle.map((value, part) => value + strength * (end[part] - value)), 255], 4 * at);
    });
    ground.putImageData(pixels, 0, 0);
    pen.imageSmoothingEnabled = true;
    const cell = size / (side - 1);
    pen.drawImage(small, -cell / 2, -cell / 2, size + cell, size + cell);
    pen.strokeStyle = ink;
    this.line(pen, shares, 0.1, [4, 6]);
    this.line(pen, shares, 0.9, [4, 6]);
    this.line(pen, lead, 0, []);
    for (const [x, y, says, held] of points) {
      const [left, top] = [[x, axes[0]], [axes[1][2] - y + axes[1][1], axes[1]]].map(([value, [, low, high]]) => (value - low) / (high - low) * size);
      const mine = says === shown;
      pen.beginPath();
      if (mine) pen.arc(left, top, 7, 0, 2 * Math.PI); else pen.rect(left - 6, top - 6, 12, 12);
      pen.fillStyle = held ? panel : mine ? blue : orange;
      pen.strokeStyle = held ? (mine ? blue : orange) : panel;
      pen.lineWidth = held ? 4 : 2;
      pen.setLineDash([]);
      pen.fill();
      pen.stroke();
    }
  }

  /** Where values of the grid cross a level: marching squares. */
  line(pen, values, level, dash) {
    const side = danlu.form.side, step = this.canvas.width / (side - 1);
    pen.setLineDash(dash);
    pen.lineWidth = dash.length ? 2.5 : 5;
    pen.beginPath();
    for (let row = 0; row + 1 < side; row++) {
      for (let cell = 0; cell + 1 < side; cell++) {
        const corners = [[cell, row], [cell + 1, row], [cell + 1, row + 1], [cell, row + 1]];
        const height = corners.map(([x, y]) => values[y * side + x] - level);
        const met = [];
        corners.forEach(([x, y], at) => {
          const next = (at + 1) % 4;
          if (height[at] > 0 === height[next] > 0) return;
          const way = height[at] / (height[at] - height[next]);
          met.push([(x + way * (corners[next][0] - x)) * step, (y + way * (corners[next][1] - y)) * step]);
        });
        for (let at = 0; at + 1 < met.length; at += 2) { pen.moveTo(...met[at]); pen.lineTo(...met[at + 1]); }
      }
    }
    pen.stroke();
  }
};

danlu.Playground = class {
  constructor() {
    this.chosen = { ...danlu.form.chosen };
    this.have = this.plane = this.shown = 0;
    this.view = new danlu.Plane();
    this.moved = danlu.later(() => { this.dirty = true; this.run(); }, 40);
    this.state = danlu.faint(danlu.say("play-waiting"));
    this.axes = danlu.faint();
    this.key = danlu.make("p", { class: "key" });
    this.help = danlu.make("section", { "aria-live": "polite", class: "help" });
    this.away = danlu.make("section");
    this.which = danlu.make("p");
    const controls = Object.entries(danlu.form.offered).map(([name, values]) => this.control(name, values));
    const notes = danlu.form.notes.map((note) => danlu.make("li", {}, note));
    this.parts = [
      danlu.make("h1", {}, danlu.form.name),
      danlu.faint(danlu.say("play-about", { seeds: danlu.form.seeds, ...danlu.form.samples })),
      danlu.make("div", { class: "play" },
        danlu.make("form", { class: "chosen", "aria-label": danlu.say("play-settings"), onsubmit: (event) => event.preventDefault() }, ...controls),
        danlu.make("section", {}, this.view.canvas, this.axes, this.state, this.which, this.key),
        danlu.make("div", {}, this.help, this.away, ...(notes.length ? [danlu.make("h2", {}, danlu.say("play-notes")), danlu.make("ul", { class: "faint" }, ...notes)] : []))),
    ];
    this.dirty = true;
  }

  control(name, values) {
    const word = danlu.say(`play-${name}`), id = `play-${name}`;
    const said = (value) => typeof value === "string" ? value : value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
    if (typeof values[0] === "string") {
      const select = danlu.make("select", { id, onchange: () => { this.chosen[name] = select.value; this.moved(); } },
        ...values.map((value) => danlu.make("option", { value, selected: value === this.chosen[name] ? "" : null }, value)));
      return danlu.make("label", { class: "choice", for: id }, danlu.make("span", {}, word), select);
    }
    const at = values.indexOf(this.chosen[name]);
    const told = danlu.make("output", { for: id }, said(values[at]));
    const slider = danlu.make("input", {
      id, type: "range", min: 0, max: values.length - 1, step: 1, value: at, "aria-valuetext": said(values[at]),
      oninput: () => {
        const value = values[Number(slider.value)];
        told.textContent = said(value);
        slider.setAttribute("aria-valuetext", said(value));
        this.chosen[name] = value;
        this.moved();
      },
    });
    return danlu.make("label", { class: "choice", for: id }, danlu.make("span", {}, word), told, slider); // else it names the output
  }

  /** Tell the newest choice, and ask how far it is until it is there. */
  async run() {
    if (this.running) return;
    this.running = true;
    for (let over = false; !over || this.dirty;) {
      let told = {};
      if (this.dirty) {
        this.dirty = false;
        told = await danlu.send("move", { chosen: this.chosen });
        this.help.classList.add("old");
        this.help.setAttribute("aria-busy", "true");
        this.state.textContent = danlu.say("play-training");
      }
      if (!told.error) told = await danlu.send("now", { have: this.have, plane: this.plane, shown: this.shown });
      this.show(told);
      over = Boolean(told.error || told.ready);
      if (!over) await new Promise((done) => setTimeout(done, 60));
    }
    this.running = false;
  }

  show(told) {
    if (told.error || told.ready) {
      this.help.classList.remove("old");
      this.help.removeAttribute("aria-busy");
    }
    if (told.error) { this.help.replaceChildren(danlu.make("p", { class: "problem", role: "alert" }, told.error)); return; }
    if (told.points) { Object.assign(this.view, { axes: told.axes, points: told.points }); this.name(told); }
    this.plane = told.plane;
    if (told.picture) {
      Object.assign(this.view, told.picture);
      this.have = told.version;
      this.view.draw();
      this.state.textContent = danlu.say("play-epoch", told.picture);
    }
    if (told.ready) this.end(told);
  }

  /** The words for the points: which axis is which, and which colour stands for what. */
  name({ axes, classes }) {
    const number = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
    this.axes.textContent = axes.map(([name, low, high], at) => `${at ? "↑" : "→"} ${name} ${number(low)} … ${number(high)}`).join("   ");
    const key = () => {
      const named = danlu.form.task === "regression" ? ["play-above", "play-below"].map((id) => danlu.say(id)) : classes;
      const other = classes.length === 2 ? named[1 - this.shown] : danlu.say("play-others");
      this.key.textContent = danlu.say("play-key", { own: named[this.shown], other });
    };
    if (classes.length > 2) {
      const select = danlu.make("select", { onchange: () => { this.shown = Number(select.value); this.have = 0; key(); this.run(); } },
        ...classes.map((word, value) => danlu.make("option", { value }, word)));
      this.which.replaceChildren(danlu.make("label", { class: "choice" }, danlu.make("span", {}, danlu.say("play-class")), select));
    }
    key();
  }

  end({ score, help, recipe }) {
    this.view.canvas.setAttribute("aria-label", `${this.key.textContent} ${score}`);
    const answer = help ? [
      danlu.make("p", { class: "change" }, help.change),
      danlu.make("p", { class: `verdict ${help.verdict.replace(" ", "-")}` }, help.answer),
      danlu.make("p", {}, help.numbers), ...(help.command ? [danlu.make("p", {}, `${danlu.say("play-more")} `, danlu.copyable(help.command))] : []),
      danlu.faint(help.note),
    ] : [danlu.faint(danlu.say("play-first"))];
    this.help.replaceChildren(danlu.make("h2", {}, danlu.say("play-help")), ...answer, danlu.make("p", {}, score));
    const blocks = [["play-command", recipe.command], ["play-toml", recipe.toml], ["play-python", recipe.python]].map(([id, text]) =>
      danlu.make("details", { open: this.opened === id ? "" : null, ontoggle: (event) => { this.opened = event.target.open ? id : this.opened === id ? "" : this.opened; } },
        danlu.make("summary", {}, danlu.say(id)), danlu.copyable(text, "pre", danlu.say(id))));
    this.away.replaceChildren(danlu.make("h2", {}, danlu.say("play-away")), danlu.faint(danlu.say("play-away-about")), ...blocks);
  }
};

danlu.begin(() => {
  const playground = new danlu.Playground();
  const main = document.querySelector("#main");
  main.classList.add("wide");
  main.replaceChildren(...playground.parts);
  playground.run();
});
