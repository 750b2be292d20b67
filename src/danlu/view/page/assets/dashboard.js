"use strict";
/* Which page is shown, and keeping it up to date. */
/* With half a second until a training tells of its steps, and as much between two readings, no page is 2 s behind. */
danlu.POLL = { soon: 100, seen: 900, hidden: 10000 };

danlu.route = () => {
  const [, page, rest] = location.hash.match(/^#\/(\w*)\/?([0-9a-f,]*)(?:\?.*)?$/) ?? [];
  const rule = location.hash.match(/[?&]finding=([\w-]+)/)?.[1];
  const main = document.querySelector("#main");
  main.className = "";
  if (page === "run" && rest) return new danlu.RunPage(main, rest, rule);
  if (page === "study" && rest) return new danlu.StudyPage(main, rest);
  if (page === "compare" && rest) return new danlu.ComparePage(main, rest);
  return new danlu.ListPage(main);
};

danlu.start = () => {
  let [page, version, timer, turn] = [null, "", 0, 0];
  const look = async () => {
    const mine = turn;
    clearTimeout(timer);
    try {
      const answer = await danlu.ask(...page.path(), version);
      if (mine !== turn) return;
      document.querySelectorAll("#main > .problem, #main > .loading").forEach((one) => one.remove());
      if (answer?.error) document.querySelector("#main").prepend(danlu.make("p", { class: "problem" }, answer.error));
      else if (answer) { version = answer.version; page.show(answer); }
    } catch (error) {
      if (mine !== turn) return;
      document.querySelector("#main > .problem")?.remove();
      document.querySelector("#main").prepend(danlu.problem(error));
    }
    timer = setTimeout(look, document.hidden ? danlu.POLL.hidden : page.soon ? danlu.POLL.soon : danlu.POLL.seen);
    page.soon = false;
  };
  const again = () => { turn += 1; version = ""; look(); };
  const open = () => {
    page = danlu.route();
    page.refresh = again;
    document.querySelector("#main").append(danlu.make("p", { class: "faint loading", role: "status" }, danlu.say("loading")));
    window.scrollTo(0, 0);
    again();
  };
  window.addEventListener("hashchange", () => { open(); document.querySelector("#main").focus({ preventScroll: true }); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  open();
};

danlu.begin(danlu.start);
