"use strict";
/* The page on which a run is tried out. */
danlu.MOST_BYTES = 20 * 2 ** 20;

/** A number to fill in, with its name beside it. */
danlu.numberField = (id, value, more) => {
  const input = danlu.make("input", { type: "number", value, required: "", ...more });
  return [input, danlu.make("label", { class: "field" }, danlu.make("span", {}, danlu.say(id)), input)];
};

/** Each kind of run: what its reader fills in, and what is asked at once. */
danlu.inputs = {
  picture: (asking) => {
    const take = (file) => {
      if (!file) return;
      if (file.size > danlu.MOST_BYTES) asking.show({ error: danlu.say("try-too-large") });
      else asking.ask("picture", file);
    };
    const chooser = danlu.make("input", { type: "file", accept: "image/*", id: "file", class: "visually-hidden", onchange: (event) => { take(event.target.files[0]); event.target.value = ""; } });
    const over = (event, on) => { event.preventDefault(); zone.classList.toggle("over", on); };
    const zone = danlu.make("label", {
      class: "drop", ondragover: (event) => over(event, true), ondragleave: (event) => over(event, false),
      ondrop: (event) => { over(event, false); take(event.dataTransfer.files[0]); },
    }, danlu.make("span", {}, danlu.say("try-drop")), chooser);
    window.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
    if (!danlu.form.draws) return [zone];
    const drawing = new danlu.Drawing(() => asking.ask("drawing", { strokes: drawing.strokes }));
    const clear = danlu.button(danlu.say("try-clear"), () => { drawing.clear(); asking.show(null); });
    return [danlu.faint(danlu.say("try-draw")), drawing.canvas, danlu.make("div", { class: "bar" }, clear), zone];
  },

  row: (asking) => {
    const ask = () => asking.ask("row", { row: fields.values() });
    const fields = new danlu.Fields(danlu.form.fields, danlu.later(ask, 250));
    const reset = danlu.button(danlu.say("try-reset"), () => { fields.reset(); ask(); });
    ask();
    return [fields.element, danlu.make("div", { class: "bar" }, reset)];
  },

  text: (asking) => {
    const ask = () => { if (text.value.trim()) asking.ask("text", { text: text.value }); else asking.show(null); };
    const text = danlu.make("textarea", { rows: 6, maxlength: 2000, spellcheck: "false", "aria-label": danlu.say("try-text"), placeholder: danlu.say("try-text"), oninput: danlu.later(ask, 400) });
    return [text];
  },

  source: (asking) => {
    const ask = () => { if (text.value.trim() && beam.reportValidity()) asking.ask("source", { text: text.value, beam: Number(beam.value) }); else asking.show(null); };
    const [beam, field] = danlu.numberField("try-beam", 1, { min: 1, max: 20, oninput: danlu.later(ask, 400) });
    const text = danlu.make("textarea", { rows: 6, maxlength: 2000, spellcheck: "false", "aria-label": danlu.say("try-text"), placeholder: danlu.say("try-text"), oninput: danlu.later(ask, 400) });
    return [text, danlu.make("div", { class: "fields" }, field)];
  },

  rows: (asking) => {
    const ask = () => { if (text.value.trim()) asking.ask("rows", { rows: text.value }); else asking.show(null); };
    const { columns, window: least } = danlu.form;
    const text = danlu.make("textarea", { rows: 14, maxlength: 100000, spellcheck: "false", "aria-label": danlu.say("try-rows-name"), placeholder: `${columns.join(",")}\n…`, oninput: danlu.later(ask, 400) });
    return [danlu.faint(danlu.say("try-rows", { count: least, columns: columns.join(", ") })), text];
  },

  beginning: (asking) => {
    const [tokens, tokensField] = danlu.numberField("try-tokens", 200, { min: 1, max: 1000 });
    const [temperature, temperatureField] = danlu.numberField("try-temperature", 0.8, { min: 0, max: 10, step: 0.1 });
    const [seed, seedField] = danlu.numberField("seed", 0, { min: 0, max: 4294967295 });
    const text = danlu.make("textarea", { rows: 4, maxlength: 2000, spellcheck: "false", required: "", "aria-label": danlu.say("try-beginning"), placeholder: danlu.say("try-beginning") });
    const form = danlu.make("form", {
      onsubmit: (event) => {
        event.preventDefault();
        asking.ask("beginning", { text: text.value, tokens: Number(tokens.value), temperature: Number(temperature.value), seed: Number(seed.value) });
      },
    }, text, danlu.make("div", { class: "fields" }, tokensField, temperatureField, seedField), danlu.make("div", { class: "bar" }, danlu.make("button", { class: "plain", type: "submit" }, danlu.say("try-continue"))));
    text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
    return [form];
  },
};
danlu.inputs.numbers = danlu.inputs.row;

danlu.begin(() => {
  const empty = danlu.faint(danlu.say("try-empty"));
  const answer = danlu.make("section", { class: "told", "aria-live": "polite" }, empty);
  const asking = new danlu.Asking((found) => answer.replaceChildren(...(found ? danlu.answerParts(found) : [empty])));
  const parts = danlu.inputs[danlu.form.takes](asking);
  document.querySelector("#main").replaceChildren(
    danlu.make("h1", {}, danlu.form.name), danlu.faint(danlu.say("try-about", { data: danlu.form.data })),
    danlu.make("div", { class: "trial" }, danlu.make("section", {}, ...parts), answer),
  );
});
