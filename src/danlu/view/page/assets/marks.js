"use strict";
/* How each mark of a panel is drawn: the same marks that paper draws (danlu.view.figures.chart). */
danlu.marks = {};

danlu.DASHES = { solid: null, dash: "7 4", dot: "2 3", dashdot: "8 3 2 3" };

danlu.marks.Line = (mark, { x, y, layer }) => {
  let [path, pen] = ["", "M"];
  let before = null;
  const seen = (index) => x.fits(mark.xs[index] ?? null) && y.fits(mark.ys[index] ?? null);
  mark.xs.forEach((at, index) => {
    const value = mark.ys[index];
    if (!seen(index)) { pen = "M"; before = null; return; }
    if (pen === "M" && !seen(index + 1)) { // of a point without neighbours a line shows nothing
      layer.append(danlu.make("circle", { cx: x(at).toFixed(1), cy: y(value).toFixed(1), r: 1.4 * (mark.width ?? 1.8), style: { fill: danlu.color(mark.color), opacity: mark.faint ? 0.5 : 1 } }));
      return;
    }
    if (mark.stairs && before !== null) path += `L${x(at).toFixed(1)},${before}`;
    before = y(value).toFixed(1);
    path += `${pen}${x(at).toFixed(1)},${before}`;
    pen = "L";
  });
  const style = { stroke: danlu.color(mark.color), strokeWidth: mark.width ?? 1.8, fill: "none" };
  if (mark.faint) style.strokeOpacity = 0.33;
  layer.append(danlu.make("path", { d: path, style, "stroke-dasharray": danlu.DASHES[mark.dash ?? "solid"], "stroke-linejoin": "round" }));
};

danlu.shape = (shape, size) => {
  const r = size * 0.7;
  const corners = (count, turn, inner = 1) => {
    const places = [];
    for (let at = 0; at < count; at += 1) {
      const radius = at % 2 && inner !== 1 ? r * inner : r;
      const angle = turn + (2 * Math.PI * at) / count;
      places.push(`${(radius * Math.sin(angle)).toFixed(2)},${(-radius * Math.cos(angle)).toFixed(2)}`);
    }
    return `M${places.join("L")}Z`;
  };
  if (shape === "square") return corners(4, Math.PI / 4);
  if (shape === "diamond") return corners(4, 0);
  if (shape === "triangle") return corners(3, 0);
  if (shape === "star") return corners(10, 0, 0.42);
  if (shape === "cross") return `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`;
  return `M${-r},0A${r},${r} 0 1 0 ${r},0A${r},${r} 0 1 0 ${-r},0Z`;
};

danlu.marks.Points = (mark, { x, y, layer }) => {
  const d = danlu.shape(mark.shape ?? "circle", mark.size ?? 5);
  mark.xs.forEach((at, index) => {
    if (!x.fits(at) || !y.fits(mark.ys[index])) return;
    const style = { fill: danlu.color(mark.color), stroke: "var(--panel)", strokeWidth: 0.6 };
    if (mark.shape === "ring") Object.assign(style, { fill: "none", stroke: style.fill, strokeWidth: 1.8 });
    if (mark.shape === "cross") { style.stroke = style.fill; style.strokeWidth = 1.8; }
    if (mark.faint) style.opacity = 0.4;
    layer.append(danlu.make("path", { d, style, transform: `translate(${x(at).toFixed(1)},${y(mark.ys[index]).toFixed(1)})` }));
  });
};

danlu.marks.Whiskers = (mark, { x, y, layer }) => {
  mark.at.forEach((at, index) => {
    const [low, high] = [mark.lows[index], mark.highs[index]];
    const [along, across] = mark.upright ? [y, x] : [x, y];
    if (!along.fits(low) || !along.fits(high) || !across.fits(at)) return;
    const [a, b, c] = [along(low), along(high), across(at)];
    const ends = mark.upright ? { x1: c, x2: c, y1: a, y2: b } : { x1: a, x2: b, y1: c, y2: c };
    layer.append(danlu.make("line", { ...ends, style: { stroke: danlu.color(mark.color ?? "ink"), strokeWidth: mark.width ?? 2 } }));
  });
};

