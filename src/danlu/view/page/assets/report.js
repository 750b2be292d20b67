"use strict";
/* Draws every chart of a report from the numbers beside its place; goes over to the other language where the file holds both. */
danlu.look = JSON.parse(document.querySelector(".look-data").textContent);
for (const section of document.querySelectorAll(".chart-section")) {
  const chart = JSON.parse(section.querySelector(".chart-data").textContent);
  new danlu.Chart(section.querySelector(".chart-place"), chart);
}
const languages = [...document.querySelectorAll(".languages button")];
for (const button of languages) button.addEventListener("click", () => {
  for (const half of document.querySelectorAll(".half")) {
    half.hidden = half.lang !== button.lang;
    if (!half.hidden) danlu.look = JSON.parse(half.querySelector(".look-data").textContent);
  }
  for (const other of languages) other.setAttribute("aria-pressed", String(other === button));
  document.documentElement.lang = button.lang;
});
