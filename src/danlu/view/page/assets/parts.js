"use strict";
/* What the pages of the dashboard have in common: asking the server, and pieces of page. */
danlu.look = JSON.parse(document.querySelector(".look-data").textContent);
danlu.language = document.documentElement.lang.slice(0, 2);

/** The names of what was listed last, so that its page has one at once. */
danlu.names = {};

/** What the reader has chosen, kept in the browser where it allows that. */
danlu.kept = {
  get: (name) => { try { return localStorage.getItem(`danlu-${name}`); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`danlu-${name}`, value); } catch { /* a private window */ } },
};

/** Ask for `path`; null where nothing is new since version `have`. */
danlu.ask = async (path, values = {}, have = "") => {
  const query = new URLSearchParams({ ...values, lang: danlu.language, have });
  const answer = await fetch(`/api/${path}?${query}`, { cache: "no-store", credentials: "same-origin" });
  if (answer.status === 204) return null;
  if (answer.status === 403) throw new Error("forbidden");
  if (answer.status === 404) throw new Error("gone");
  if (!answer.ok) throw new Error("failed");
  return answer.json();
};

danlu.cell = (text, kind = "") => danlu.make("td", { class: kind }, text === null || text === undefined ? "" : String(text));

danlu.state = (state) => danlu.make("span", { class: `state ${state}` }, danlu.say(`state-${state}`));

danlu.table = (head, rows) => danlu.make("div", { class: "scroll" }, danlu.make("table", {},
  danlu.make("thead", {}, danlu.make("tr", {}, ...head.map((word) => danlu.make("th", {}, ...word.split(/(?<=[._])/).flatMap((part) => [part, danlu.make("wbr")]))))),
  danlu.make("tbody", {}, ...rows.map((row) => danlu.make("tr", {}, ...row.map((word) => danlu.cell(word))))),
), head.length ? danlu.make("p", { class: "table-tools" }, ...["markdown", "latex"].map((kind) => danlu.copier(danlu.say(`copy-${kind}`), () => danlu.tableText(head, rows, kind)))) : null);

danlu.ago = (seconds) => {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 90) return danlu.say("ago-seconds", { count: Math.round(past) });
  if (past < 5400) return danlu.say("ago-minutes", { count: Math.round(past / 60) });
  if (past < 129600) return danlu.say("ago-hours", { count: Math.round(past / 3600) });
  return danlu.say("ago-days", { count: Math.round(past / 86400) });
};

danlu.problem = (error) => {
  const id = ["forbidden", "gone"].includes(error.message) ? `problem-${error.message}` : "problem-server";
  return danlu.make("p", { class: "problem", role: "alert" }, danlu.say(id));
};

/** A text to type elsewhere, and a button that copies it; `name` is what that says to copy where it is not the text. */
danlu.copyable = (text, tag = "code", name = text) => danlu.make("span", { class: "copyable" }, danlu.make(tag, {}, text), " ",
  danlu.copier(danlu.say("copy"), () => text, { class: "plain copy", "aria-label": `${danlu.say("copy")} ${name}` }));

danlu.theme = () => danlu.kept.get("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

danlu.head = () => {
  const theme = danlu.make("button", { class: "plain", id: "theme" });
  const dress = () => {
    document.documentElement.dataset.theme = danlu.theme();
    theme.textContent = danlu.say(danlu.theme() === "dark" ? "light" : "dark");
  };
  theme.addEventListener("click", () => { danlu.kept.set("theme", danlu.theme() === "dark" ? "light" : "dark"); dress(); window.dispatchEvent(new Event("danlu-theme")); });
  const other = danlu.language === "zh" ? "en" : "zh";
  const language = danlu.make("button", {
    class: "plain", id: "language", lang: other,
    onclick: () => { danlu.kept.set("language", other); location.replace(`/?lang=${other}${location.hash}`); },
  }, other === "zh" ? "中文" : "English");
  document.querySelector("#top").replaceChildren(danlu.make("a", { class: "home", href: "#/" }, "danlu 丹炉"), danlu.make("span", { class: "folder" }), language, theme);
  dress();
};

/** Go over to the language that the reader has chosen, or begin in this one. */
danlu.begin = (start) => {
  const wanted = danlu.kept.get("language");
  if (wanted && wanted !== danlu.language && ["en", "zh"].includes(wanted)) location.replace(`/?lang=${wanted}${location.hash}`);
  else { danlu.head(); start(); }
};
