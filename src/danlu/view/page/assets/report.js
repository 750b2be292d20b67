"use strict";
/* Draws every chart of a report from the numbers beside its place. */
danlu.look = JSON.parse(document.querySelector(".look-data").textContent);
for (const section of document.querySelectorAll(".chart-section")) {
  const chart = JSON.parse(section.querySelector(".chart-data").textContent);
  new danlu.Chart(section.querySelector(".chart-place"), chart);
}
