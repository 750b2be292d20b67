"use strict";
/* An answer, how sure it is, and why. */
danlu.LEAST_SHARE = 0.02; // of a probability: what moves it less is painted as little as it is

danlu.largest = (effects, least) => Math.max(least, ...effects.map(Math.abs));

danlu.percent = (share) => `${(100 * share).toFixed(share > 0.0995 ? 0 : 1)}%`;

/** Bars from 0 to 1, the largest first. */
danlu.shareBars = (pairs) => danlu.make("table", { class: "bars" }, danlu.make("tbody", {}, ...pairs.map(([name, share]) =>
  danlu.make("tr", {}, danlu.make("th", { scope: "row" }, danlu.visible(name)),
    danlu.make("td", { class: "bar-cell" }, danlu.make("div", { class: "amount", style: { width: `${100 * share}%` } })),
    danlu.make("td", { class: "number" }, danlu.percent(share))))));

/** Bars to both sides of a middle: what speaks for the answer goes right. */
danlu.effectBars = (pairs, told, least) => {
  const most = danlu.largest(pairs.map(([, effect]) => effect), least);
  return danlu.make("table", { class: "bars" }, danlu.make("tbody", {}, ...pairs.map(([name, effect]) => {
    const width = `${50 * Math.abs(effect) / most}%`;
    const side = effect < 0 ? { width, marginLeft: `${50 - 50 * Math.abs(effect) / most}%` } : { width, marginLeft: "50%" };
    return danlu.make("tr", {}, danlu.make("th", { scope: "row" }, danlu.visible(name)),
      danlu.make("td", { class: "bar-cell middle" }, danlu.make("div", { class: effect < 0 ? "amount against" : "amount", style: side })),
      danlu.make("td", { class: "number" }, told(Math.abs(effect) < 1e-4 * most ? 0 : effect)));
  })));
};

/** A token as one can see it. */
danlu.visible = (text) => text.replaceAll("\n", "⏎").replace(/^ +$/, (blanks) => "␣".repeat(blanks.length)) || "·";

danlu.signed = (effect, percent) => {
  const size = percent ? (100 * effect).toFixed(1) : danlu.short(effect, 3);
  return `${effect > 0 && Number(size) !== 0 ? "+" : ""}${size}`.replace("-", "−");
};

/** What the net sees, and over it how much of the answer rests on each place. */
danlu.heatMap = (seen, rows, least) => {
  const canvas = danlu.make("canvas", { class: "heat", width: 320, height: 320, role: "img", "aria-label": danlu.say("try-map") });
  const image = new Image();
  image.onload = () => {
    const [paper, scale] = [canvas.getContext("2d"), 320 / Math.max(image.naturalWidth, image.naturalHeight)];
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    paper.imageSmoothingEnabled = false;
    paper.filter = "grayscale(1)";
    paper.drawImage(image, 0, 0, canvas.width, canvas.height);
    paper.filter = "none";
    const [high, wide] = [canvas.height / rows.length, canvas.width / rows[0].length];
    const most = danlu.largest(rows.flat(), least);
    rows.forEach((row, down) => row.forEach((effect, across) => {
      paper.globalAlpha = 0.72 * Math.abs(effect) / most;
      paper.fillStyle = effect < 0 ? "#d55e00" : "#1f8fe0";
      const [left, top] = [Math.round(across * wide), Math.round(down * high)];
      paper.fillRect(left, top, Math.round((across + 1) * wide) - left, Math.round((down + 1) * high) - top);
    }));
    paper.globalAlpha = 1;
  };
  image.src = seen;
  return canvas;
};

danlu.picture = (source, words) => danlu.make("figure", {}, danlu.make("img", { src: source, alt: words }), danlu.make("figcaption", {}, words));

