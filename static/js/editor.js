// Rich text over the plain field. The field stays what is sent: whatever fails here, it remains.

const TAGS = [
  ..."a b blockquote br code div em h1 h2 h3 hr i li ol p pre s strong sub sup u ul".split(" "),
  ..."table thead tbody tfoot tr td th".split(" "),
];
const ATTRIBUTES = ["href", "colspan", "rowspan"];
const LINK = /^(https?:\/\/|mailto:)/i;

// Not what makes it safe, DOMPurify is: but even parsed aside, each style of Word's and each handler would be
// reported as a breach of our policy.
const unstyled = (html) =>
  html
    .replace(/<style[\s\S]*?<\/style>/gi, "")
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\s(?:style|on\w+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi, ""));

// Nothing styled: pasted text looks like the rest of the letter, and our policy allows no style attribute.
function clean(html) {
  const fragment = window.DOMPurify.sanitize(unstyled(html), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: LINK,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  return document.importNode(fragment, true);
}

const escaped = (text) => {
  const box = document.createElement("div");
  box.textContent = text;
  return box.innerHTML;
};

const asHtml = (text) =>
  text
    .split(/\r?\n/)
    .map((line) => `<div>${escaped(line) || "<br>"}</div>`)
    .join("");

const inside = (editor, tag) => new RegExp(`(^|>)${tag}(\\W|$)`).test(editor.getPath());

// name → is it on here, and what a press does.
const TOOLS = {
  bold: [(e) => e.hasFormat("B"), (e, on) => (on ? e.removeBold() : e.bold())],
  italic: [(e) => e.hasFormat("I"), (e, on) => (on ? e.removeItalic() : e.italic())],
  underline: [(e) => e.hasFormat("U"), (e, on) => (on ? e.removeUnderline() : e.underline())],
  bullets: [(e) => inside(e, "UL"), (e, on) => (on ? e.removeList() : e.makeUnorderedList())],
  numbers: [(e) => inside(e, "OL"), (e, on) => (on ? e.removeList() : e.makeOrderedList())],
  quote: [(e) => inside(e, "BLOCKQUOTE"), (e, on) => (on ? e.decreaseQuoteLevel() : e.increaseQuoteLevel())],
  plain: [null, (e) => e.removeAllFormatting()],
};

function start(field) {
  const frame = document.querySelector("[data-editor]").content.firstElementChild.cloneNode(true);
  const page = frame.querySelector("[data-page]");
  const editor = new window.Squire(page, { sanitizeToDOMFragment: clean, blockTag: "DIV" });
  const written = document.querySelector("[data-written]");
  editor.setHTML(written ? written.content.textContent : asHtml(field.value));

  label(field, page);
  field.after(frame);
  field.hidden = true;
  keepInStep(editor, page, field);
  toolbar(editor, frame, page);
  // Words with a picture of them; a picture alone is a file to attach (attach.js).
  editor.addEventListener("pasteImage", ({ detail }) => {
    editor.insertHTML(detail.clipboardData.getData("text/html"), true);
  });
  if (field.autofocus) editor.focus().moveCursorToStart();
  // Last: from here on what is sent is HTML.
  field.form.elements.body_format.value = "html";
}

function label(field, page) {
  const words = document.querySelector(`label[for="${field.id}"]`);
  words.id = `${field.id}_label`;
  words.addEventListener("click", () => page.focus());
  page.setAttribute("aria-labelledby", words.id);
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (field.hasAttribute(name)) page.setAttribute(name, field.getAttribute(name));
  }
}

function keepInStep(editor, page, field) {
  const copy = () => {
    field.value = page.textContent.trim() || page.querySelector("hr, table, li") ? editor.getHTML() : "";
  };
  editor.addEventListener("input", () => {
    copy();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.form.addEventListener("submit", copy);
  field.form.addEventListener("formdata", ({ formData }) => {
    copy();
    formData.set("body", field.value);
  });
  copy();
}

function toolbar(editor, frame, page) {
  const bar = frame.querySelector("[role=toolbar]");
  const buttons = [...bar.querySelectorAll("button")];
  const panel = linkPanel(editor, frame);

  const show = () => {
    for (const button of buttons) {
      const isOn = TOOLS[button.dataset.tool]?.[0];
      if (isOn) button.setAttribute("aria-pressed", String(Boolean(isOn(editor))));
    }
  };
  const press = (button) => {
    const name = button.dataset.tool;
    if (name === "link") return panel.open();
    const [isOn, act] = TOOLS[name];
    act(editor, isOn ? isOn(editor) : false);
    editor.focus();
    show();
  };
  // One stop for Tab, arrows between the buttons.
  const rest = (button) => buttons.forEach((other) => (other.tabIndex = other === button ? 0 : -1));

  rest(buttons[0]);
  // A press must not take the selection away from the text.
  bar.addEventListener("mousedown", (event) => event.preventDefault());
  bar.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) press(button);
  });
  bar.addEventListener("keydown", (event) => {
    const to = step(buttons, event);
    if (!to) return;
    event.preventDefault();
    rest(to);
    to.focus();
  });
  page.addEventListener("keydown", (event) => {
    if (event.altKey && event.key === "F10") buttons.find((button) => button.tabIndex === 0).focus();
  });
  for (const change of ["pathChange", "select", "cursor"]) editor.addEventListener(change, show);
}

function step(buttons, { key, target }) {
  const here = buttons.indexOf(target);
  const forward = getComputedStyle(target).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backward = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const places = { [forward]: here + 1, [backward]: here - 1, Home: 0, End: -1 };
  return key in places ? buttons.at(places[key] % buttons.length) : null;
}

function linkPanel(editor, frame) {
  const panel = frame.querySelector("[data-link]");
  const address = panel.querySelector("input");
  const wrong = panel.querySelector("[data-wrong]");
  const close = () => {
    panel.hidden = true;
    editor.focus();
  };
  const set = () => {
    const typed = address.value.trim();
    const url = LINK.test(typed) ? typed : typed.includes("@") ? `mailto:${typed}` : `https://${typed}`;
    // Chromium takes a space in a host name for part of it.
    wrong.hidden = /^\S+$/.test(typed) && URL.canParse(url);
    address.setAttribute("aria-invalid", String(!wrong.hidden));
    if (!wrong.hidden) return address.focus();
    close();
    editor.makeLink(url);
  };
  const remove = () => {
    close();
    editor.removeLink();
  };
  const actions = { set, remove, close };
  panel.addEventListener("click", ({ target }) => actions[target.closest("button")?.dataset.do]?.());
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.target !== address) return;
    event.preventDefault();
    set();
  });
  const open = () => {
    const at = editor.getSelection().commonAncestorContainer;
    const link = (at.nodeType === Node.TEXT_NODE ? at.parentElement : at).closest("a");
    address.value = link?.getAttribute("href") ?? "";
    panel.querySelector('[data-do="remove"]').hidden = !link;
    wrong.hidden = true;
    address.removeAttribute("aria-invalid");
    panel.hidden = false;
    address.focus();
  };
  return { open };
}

const field = document.querySelector('textarea[name="body"]');

if (field && window.Squire && window.DOMPurify?.isSupported) {
  try {
    start(field);
  } catch (error) {
    document.querySelector(".editor")?.remove();
    field.hidden = false;
    field.form.elements.body_format.value = "plain";
    console.error(error);
  }
}
