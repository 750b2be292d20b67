"use strict";
/* A surface in space: drag or arrow keys turn it. Squares are painted from the back to the front. */
danlu.solid = (mark, panel, width, chart) => {
  const height = Math.round(Math.min(560, Math.max(300, width * 0.62)));
  const sharp = window.devicePixelRatio || 1;
  const canvas = danlu.make("canvas", { class: "solid", width: width * sharp, height: height * sharp, tabindex: 0, role: "img", "aria-label": chart.spoken() });
  canvas.style.height = `${height}px`;
  chart.view ??= { turn: -0.95, tilt: 0.55 };
  const range = danlu.colorRange(mark.values, "amount", Boolean(mark.log));
  const [firstX, lastX] = [mark.xs[0], mark.xs[mark.xs.length - 1]];
  const [firstY, lastY] = [mark.ys[0], mark.ys[mark.ys.length - 1]];
  const paint = () => {
    const { turn, tilt } = chart.view;
    const [cos, sin, up, down] = [Math.cos(turn), Math.sin(turn), Math.sin(tilt), Math.cos(tilt)];
    const size = Math.min(width, height * 1.25) * 0.56;
    /** Place on the canvas and depth of a point given in shares of the box. */
    const project = (u, v, w) => {
      const [a, b, c] = [u - 0.5, v - 0.5, (w - 0.5) * 0.75];
      const [across, deep] = [a * cos - b * sin, a * sin + b * cos];
      return { x: width / 2 + across * size, y: height / 2 + 10 - (c * down + deep * up) * size, deep: deep * down - c * up };
    };
    const place = (x, y, loss, lift = 0) => {
      const share = loss === null || (mark.log && loss <= 0) ? 0 : danlu.share(loss, range, mark.log);
      return project((x - firstX) / (lastX - firstX || 1), (y - firstY) / (lastY - firstY || 1), Math.min(1.1, share) + lift);
    };
    const context = canvas.getContext("2d");
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    danlu.floor(context, project, style, mark, panel, range, [firstX, lastX, firstY, lastY]);
    const squares = [];
    for (let row = 0; row + 1 < mark.ys.length; row += 1) for (let column = 0; column + 1 < mark.xs.length; column += 1) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
      const losses = corners.map(([r, c]) => mark.values[r][c]);
      if (losses.some((loss) => loss === null)) continue;
      const places = corners.map(([r, c], at) => place(mark.xs[c], mark.ys[r], losses[at]));
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / 4;
      squares.push({ places, deep: places.reduce((sum, one) => sum + one.deep, 0), share: danlu.share(Math.max(mean, mark.log ? Number.MIN_VALUE : mean), range, mark.log) });
    }
    squares.sort((one, other) => other.deep - one.deep);
    for (const { places, share } of squares) {
      context.beginPath();
      places.forEach((one, at) => (at ? context.lineTo(one.x, one.y) : context.moveTo(one.x, one.y)));
      context.closePath();
      const [red, green, blue] = danlu.ramp("amount", share);
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.strokeStyle = "rgb(255 255 255 / 22%)";
      context.lineWidth = 0.5;
      context.fill();
      context.stroke();
    }
    const color = style.getPropertyValue("--orange") || "#d55e00";
    const way = (mark.path ?? []).map(([x, y, loss]) => place(x, y, loss, 0.012));
    context.beginPath();
    way.forEach((one, at) => (at ? context.lineTo(one.x, one.y) : context.moveTo(one.x, one.y)));
    Object.assign(context, { strokeStyle: color, lineWidth: 2.4, lineJoin: "round" });
    context.stroke();
    for (const one of way.length ? [way[0], way[way.length - 1]] : []) danlu.dot(context, one, color);
    const signs = [...(mark.saddles ?? []).map((at) => ["diamond", 9, at]), ...(mark.marked ?? []).map((at) => ["star", 14, at])];
    for (const [shape, size, [x, y, loss]] of signs) {
      const one = place(x, y, loss, 0.012);
      context.save();
      context.translate(one.x, one.y);
      const sign = new Path2D(danlu.shape(shape, size));
      Object.assign(context, { fillStyle: "#ffffff", strokeStyle: "#000000", lineWidth: 1 });
      context.fill(sign);
      context.stroke(sign);
      context.restore();
    }
  };
  const turnBy = (turn, tilt) => {
    chart.view = { turn: chart.view.turn + turn, tilt: Math.min(1.5, Math.max(0.05, chart.view.tilt + tilt)) };
    requestAnimationFrame(paint);
  };
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) turnBy(event.movementX * 0.008, event.movementY * 0.006); });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.08], ArrowDown: [0, -0.08] }[event.key];
    if (by) { turnBy(...by); event.preventDefault(); }
  });
  requestAnimationFrame(paint);
  return canvas;
};

danlu.dot = (context, { x, y }, color) => {
  context.beginPath();
  context.arc(x, y, 4.5, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: "#ffffff", strokeStyle: color, lineWidth: 2 });
  context.fill();
  context.stroke();
};

/** The floor with its grid, and the numbers along its edges and at the far corner. */
danlu.floor = (context, project, style, mark, panel, range, [firstX, lastX, firstY, lastY]) => {
  Object.assign(context, { strokeStyle: style.getPropertyValue("--grid") || "#ddd", lineWidth: 1, fillStyle: style.getPropertyValue("--faint") || "#666", font: "11.5px system-ui, sans-serif" });
  const stroke = (from, to) => { context.beginPath(); context.moveTo(from.x, from.y); context.lineTo(to.x, to.y); context.stroke(); };
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([u, v]) => ({ u, v, deep: project(u, v, 0).deep }));
  const near = corners.reduce((best, one) => (one.deep < best.deep ? one : best));
  for (const [which, low, high, label] of [["x", firstX, lastX, panel.x.label], ["y", firstY, lastY, panel.y.label]]) {
    for (const at of danlu.ticks(low, high, 5, false)) {
      const share = (at - low) / (high - low || 1);
      const [from, to] = which === "x" ? [project(share, 0, 0), project(share, 1, 0)] : [project(0, share, 0), project(1, share, 0)];
      stroke(from, to);
      const edge = which === "x" ? project(share, near.v + (near.v ? 0.06 : -0.06), 0) : project(near.u + (near.u ? 0.06 : -0.06), share, 0);
      context.textAlign = "center";
      context.fillText(danlu.tickText(at, false), edge.x, edge.y + 6);
    }
    const name = which === "x" ? project(0.5, near.v + (near.v ? 0.15 : -0.15), 0) : project(near.u + (near.u ? 0.15 : -0.15), 0.5, 0);
    context.fillText(label, name.x, name.y + 8);
  }
  const left = corners.map(({ u, v }) => ({ u, v, x: project(u, v, 0).x })).reduce((best, one) => (one.x < best.x ? one : best));
  stroke(project(left.u, left.v, 0), project(left.u, left.v, 1));
  context.textAlign = "right";
  for (const at of danlu.ticks(range[0], range[1], 5, mark.log)) {
    const one = project(left.u, left.v, danlu.share(at, range, mark.log));
    context.fillText(danlu.tickText(at, mark.log), one.x - 6, one.y + 4);
  }
  const top = project(left.u, left.v, 1.1);
  context.fillText(mark.label, top.x + 10, top.y);
};
