"use strict";
/* What the reader writes: title, tags, star and a note beside a run or a study. */

/** Send a change to the server; what it answers, or the sentence that says why it did not. */
danlu.send = async (path, content) => {
  const word = JSON.parse(document.querySelector(".word-data")?.textContent ?? "{}").word ?? "";
  try {
    const answer = await fetch(`/api/${path}?lang=${danlu.language}`, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "X-Danlu-Word": word }, body: JSON.stringify(content),
    });
    if (answer.status === 403) return { error: danlu.say("problem-forbidden") };
    return answer.ok ? answer.json() : { error: danlu.say("problem-refused") };
  } catch { return { error: danlu.say("problem-server") }; }
};

danlu.tagsOf = (text) => [...new Set(text.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean))];

/** Markdown as elements, never as markup: paragraphs, headings, lists, quotes, code, **bold**, *italics*, `code`, [links](https://…). */
danlu.markdown = (text) => {
  const host = danlu.make("div", { class: "markdown" });
  const lines = text.split("\n");
  let [paragraph, list] = [[], null];
  const flush = () => { if (paragraph.length) host.append(danlu.make("p", {}, ...danlu.inline(paragraph.join("\n")))); paragraph = []; };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const [heading, item, quote] = [line.match(/^(#{1,4})\s+(.*)$/), line.match(/^\s*(?:[-*+]|(\d{1,4})[.)])\s+(.*)$/), line.match(/^>\s?(.*)$/)];
    if (!item) list = null;
    if (line.startsWith("```")) {
      flush();
      const end = lines.findIndex((other, number) => number > at && other.startsWith("```"));
      host.append(danlu.make("pre", {}, lines.slice(at + 1, end < 0 ? undefined : end).join("\n")));
      at = end < 0 ? lines.length : end;
    } else if (heading) { flush(); host.append(danlu.make(`h${Math.min(6, heading[1].length + 2)}`, {}, ...danlu.inline(heading[2]))); }
    else if (item) {
      flush();
      const kind = item[1] ? "ol" : "ul";
      if (list?.tagName.toLowerCase() !== kind) host.append(list = danlu.make(kind));
      list.append(danlu.make("li", {}, ...danlu.inline(item[2])));
    } else if (quote) { flush(); host.append(danlu.make("blockquote", {}, ...danlu.inline(quote[1]))); }
    else if (!line.trim()) flush();
    else paragraph.push(line);
  }
  flush();
  return host;
};

danlu.inline = (text) => {
  const parts = [];
  for (let rest = text; ;) {
    const found = rest.match(/`([^`\n]+)`|\*\*([^*\n]+)\*\*|\*([^*\n]+)\*|\[([^\]\n]+)\]\((https?:\/\/[^\s()<>"']+)\)/);
    if (!found) return [...parts, rest];
    const [all, code, bold, italic, words, address] = found;
    parts.push(rest.slice(0, found.index), code ? danlu.make("code", {}, code) : bold ? danlu.make("strong", {}, bold) : italic ? danlu.make("em", {}, italic)
      : danlu.make("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, words));
    rest = rest.slice(found.index + all.length);
  }
};

/** The notes on the page of a run or a study: read, and written where that is allowed. */
danlu.NotesPanel = class {
  constructor() {
    this.host = danlu.make("section", { class: "notes" });
    this.editing = false;
  }

  update(answer) {
    const told = JSON.stringify([answer.notes, answer.writable]);
    if (this.editing || told === this.told) return; // what is being typed stays
    [this.told, this.id, this.notes] = [told, answer.id, answer.notes];
    const { tags, note, star } = answer.notes;
    const some = tags.length || note || star;
    this.host.replaceChildren(...[
      some ? danlu.make("p", { class: "tags" }, star ? danlu.make("span", { title: danlu.say("star") }, "★ ") : null, ...tags.map((tag) => danlu.make("span", { class: "chip tag" }, tag))) : null,
      note ? danlu.markdown(note) : null,
      answer.writable ? danlu.button(danlu.say(some || answer.notes.title ? "edit-notes" : "add-notes"), () => this.edit(), { id: "edit-notes" }) : null,
    ].filter(Boolean));
  }

  edit() {
    this.editing = true;
    const { title, tags, note, star } = this.notes;
    const line = (id, value, longest) => { const input = danlu.make("input", { type: "text", maxlength: longest }); input.value = value; return [input, danlu.make("label", {}, danlu.say(id), input)]; };
    const [named, nameRow] = line("ask-title", title, 100);
    const [tagged, tagRow] = line("ask-tags", tags.join(", "), 1200);
    const text = danlu.make("textarea", { rows: 8, maxlength: 20000 });
    text.value = note;
    const starred = danlu.make("input", { type: "checkbox" });
    starred.checked = star;
    const wrong = danlu.make("p", { class: "wrong", role: "alert" });
    const close = () => { this.editing = false; this.told = ""; this.update({ notes: this.notes, writable: true, id: this.id }); document.getElementById("edit-notes")?.focus(); };
    const save = async () => {
      const notes = { title: named.value.trim(), tags: danlu.tagsOf(tagged.value), note: text.value, star: starred.checked };
      const told = await danlu.send("notes", { changes: { [this.id]: notes } });
      if (told.error) { wrong.textContent = told.error; return; }
      this.notes = { ...this.notes, ...notes };
      close();
      this.refresh?.();
    };
    this.host.replaceChildren(danlu.make("form", { onsubmit: (event) => { event.preventDefault(); save(); }, onkeydown: (event) => { if (event.key === "Escape" && text.value === note) close(); } }, // a note that was typed is not lost by a key
      nameRow, tagRow, danlu.make("label", {}, danlu.say("ask-note"), text), danlu.make("label", { class: "check" }, starred, ` ${danlu.say("star")}`), wrong,
      danlu.make("div", { class: "bar" }, danlu.make("button", { type: "submit" }, danlu.say("save")), danlu.make("button", { onclick: close }, danlu.say("cancel")))));
    named.focus();
  }
};