danlu.marks.Band = (mark, { x, y, layer }) => {
  const style = { fill: danlu.color(mark.color), fillOpacity: 0.13 };
  let [low, high] = [[], []];
  const close = () => {
    if (low.length) layer.append(danlu.make("path", { d: `M${[...high, ...low.reverse()].join("L")}Z`, style }));
    [low, high] = [[], []];
  };
  mark.xs.forEach((at, index) => {
    const [bottom, top] = [mark.lows[index], mark.highs[index]];
    if (!x.fits(at) || !y.fits(bottom) || !y.fits(top)) { close(); return; }
    low.push(`${x(at).toFixed(1)},${y(bottom).toFixed(1)}`);
    high.push(`${x(at).toFixed(1)},${y(top).toFixed(1)}`);
  });
  close();
};

danlu.marks.Bars = (mark, { x, y, layer }) => {
  mark.xs.forEach((at, index) => {
    const height = mark.heights[index];
    if (!x.fits(at) || height === null) return;
    const [left, right, top, bottom] = [x(at - mark.width / 2), x(at + mark.width / 2), y(Math.max(0, height)), y(0)];
    layer.append(danlu.make("rect", { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top), style: { fill: danlu.color(mark.color) } }));
  });
};

danlu.marks.Zone = (mark, { x, y, layer, box }) => {
  const upright = (mark.axis ?? "x") === "x";
  const scale = upright ? x : y;
  const clamp = (place) => Math.min(upright ? box.right : box.bottom, Math.max(upright ? box.left : box.top, place));
  const [a, b] = [clamp(scale(mark.low)), clamp(scale(mark.high))].sort((one, other) => one - other);
  const place = upright
    ? { x: a, width: Math.max(1, b - a), y: box.top, height: box.bottom - box.top }
    : { x: box.left, width: box.right - box.left, y: a, height: Math.max(1, b - a) };
  layer.append(danlu.make("rect", { ...place, style: { fill: danlu.color(mark.color), fillOpacity: 0.14 } }));
};

danlu.marks.GuideLine = (mark, { x, y, layer, over, box }) => {
  const upright = (mark.axis ?? "x") === "x";
  const scale = upright ? x : y;
  if (!scale.fits(mark.at)) return;
  const place = scale(mark.at);
  const ends = upright
    ? { x1: place, x2: place, y1: box.top, y2: box.bottom }
    : { x1: box.left, x2: box.right, y1: place, y2: place };
  const color = danlu.color(mark.color ?? "grey");
  if (mark.label && !upright && place >= box.top && place <= box.bottom) {
    over.append(danlu.make("text", { class: "halo", x: box.right - 4, y: place < box.top + 16 ? place + 13 : place - 4, "text-anchor": "end" }, mark.label));
  }
  layer.append(danlu.make("line", { ...ends, style: { stroke: color, strokeWidth: 1.2 }, "stroke-dasharray": danlu.DASHES[mark.dash ?? "dash"] }));
  if (!mark.label || !upright || place < box.left - 1 || place > box.right + 1) return;
  const width = 10 + 7 * mark.label.length;
  const left = Math.min(box.right - width / 2, Math.max(box.left + width / 2, place));
  over.append(
    danlu.make("rect", { x: left - width / 2, y: box.top + 2, width, height: 16, rx: 4, style: { fill: color } }),
    danlu.make("text", { x: left, y: box.top + 14, "text-anchor": "middle", style: { fill: "var(--page)", fontWeight: 600, fontSize: "11.5px" } }, mark.label),
  );
};

