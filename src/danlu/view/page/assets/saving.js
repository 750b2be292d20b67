"use strict";
/* What can be taken along from a chart: a picture, its numbers, a table. */
danlu.button = (text, onclick, more = {}) => danlu.make("button", { class: "plain", onclick, ...more }, text);

/** A button that copies what `text` gives, and says so. */
danlu.copier = (words, text, more) => {
  const button = danlu.button(words, async () => {
    if (!await danlu.copy(text())) return;
    button.textContent = danlu.say("copied");
    setTimeout(() => { button.textContent = words; }, 1500);
  }, more);
  return button;
};

danlu.checked = (text, value, changed) => {
  const box = danlu.make("input", { type: "checkbox", onchange: () => changed(box.checked) });
  box.checked = value;
  return danlu.make("label", {}, box, ` ${text}`);
};

/** The tools beside a chart's title: scales by powers of ten where it has curves, and what can be saved. */
danlu.equip = (chart, { panels }) => {
  const marks = panels.flatMap((panel) => panel.marks);
  if (marks.some((mark) => mark.type === "Pictures")) return;
  if (panels.some((panel) => panel.shares_x && panel.x.low === undefined && panel.marks.some((mark) => mark.type === "Line"))) {
    for (const which of ["x", "y"]) {
      const first = chart.logs[which] ?? Boolean(panels[0][which].log);
      chart.tools.append(danlu.checked(danlu.say(`log-${which}`), first, (log) => { chart.logs[which] = log; chart.again(); chart.asked?.keep(`log${which}`, log ? "1" : "0"); }));
    }
  }
  const done = (text) => { menu.open = false; menu.firstChild.focus(); if (text) { said.textContent = danlu.say("copied"); setTimeout(() => { said.textContent = ""; }, 1500); } };
  const said = danlu.make("span", { class: "faint", role: "status" });
  const item = (text, act) => danlu.button(text, async () => done(await act()));
  const menu = danlu.make("details", { class: "save", onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); done(); } } },
    danlu.make("summary", {}, danlu.say("save-as")), danlu.make("div", { class: "panel" },
      item("SVG", async () => danlu.keep(chart, "svg", new Blob([await danlu.chartSvg(chart)], { type: "image/svg+xml" }))),
      item("PNG", async () => danlu.keep(chart, "png", await danlu.chartPng(chart))),
      item("CSV", async () => danlu.keep(chart, "csv", new Blob(["\ufeff", danlu.csv(await danlu.numbersOf(chart))], { type: "text/csv" }))),
      ...["markdown", "latex"].map((kind) => item(danlu.say(`copy-${kind}`), () => danlu.copy(danlu.tablesOf(chart).map(([head, rows]) => danlu.tableText(head, rows, kind)).join("\n"))))));
  menu.addEventListener("focusout", (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false; });
  chart.tools.append(menu, said);
};

danlu.copy = async (text) => { try { await navigator.clipboard.writeText(text); return true; } catch { return false; } };

