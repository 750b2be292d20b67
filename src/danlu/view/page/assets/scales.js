"use strict";
/* From numbers to places, words and colours. Everything of danlu's hangs on this one name. */
const danlu = {};

danlu.look = { ramps: {}, words: {} };

/** A phrase of the page in the reader's language, its {placeholders} filled; {seeds:seed|seeds} is one word or the other. */
danlu.say = (id, values = {}) =>
  (danlu.look.words[id] ?? id).replace(/\{(\w+)(?::(.*?)\|(.*?))?\}/g, (all, name, one, many) =>
    name in values ? (one === undefined ? String(values[name]) : String(values[name]) === "1" ? one : many) : all);

/** An element with attributes and children; text is always text, never markup. */
danlu.make = (tag, attributes = {}, ...children) => {
  const vector = ["svg", "g", "path", "rect", "line", "text", "tspan", "image", "clipPath", "defs", "pattern", "circle", "title"];
  const element = vector.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (name === "style") Object.assign(element.style, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  if (tag === "button" && !attributes.type) element.type = tag; // else it would send the form that it stands in
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

danlu.faint = (...words) => danlu.make("p", { class: "faint" }, ...words);

danlu.color = (role) => `var(--${/^[a-z]+$/.test(role ?? "") ? role : "blue"})`;

/** A number in few signs. */
danlu.short = (value, digits = 4) => {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value !== "number") return danlu.short(Number(value)); // JSON has words for those that are not finite
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size >= 1000 && (size < 1e6 || (size < 1e15 && Number.isInteger(value)))) {
    return Math.round(danlu.even(value, Math.floor(Math.log10(size)) + 1)).toLocaleString("en-US");
  }
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) {
    const places = Math.max(0, digits - 3);
    return danlu.even(value, places + 1).toExponential(places).replace(/e([+-])(\d)$/, (all, sign, power) => `e${sign}0${power}`);
  }
  const cut = Number(danlu.even(value, digits).toPrecision(digits));
  return Math.abs(cut) < 1000 ? String(cut) : cut.toLocaleString("en-US");
};

/** A number as `danlu.view.figures.names.score_text` has scores: with four digits behind the point, where that tells no less. */
danlu.score = (value) => {
  const size = Math.abs(value ?? NaN);
  return size >= 0.1 && size < 1000 ? danlu.even(value, Math.floor(Math.log10(size)) + 5).toFixed(4) : danlu.short(value);
};

/** The number, so that JavaScript cuts it to so many places as Python does: what lies in the middle goes to the even digit. */
danlu.even = (value, places) => {
  const signs = Math.abs(value).toExponential(60).replace(/\.|e.*/g, "");
  return /^50*$/.test(signs.slice(places)) && "02468".includes(signs[places - 1]) ? value * (1 - 1e-12) : value;
};

/** About how many pixels a text of 12 px is wide. */
danlu.textWidth = (text) => [...String(text)].reduce((sum, sign) => sum + (sign > "\u2e80" ? 12 : "%…".includes(sign) ? 11 : 6.6), 0);

/** A text as lines no wider than there is room, broken at its spaces, or within a word that is too long alone. */
danlu.wrapped = (text, room) => {
  const lines = [""];
  for (const word of String(text).split(/(?<=[\s,_.\/]|[\u2e80-\uffef])/)) {
    for (const piece of danlu.textWidth(word) > room ? [...word] : [word]) {
      if (lines.at(-1) && danlu.textWidth(lines.at(-1) + piece.trimEnd()) > room) lines.push("");
      lines[lines.length - 1] += piece;
    }
  }
  return lines.map((line) => line.trimEnd());
};

/** Every n-th of the entries, so that there are no more than `most`. */
danlu.some = (entries, most) => entries.filter((_, at) => at % Math.ceil(entries.length / most) === 0);

/** Where columns at `xs` begin and end, as `danlu.view.paper.cells` has them. */
danlu.edges = (xs) => {
  if (xs.length < 2) return [xs[0] - 0.5, xs[0] + 0.5];
  const middles = xs.slice(1).map((at, index) => (at + xs[index]) / 2);
  const first = 2 * xs[0] - middles[0];
  return [xs[0] >= 1 ? Math.max(first, 0.5) : first, ...middles, 2 * xs.at(-1) - middles.at(-1)];
};