/** All parts of an answer, one under the other. */
danlu.answerParts = (answer) => {
  if (answer.error && typeof answer.error === "string") return [danlu.make("p", { class: "problem" }, answer.error)];
  const classes = answer.classes !== undefined;
  const [told, least] = [(effect) => danlu.signed(effect, classes), classes ? danlu.LEAST_SHARE : 1e-12];
  const parts = [];
  if (answer.goes_on !== undefined) parts.push(danlu.make("p", { class: "continued" }, danlu.make("b", {}, answer.beginning), answer.goes_on), danlu.make("h3", {}, danlu.say("try-next")));
  if (answer.written !== undefined) parts.push(danlu.make("p", { class: "continued" }, danlu.visible(answer.written)));
  if (answer.answer !== undefined) parts.push(danlu.make("p", { class: "answer" }, answer.answer));
  if (answer.values) parts.push(danlu.make("p", { class: "answer" }, answer.values.map((value) => danlu.short(value)).join("   ")));
  if (answer.low !== undefined) parts.push(danlu.faint(danlu.say("try-band", { low: danlu.short(answer.low), high: danlu.short(answer.high) })));
  if (classes) parts.push(danlu.shareBars(answer.classes));
  if (answer.others) parts.push(danlu.faint(danlu.say("try-others", { count: answer.others })));
  if (answer.mask) parts.push(danlu.make("div", { class: "seen" }, danlu.picture(answer.seen, danlu.say("try-seen")), danlu.picture(answer.mask, danlu.say("try-mask"))), danlu.legend(answer.shares));
  if (answer.tags) parts.push(danlu.tagged(answer.tags), danlu.key("try-tags-key"));
  if (answer.forecasts) parts.push(...answer.forecasts.flatMap(danlu.forecast));
  for (const note of answer.notes ?? []) parts.push(danlu.make("p", { class: "note" }, note));
  if (answer.again) parts.push(danlu.make("div", { class: "seen" }, danlu.picture(answer.seen, danlu.say("try-seen")), danlu.picture(answer.again, danlu.say("try-again"))), danlu.faint(danlu.say("try-error", { error: danlu.short(answer.error) })));
  if (answer.map) parts.push(danlu.make("h3", {}, danlu.say("try-why")), danlu.make("div", { class: "seen" }, danlu.picture(answer.seen, danlu.say("try-seen")), danlu.make("figure", {}, danlu.heatMap(answer.seen, answer.map, least), danlu.make("figcaption", {}, danlu.say("try-map")))), danlu.key(classes ? "try-map-key" : "try-map-key-number"));
  if (answer.columns) parts.push(danlu.make("h3", {}, danlu.say("try-why")), ...danlu.columnParts(answer.columns, told, least, classes));
  if (answer.tokens?.length) parts.push(danlu.make("h3", {}, danlu.say("try-why")), danlu.tokens(answer.tokens, told, least), danlu.key(classes ? "try-tokens-key" : "try-tokens-key-number"));
  return parts;
};

/** The classes of a mask with their colours, the largest first. */
danlu.legend = (shares) => danlu.make("table", { class: "legend" }, danlu.make("tbody", {}, ...shares.map(([name, share, colour]) =>
  danlu.make("tr", {}, danlu.make("td", {}, danlu.make("span", { class: "swatch", style: { backgroundColor: colour } })),
    danlu.make("th", { scope: "row" }, danlu.visible(name)), danlu.make("td", { class: "number" }, danlu.percent(share))))));

/** Each token with its tag below. */
danlu.tagged = (rows) => danlu.make("p", { class: "tagged" }, ...rows.map(([token, tag, share]) =>
  danlu.make("span", { title: danlu.percent(share) }, danlu.make("b", {}, danlu.visible(token)), danlu.make("i", {}, tag))));

/** What comes behind the last row of a series. */
danlu.forecast = (one) => {
  const parts = [danlu.make("h3", {}, danlu.say("try-forecast", { series: [one.series, one.time].filter((part) => part).join(" · ") || "…" }))];
  parts.push(danlu.make("p", { class: "answer" }, one.values.map((value) => danlu.short(value)).join("   ")));
  if (one.low !== undefined) parts.push(danlu.faint(danlu.say("try-band", { low: danlu.short(one.low), high: danlu.short(one.high) })));
  return parts;
};

danlu.columnParts = (columns, told, least, classes) => {
  if (columns.every(([, effect]) => effect === 0)) return [danlu.key("try-typical")];
  const sorted = [...columns].sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  return [danlu.effectBars(sorted, told, least), danlu.key(classes ? "try-columns-key" : "try-columns-key-number")];
};

danlu.key = (id) => danlu.make("p", { class: "faint key" }, danlu.say(id));

/** The text, each token on a ground whose colour says what it adds. */
danlu.tokens = (pairs, told, least) => {
  const most = danlu.largest(pairs.map(([, effect]) => effect), least);
  return danlu.make("p", { class: "tokens" }, ...pairs.map(([text, effect]) => danlu.make("span", {
    title: told(effect), style: { backgroundColor: `color-mix(in srgb, var(--${effect < 0 ? "orange" : "blue"}) ${Math.round(60 * Math.abs(effect) / most)}%, transparent)` },
  }, danlu.visible(text))));
};
