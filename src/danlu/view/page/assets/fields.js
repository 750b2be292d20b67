"use strict";
/* The fields of a row: categories to choose from, numbers and texts to type, each at its usual value to begin with. */
danlu.Fields = class {
  constructor(fields, changed) {
    this.inputs = fields.map((field) => danlu.Fields.input(field, changed));
    this.fields = fields;
    const rows = fields.map((field, at) => danlu.make("label", { class: "field" },
      danlu.make("span", {}, field.type === "number" && /^\d+$/.test(field.name) ? danlu.say("try-feature", { number: field.name }) : field.name), this.inputs[at]));
    this.element = danlu.make("form", { class: "fields", onsubmit: (event) => { event.preventDefault(); changed(); } }, ...rows);
  }

  static input(field, changed) {
    if (!field.values.length) {
      const hint = field.missing ? danlu.say("try-missing") : null;
      return danlu.make("input", { value: String(field.usual), inputmode: field.type === "date" ? "text" : "decimal", autocomplete: "off", maxlength: 500, placeholder: hint, oninput: changed });
    }
    const choices = field.values.map((value) => danlu.make("option", { value, selected: value === field.usual ? "" : null }, value));
    if (field.missing) choices.push(danlu.make("option", { value: "" }, danlu.say("try-missing")));
    return danlu.make("select", { onchange: changed }, ...choices);
  }

  values() { return Object.fromEntries(this.fields.map((field, at) => [field.name, this.inputs[at].value === "" ? null : this.inputs[at].value])); }

  reset() { this.inputs.forEach((input, at) => { input.value = String(this.fields[at].usual); }); }
};
