"use strict";
/* Draws every chart of a report from the numbers beside its place; goes over to the other language where the file holds both. */
const shared = JSON.parse(document.querySelector(".shared-data")?.textContent ?? "[]");
const told = (part, kind) => JSON.parse(part.querySelector(`.${kind}-data`).textContent, (key, value) => (value?.$ === undefined ? value : shared[value.$]));
const halves = [...document.querySelectorAll(".half")];
for (const half of halves.length ? halves : [document.body]) {
  danlu.look = told(half, "look");
  const charts = [...half.querySelectorAll(".chart-section")].map((section) => new danlu.Chart(section.querySelector(".chart-place"), told(section, "chart")));
  const place = half.querySelector(".moments-place");
  if (!place) continue;
  const moments = told(place, "moments");
  const machine = new danlu.TimeMachine((at) => moments[at], { held: charts.filter(({ chart }) => chart.kind === "curves") });
  place.replaceChildren(machine.host);
  machine.update(moments);
}
const buttons = [...document.querySelectorAll(".languages button")];
const speak = (lang) => {
  for (const half of halves) {
    half.hidden = half.lang !== lang;
    if (!half.hidden) danlu.look = told(half, "look");
  }
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.lang === lang));
  document.documentElement.lang = lang;
};
for (const button of buttons) button.addEventListener("click", () => speak(button.lang));
if (halves.length) speak(halves[0].lang);
