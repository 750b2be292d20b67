"use strict";
/* Pages that ask. One question is on its way at a time; the newest waits for it. */
danlu.form = JSON.parse(document.querySelector(".form-data").textContent);

danlu.Asking = class {
  constructor(show) { this.show = show; this.busy = false; this.next = null; }

  /** Ask `path` with an object, or with the bytes of a file. */
  async ask(path, sent) {
    this.next = [path, sent];
    if (this.busy) return;
    this.busy = true;
    while (this.next) {
      const [where, what] = this.next;
      this.next = null;
      const answer = await danlu.send(where, what);
      if (!this.next) this.show(answer);
    }
    this.busy = false;
  }
};

danlu.send = async (path, sent) => {
  const bytes = sent instanceof Blob;
  try {
    const answer = await fetch(`/api/${path}?lang=${danlu.language}`, {
      method: "POST", cache: "no-store", credentials: "same-origin",
      headers: { "Content-Type": bytes ? "application/octet-stream" : "application/json" }, body: bytes ? sent : JSON.stringify(sent),
    });
    if (answer.ok) return await answer.json();
    const id = { 403: "ask-forbidden", 413: "try-too-large", 503: "ask-busy" }[answer.status] ?? "ask-refused";
    return { error: danlu.say(id) };
  } catch {
    return { error: danlu.say("ask-stopped") };
  }
};

danlu.later = (run, wait) => {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(run, wait); };
};
