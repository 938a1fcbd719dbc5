// Whom one may mean, while typing an address: a combobox as the ARIA practices describe it. Nothing is chosen by
// itself: a message to the wrong person is worse than a name typed to its end.

const PAUSE = 150; // milliseconds
const LEAST = 2; // letters
const SEPARATORS = ",;\n";

const form = document.querySelector("form.compose");

// Where the address the caret is in begins and ends; a comma within quotes separates nothing.
function itemAt(text, caret) {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < caret; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (!isQuoted && SEPARATORS.includes(text[at])) start = at + 1;
  }
  const rest = [...text.slice(caret)].findIndex((letter) => SEPARATORS.includes(letter));
  return { start, end: rest < 0 ? text.length : caret + rest };
}

// As it is written in a list of addresses. A group is its name.
function asTyped({ address, name }) {
  if (!name || name === address || !address.includes("@")) return address;
  return `${/[",;:<>@()]/.test(name) ? `"${name.replaceAll('"', "'")}"` : name} <${address}>`;
}

class Completion {
  people = [];
  chosen = -1;

  constructor(input) {
    this.input = input;
    this.list = document.createElement("ul");
    this.list.id = `${input.id}_people`;
    this.list.className = "combo__people";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", form.dataset.suggestions);
    const box = document.createElement("div");
    box.className = "combo";
    // Moved, a field loses the focus that it may have by now.
    const hasFocus = document.activeElement === input;
    input.replaceWith(box);
    box.append(input, this.list);
    if (hasFocus) input.focus();
    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(roles)) input.setAttribute(name, value);
    // The browser's own list would lie over ours.
    input.autocomplete = "off";
    this.close();
    this.listen();
  }

  listen() {
    this.input.addEventListener("input", () => this.ask());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("blur", () => this.close());
    // A press must not take the focus away before it has chosen.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.take([...this.list.children].indexOf(option));
    });
  }

  get item() {
    return itemAt(this.input.value, this.input.selectionStart);
  }

  ask() {
    clearTimeout(this.timer);
    const { start } = this.item;
    const typed = this.input.value.slice(start, this.input.selectionStart).trim();
    if (typed.length < LEAST) return this.close();
    this.timer = setTimeout(async () => {
      const people = await look(typed);
      const isStill = this.input.value.slice(this.item.start, this.input.selectionStart).trim() === typed;
      if (isStill && document.activeElement === this.input) this.open(people);
    }, PAUSE);
  }

  open(people) {
    this.people = people;
    this.list.replaceChildren(...people.map((person, number) => this.option(person, number)));
    this.list.hidden = people.length === 0;
    this.choose(-1);
    this.input.setAttribute("aria-expanded", String(people.length > 0));
    const { one, many } = { one: form.dataset.oneFound, many: form.dataset.manyFound };
    this.say(people.length > 1 ? many.replace("%s", people.length) : people.length ? one : "");
  }

  option({ address, name }, number) {
    const option = document.createElement("li");
    option.id = `${this.list.id}_${number}`;
    option.setAttribute("role", "option");
    const parts = name && name !== address ? [name, address] : [address];
    for (const [part, text] of parts.entries()) {
      const span = Object.assign(document.createElement("span"), { textContent: text });
      if (part) span.className = "person__address";
      option.append(span, " ");
    }
    return option;
  }

  get isOpen() {
    return !this.list.hidden;
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.choose(-1);
    this.input.setAttribute("aria-expanded", "false");
  }

  choose(number) {
    this.chosen = number;
    for (const [at, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(at === number));
      if (at === number) option.scrollIntoView({ block: "nearest" });
    }
    if (number < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.list.id}_${number}`);
  }

  press(event) {
    if (event.isComposing || !this.isOpen) return;
    const last = this.people.length - 1;
    const steps = {
      ArrowDown: () => this.choose(this.chosen < last ? this.chosen + 1 : 0),
      ArrowUp: () => this.choose(this.chosen > 0 ? this.chosen - 1 : last),
      Enter: () => (this.chosen < 0 ? this.close() : this.take(this.chosen)),
      Escape: () => this.close(),
    };
    if (event.key === "Tab" && this.chosen >= 0) this.take(this.chosen);
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    steps[event.key]();
  }

  take(number) {
    const { start, end } = this.item;
    const before = this.input.value.slice(0, start).trimEnd();
    const after = this.input.value.slice(end).replace(/^[\s,;]+/, "");
    const begun = `${before ? `${before} ` : ""}${asTyped(this.people[number])}, `;
    this.input.value = begun + after;
    this.input.setSelectionRange(begun.length, begun.length);
    this.close();
    this.say(form.dataset.added.replace("%s", this.people[number].address));
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  say(words) {
    document.dispatchEvent(new CustomEvent("say", { detail: words }));
  }
}

// An answer that fails is none: one goes on typing.
async function look(typed) {
  const data = new FormData();
  data.set("typed", typed);
  data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  try {
    const answer = await fetch(form.dataset.complete, { method: "POST", body: data, redirect: "manual" });
    return answer.ok ? (await answer.json()).people : [];
  } catch {
    return [];
  }
}

for (const name of ["to", "cc", "bcc"]) {
  const input = form?.elements[name];
  if (input) new Completion(input);
}
