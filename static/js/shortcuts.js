// Single keys, as webmail has them. Each presses what the page has anyway; off while one types, and for good where
// one has turned them off (a cookie remembers it; the portal keeps nothing else in a browser).

const NAME = location.protocol === "https:" ? "__Host-shortcuts" : "shortcuts";
const YEAR = 31536000; // seconds
const TYPING = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select";

const dialog = document.querySelector("[data-shortcuts]");

const areOn = () => !document.cookie.split("; ").includes(`${NAME}=off`);

function remember(on) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${NAME}=${on ? "on" : "off"}; Path=/; SameSite=Lax; Max-Age=${YEAR}${secure}`;
}

const isTyping = (it) => it.matches?.(TYPING) || it.isContentEditable;
const first = (selector) => [...document.querySelectorAll(selector)].find((it) => it.checkVisibility());
const rows = () => [...document.querySelectorAll(".row__link")];
// The row one is at: the one with the focus, or else the one whose message is open.
const row = () => document.activeElement.closest(".row") ?? document.querySelector(".row:has([aria-current])");

// A button of the message that is open. None while one is at the row of another, or another is on its way.
function ofOpen(key) {
  const button = first(`[data-shortcut~="${key}"]`);
  const isElsewhere = document.activeElement.closest(".row:not(:has([aria-current]))");
  return isElsewhere || button?.closest("[aria-busy=true]") ? null : button;
}

function move(by) {
  const links = rows();
  const here = row();
  const to = links[here ? links.indexOf(here.querySelector(".row__link")) + by : 0];
  if (!to) return;
  to.focus();
  if (document.querySelector(".room--reading") && to.matches("[data-opens]")) to.click();
}

function tick() {
  const box = row()?.querySelector("[name=entry]");
  box?.click();
}

// What is selected; or else the message that is open; or else the row one is at. From Deleted Items nothing goes by
// a single key: that is for good.
function remove() {
  const button = first("[data-delete]");
  if (document.querySelector("[name=entry]:checked")) return button?.click();
  const open = ofOpen("e");
  if (open) return open.click();
  if (!button || !row()) return;
  tick();
  button.click();
}

function search() {
  const field = first("[data-search], .search__words input");
  if (field) field.focus();
  else first("[data-search-page]")?.click();
}

const press = (key) => () => ofOpen(key)?.click();

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => row()?.querySelector(".row__link").click(),
  x: tick,
  r: press("r"),
  a: press("a"),
  f: press("f"),
  c: () => first("[data-shortcut~=c]")?.click(),
  e: remove,
  "#": remove,
  "/": search,
  "?": () => dialog.showModal(),
};

function pressed(event) {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (!Object.hasOwn(KEYS, key) || ctrlKey || metaKey || altKey || event.defaultPrevented) return;
  if (isTyping(target) || document.querySelector("dialog[open]") || !areOn()) return;
  event.preventDefault();
  KEYS[key]();
}

function start() {
  const box = dialog.querySelector("[type=checkbox]");
  const open = document.querySelector("[data-shortcuts-open]");
  open.hidden = false;
  open.addEventListener("click", () => dialog.showModal());
  box.checked = areOn();
  box.addEventListener("change", () => remember(box.checked));
  // A press beside it closes it, too.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.addEventListener("keydown", pressed);
}

if (dialog) start();