/** The place in a rising list at or before a number. */
danlu.before = (xs, where) => {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= where) low = middle; else high = middle;
  }
  return low;
};

danlu.clock = (seconds) => {
  if (!(seconds >= 0)) return "–";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

/** A scale from [low, high] to [start, end]; `log` goes by powers of ten. */
danlu.scale = (low, high, start, end, log) => {
  const at = log ? Math.log10 : (value) => value;
  const [from, to] = [at(low), at(high)];
  const scale = (value) => start + ((at(value) - from) / (to - from || 1)) * (end - start);
  scale.back = (place) => {
    const value = from + ((place - start) / (end - start || 1)) * (to - from);
    return log ? 10 ** value : value;
  };
  scale.fits = (value) => value !== null && Number.isFinite(value) && (!log || value > 0);
  return Object.assign(scale, { low, high, log });
};

/** Round places for ticks between low and high, about `count` of them. */
danlu.ticks = (low, high, count, log) => {
  if (log) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const inside = [];
    for (let power = first; power <= last; power += 1) {
      if (10 ** power >= low * 0.999 && 10 ** power <= high * 1.001) inside.push(10 ** power);
    }
    const every = Math.max(1, Math.ceil(inside.length / Math.max(2, count)));
    if (inside.length >= 2) return inside.filter((_, at) => at % every === 0);
    const fine = [];
    for (let power = first; power <= last; power += 1) for (const part of [1, 2, 5]) fine.push(part * 10 ** power);
    const found = fine.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return found.length >= 2 ? found : danlu.ticks(low, high, count, false);
  }
  const span = high - low || Math.abs(high) || 1;
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((part) => part * power).find((part) => part >= rough * 0.999);
  const places = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) places.push(index * step);
  // One tick alone is no scale: its neighbours could be anywhere.
  if (places.length < 2 && high > low && count < 12) return danlu.ticks(low, high, count + 1, false);
  return places.map((place) => Number(place.toPrecision(12)));
};

danlu.tickText = (value, log) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (log && (size < 1e-3 || size >= 1e5)) {
    const power = Math.floor(Math.log10(size) + 1e-9);
    const part = value / 10 ** power;
    return (Math.abs(part - 1) < 1e-6 ? "" : `${Number(part.toPrecision(2))}·`) + "10" + danlu.superscript(power);
  }
  const round = Number(value.toPrecision(12));
  if (size >= 1e9 || size < 1e-4) return round.toExponential();
  return size >= 1000 ? round.toLocaleString("en-US", { maximumFractionDigits: 6 }) : String(round);
};

danlu.superscript = (number) => String(number).replace(/[-\d]/g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));

/** The colour at a share of the way along a ramp, as [red, green, blue]. */
danlu.ramp = (name, share) => {
  const colors = (danlu.dark ? danlu.look.dark?.[name] : null) ?? danlu.look.ramps[name] ?? ["#000000", "#ffffff"];
  const place = Math.min(1, Math.max(0, share)) * (colors.length - 1);
  const index = Math.min(Math.floor(place), colors.length - 2);
  const parts = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const [first, second] = [parts(colors[index]), parts(colors[index + 1])];
  return first.map((part, at) => Math.round(part + (second[at] - part) * (place - index)));
};

/** The numbers at both ends of a ramp, as `danlu.view.figures.scales.color_range` has them. */
danlu.colorRange = (rows, ramp, log) => {
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows) for (const value of row) {
    if (value === null || (log && value <= 0)) continue;
    low = Math.min(low, value); high = Math.max(high, value);
  }
  if (ramp === "share") return [0, 1];
  if (low > high) [low, high] = ramp === "mistake" ? [0, 1] : [1, 10];
  if (ramp === "difference") { const most = Math.max(Math.abs(low), Math.abs(high)) || 1; return [-most, most]; }
  if (ramp === "mistake") return [0, Math.max(high, 0.05)];
  if (low === high) return log ? [low / 2, low * 2] : [low - 0.5, high + 0.5];
  return [low, high];
};

danlu.share = (value, [low, high], log) =>
  log ? (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low)) : (value - low) / (high - low);
