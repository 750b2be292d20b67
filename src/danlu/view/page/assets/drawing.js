"use strict";
/* A canvas to draw on: by mouse, finger or pen; with the keyboard, arrows move the pen and the space bar sets it down. */
danlu.Drawing = class {
  static SIDE = 280;
  static STEP = 0.04;

  constructor(changed) {
    this.changed = changed;
    this.strokes = [];
    this.pen = [0.5, 0.5];
    this.down = false;
    const side = danlu.Drawing.SIDE;
    this.canvas = danlu.make("canvas", {
      width: side, height: side, class: "drawing", tabindex: 0, role: "application", "aria-label": danlu.say("try-draw-keys"),
      onpointerdown: (event) => this.begin(event), onpointermove: (event) => this.go(event),
      onpointerup: () => this.end(), onpointercancel: () => this.end(), onkeydown: (event) => this.key(event),
      onfocus: () => this.paint(), onblur: () => { this.down = false; this.paint(); },
    });
    this.paint();
  }

  clear() { this.strokes = []; this.down = false; this.paint(); }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  begin(event) {
    if (event.button) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.strokes.push([this.place(event)]);
    this.paint();
  }

  go(event) {
    if (!this.drawing) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.strokes.at(-1).push(this.place(one));
    this.paint();
  }

  end() {
    if (!this.drawing) return;
    this.drawing = false;
    this.changed();
  }

  key(event) {
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === " ") {
      this.down = !this.down;
      if (this.down) this.strokes.push([this.pen]);
      else this.changed();
    } else if (right || down) {
      this.pen = [this.pen[0] + right * danlu.Drawing.STEP, this.pen[1] + down * danlu.Drawing.STEP].map((value) => Math.min(1, Math.max(0, value)));
      if (this.down) this.strokes.at(-1).push(this.pen);
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    this.paint();
  }

  paint() {
    const [paper, side] = [this.canvas.getContext("2d"), danlu.Drawing.SIDE];
    paper.fillStyle = "#000";
    paper.fillRect(0, 0, side, side);
    Object.assign(paper, { strokeStyle: "#fff", fillStyle: "#fff", lineWidth: 20, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      paper.beginPath();
      paper.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      for (const [x, y] of stroke) paper.lineTo(x * side, y * side);
      if (stroke.length === 1) paper.lineTo(stroke[0][0] * side + 0.1, stroke[0][1] * side);
      paper.stroke();
    }
    if (document.activeElement === this.canvas && !this.drawing) {
      paper.strokeStyle = this.down ? "#f28a45" : "#4fa9e2";
      paper.lineWidth = 2;
      paper.beginPath();
      paper.arc(this.pen[0] * side, this.pen[1] * side, 11, 0, 7);
      paper.stroke();
    }
  }
};