danlu.keep = (chart, ending, blob) => {
  const name = `${document.title.split(" · ")[0]}-${chart.chart.kind}`.replace(/[^\p{L}\p{N}._-]+/gu, "-");
  const link = danlu.make("a", { href: URL.createObjectURL(blob), download: `${name}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
};

/** The chart as it is seen, on white, with title, legend and notes: an SVG that stands alone. */
danlu.chartSvg = async (chart) => {
  const root = document.documentElement;
  const [theme, font] = [root.dataset.theme, getComputedStyle(document.body).fontFamily];
  const dress = (name) => { if (name) root.dataset.theme = name; else delete root.dataset.theme; chart.again(); };
  dress("light"); // paper is white; but for a surface nothing of it is seen before it is set back
  if (chart.body.querySelector("canvas.solid")) await new Promise(requestAnimationFrame); // which is painted then
  const look = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity", "font-size", "font-weight", "paint-order", "image-rendering"];
  const frozen = (element) => {
    const copy = element.cloneNode(true);
    const [from, to] = [element, copy].map((one) => [one, ...one.querySelectorAll("*")]);
    from.forEach((one, at) => {
      const seen = getComputedStyle(one);
      for (const name of look) if (!["svg", "g", "defs"].includes(one.tagName)) to[at].setAttribute(name, seen.getPropertyValue(name));
      for (const name of ["style", "class", "tabindex"]) to[at].removeAttribute(name);
    });
    return copy;
  };
  const ink = getComputedStyle(root).getPropertyValue("--ink");
  const text = (x, y, words, more = {}) => danlu.make("text", { x, y, fill: ink, "font-size": 12, ...more }, words);
  const { width } = chart;
  const parts = [text(8, 20, chart.chart.title, { "font-weight": 600, "font-size": 15 })];
  let [x, y] = [8, 44];
  for (const entry of chart.body.querySelectorAll(".legend > :not([aria-pressed='false'])")) {
    const wide = 40 + danlu.textWidth(entry.textContent);
    if (x > 8 && x + wide > width) { x = 8; y += 20; }
    parts.push(danlu.make("g", { transform: `translate(${x},${y - 10})` }, ...frozen(entry.querySelector("svg")).children), text(x + 30, y, entry.textContent));
    x += wide;
  }
  if (x > 8) y += 12; else y = 32;
  const [panels, solid] = [chart.body.querySelector(".panels svg"), chart.body.querySelector("canvas.solid")];
  const high = panels ? panels.clientHeight || Number(panels.getAttribute("height")) : solid.clientHeight;
  if (panels) parts.push(danlu.make("g", { transform: `translate(0,${y})` }, ...[...frozen(panels).children].filter((one) => one.id !== "over")));
  else parts.push(danlu.make("image", { href: solid.toDataURL(), y, width, height: high }));
  y += high;
  for (const note of chart.chart.notes ?? []) for (const line of danlu.wrapped(note, width - 16)) parts.push(text(8, (y += 18), line));
  dress(theme);
  const height = Math.ceil(y + 10);
  const svg = danlu.make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": font }, danlu.make("rect", { width, height, fill: "#ffffff" }), ...parts);
  return new XMLSerializer().serializeToString(svg);
};

danlu.chartPng = async (chart) => {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await danlu.chartSvg(chart))}`;
  await image.decode();
  const canvas = danlu.make("canvas", { width: 2 * image.width, height: 2 * image.height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
};

/** Every number of a chart, a row each; of a run's curves all that there are, not only those that are drawn. */
danlu.numbersOf = async (chart) => {
  const { panels } = (await chart.asked?.whole()) ?? chart.chart;
  const rows = [["panel", "series", "x", "y", "low", "high"]];
  const word = (axis, at) => axis.ticks?.find(([place]) => place === at)?.[1].split("\n")[0] ?? at;
  for (const panel of panels) {
    const heading = panel.title || panel.y.label || panel.x.label || "";
    for (const mark of panel.marks) {
      const name = mark.type === "Line" ? chart.nameOf(mark, panel) : mark.label ?? "";
      const add = (x, y, low = "", high = "") => { if (x !== null) rows.push([heading, name, word(panel.x, x), y === null ? "" : word(panel.y, y), low ?? "", high ?? ""]); };
      if (["Line", "Points"].includes(mark.type)) mark.xs.forEach((x, at) => add(x, mark.ys[at]));
      if (mark.type === "Bars") mark.xs.forEach((x, at) => add(x, mark.heights[at]));
      if (mark.type === "Band") mark.xs.forEach((x, at) => add(x, "", mark.lows[at], mark.highs[at]));
      if (mark.type === "Whiskers") mark.at.forEach((place, at) => add(mark.upright ? place : "", mark.upright ? "" : place, mark.lows[at], mark.highs[at]));
      if (mark.type === "Cells") mark.values.forEach((row, at) => row.forEach((value, column) => { if (value !== null) rows.push([heading, mark.names?.[at] ?? word(panel.y, at), word(panel.x, mark.xs[column]), value, "", ""]); }));
      if (mark.type === "Heatmap") mark.values.forEach((row, at) => row.forEach((value, column) => rows.push([mark.label, mark.xs[column], mark.ys[at], value ?? "", "", ""])));
    }
  }
  return rows;
};

/** Rows as CSV; a name that a spreadsheet would take for a formula is one no more. */
danlu.csv = (rows) => rows.map((row) => row.map((value) => {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}).join(",")).join("\r\n");

/** What a chart says, as tables with their heads: the newest numbers of curves, effects, a matrix, else all numbers. */
danlu.tablesOf = (chart) => {
  const { panels } = chart.chart;
  const matrix = panels.find((panel) => panel.x.ticks?.length && panel.marks[0]?.type === "Cells");
  if (matrix) {
    const texts = matrix.y.ticks.map(([row]) => matrix.x.ticks.map(([column]) => matrix.marks.map((mark) => mark.texts?.[row]?.[column]).find(Boolean) ?? "0"));
    return [[[`${matrix.y.label} \\ ${matrix.x.label}`, ...matrix.x.ticks.map(([, word]) => word)], matrix.y.ticks.map(([, word], at) => [word, ...texts[at]])]];
  }
  const strip = panels[0].marks.filter((mark) => mark.type === "Whiskers" && mark.label);
  if (strip.length) return [[["", panels.at(-1).x.label], strip.map((mark) => [mark.label, danlu.short(mark.highs[0] - mark.lows[0])])]];
  if (panels[0].y.ticks?.length && panels[0].marks.every((mark) => mark.type !== "Cells")) return panels.map((panel) => [["", panel.x.label ?? ""], panel.y.ticks.map(([, word]) => word.split("\n"))]);
  if (!panels[0].shares_x || !panels.some((panel) => panel.marks.some((mark) => mark.type === "Line"))) return [];
  const found = new Map();
  let last = -Infinity;
  panels.forEach((panel, column) => {
    for (const mark of panel.marks) {
      if (mark.type !== "Line" || mark.faint || chart.isHidden(mark)) continue;
      const at = mark.ys.findLastIndex((value) => value !== null);
      if (at < 0) continue;
      last = Math.max(last, mark.xs[at]);
      const name = chart.nameOf(mark, panel);
      const band = panel.marks.find((other) => other.type === "Band" && other.color === mark.color);
      const ends = band && band.lows[at] !== null ? ` [${danlu.score(band.lows[at])}, ${danlu.score(band.highs[at])}]` : "";
      if (!found.has(name)) found.set(name, panels.map(() => ""));
      found.get(name)[column] = danlu.score(mark.ys[at]) + ends;
    }
  });
  return [[[`${panels.at(-1).x.label} ${danlu.short(last)}`, ...panels.map((panel) => panel.title || panel.y.label || "")], [...found].map(([name, cells]) => [name, ...cells])]];
};

danlu.tableText = (head, rows, kind) => {
  const cells = [head, ...rows].map((row) => head.map((_, at) => String(row[at] ?? "").replace(/\s+/g, " ")));
  if (kind === "markdown") {
    const [first, ...others] = cells.map((row) => `| ${row.map((cell) => cell.replaceAll("\\", "\\\\").replaceAll("|", "\\|")).join(" | ")} |`);
    return [first, `|${head.map((_, at) => (at ? " ---: |" : " --- |")).join("")}`, ...others, ""].join("\n");
  }
  const signs = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "→": "$\\to$", "−": "$-$", "²": "$^2$", "–": "--" };
  const [first, ...others] = cells.map((row) => `${row.map((cell) => cell.replace(/[\\~^→−²–]|[&%$#_{}]/g, (sign) => signs[sign] ?? `\\${sign}`)).join(" & ")} \\\\`);
  return [`\\begin{tabular}{l${"r".repeat(Math.max(0, head.length - 1))}}`, "\\hline", first, "\\hline", ...others, "\\hline", "\\end{tabular}", ""].join("\n");
};