/** A grid of numbers as a picture of one pixel each, stretched to its place. */
danlu.gridImage = (rows, ramp, log, range = danlu.colorRange(rows, ramp, log), bare = false) => {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, ...rows.map((row) => row.length));
  canvas.height = Math.max(1, rows.length);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  rows.forEach((row, line) => row.forEach((value, column) => {
    const at = 4 * (line * canvas.width + column);
    const missing = value === null || (log && value <= 0);
    const [red, green, blue] = missing ? [150, 150, 150] : danlu.ramp(ramp, danlu.share(value, range, log));
    pixels.data.set([red, green, blue, missing ? (bare ? 0 : 60) : 255], at);
  }));
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
};

danlu.marks.Cells = (mark, { x, y, layer, over, box, columns, words }) => {
  const range = mark.range ?? danlu.colorRange(mark.values, mark.ramp ?? "amount", Boolean(mark.log));
  let rows = mark.values;
  if (!words) { // columns as wide as the steps that they stand for
    const [edges, count] = [danlu.edges(mark.xs), Math.max(1, Math.round(box.right - box.left))];
    const shown = Array.from({ length: count }, (_, at) => Math.min(mark.xs.length - 1, danlu.before(edges, x.back(box.left + at + 0.5))));
    rows = rows.map((row) => shown.map((at) => row[at]));
  }
  const href = danlu.gridImage(rows, mark.ramp ?? "amount", Boolean(mark.log), range, mark.bare);
  const [top, bottom] = [y(-0.5), y(mark.values.length - 0.5)];
  layer.append(danlu.make("image", { href, x: box.left, y: top, width: box.right - box.left, height: bottom - top, preserveAspectRatio: "none", style: { imageRendering: "pixelated" } }));
  (mark.texts ?? []).forEach((texts, row) => texts.forEach((text, column) => {
    if (!text || (box.right - box.left) / columns < danlu.textWidth(text) + 4) return;
    const [red, green, blue] = danlu.ramp(mark.ramp ?? "amount", danlu.share(mark.values[row][column], range, mark.log));
    const fill = 0.299 * red + 0.587 * green + 0.114 * blue < 140 ? "#ffffff" : "#1b1b1b";
    const left = box.left + ((column + 0.5) / columns) * (box.right - box.left);
    over.append(danlu.make("text", { x: left, y: y(row) + 4, "text-anchor": "middle", style: { fill } }, text));
  }));
};

danlu.marks.Heatmap = (mark, { x, y, layer }) => {
  const [left, right] = [x(mark.xs[0]), x(mark.xs[mark.xs.length - 1])];
  const [bottom, top] = [y(mark.ys[0]), y(mark.ys[mark.ys.length - 1])];
  const href = danlu.gridImage([...mark.values].reverse(), "amount", Boolean(mark.log));
  layer.append(danlu.make("image", { href, x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none" }));
  for (const [, line] of mark.contours ?? []) {
    let [path, pen] = ["", "M"];
    for (const [px, py] of line) {
      if (px === null) { pen = "M"; continue; }
      path += `${pen}${x(px).toFixed(1)},${y(py).toFixed(1)}`; pen = "L";
    }
    layer.append(danlu.make("path", { d: path, style: { stroke: "#ffffff", strokeOpacity: 0.7, strokeWidth: 0.8, fill: "none" } }));
  }
  const way = mark.path ?? [];
  danlu.marks.Line({ xs: way.map(([px]) => px), ys: way.map(([, py]) => py), color: "orange", width: 2.2 }, { x, y, layer });
  if (way.length) {
    const ends = [way[0], way[way.length - 1]];
    danlu.marks.Points({ xs: ends.map(([px]) => px), ys: ends.map(([, py]) => py), color: "orange", size: 8 }, { x, y, layer });
  }
  const signs = [...(mark.saddles ?? []).map((one) => ["diamond", 9, one]), ...(mark.marked ?? []).map((one) => ["star", 14, one])];
  for (const [shape, size, [px, py]] of signs) {
    layer.append(danlu.make("path", { d: danlu.shape(shape, size), transform: `translate(${x(px)},${y(py)})`, style: { fill: "#ffffff", stroke: "#000000", strokeWidth: 1 } }));
  }
};
