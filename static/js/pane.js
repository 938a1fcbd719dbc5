// The message beside its list, where there is room. The address is the message's own: reloading, or opening it in
// another window, shows its page, and going back leads to the list. Less room, or no script: the page, as ever.

const room = document.querySelector("[data-room]");
// Paper is narrower than the window that stays as it is.
const WIDE = matchMedia("print, (min-width: 1100px)");
const TYPING = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select";

class Pane {
  constructor() {
    this.pane = room.querySelector("[data-reading]");
    this.content = this.pane.querySelector("[data-content]");
    this.list = { url: location.pathname + location.search, title: document.title };
    room.addEventListener("click", (event) => this.clicked(event));
    this.pane.querySelector("[data-close]").addEventListener("click", () => history.back());
    window.addEventListener("popstate", () => this.follow());
    document.addEventListener("keydown", (event) => this.press(event), true);
    // A window made narrow shows the page instead: its address is in the bar already.
    WIDE.addEventListener("change", () => this.isOpen && location.reload());
  }

  get isOpen() {
    return !this.pane.hidden;
  }

  clicked(event) {
    const link = event.target.closest("a[data-opens]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || !WIDE.matches) return;
    event.preventDefault();
    this.open(link);
  }

  // Its page, as anybody gets it who opens it: so it counts as read. Whatever is not a message is shown by itself.
  async open(link) {
    this.asked?.abort();
    this.mark(link);
    // Back on the row of what is shown: nothing is fetched again, and no key pressed meanwhile is lost.
    if (this.isOpen && link.pathname + link.search === this.opened) return this.settle();
    this.asked = new AbortController();
    // Until it is there, what is shown is not what is marked: no key is to act on it (shortcuts.js).
    this.content.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.href, { signal: this.asked.signal, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const message = page.querySelector("article.message");
      if (!answer.ok || answer.redirected || !message) return location.assign(link.href);
      this.show(link, page, message);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(link.href);
    }
  }

  show(link, page, message) {
    const isHere = location.href === link.href;
    if (!isHere) history[this.isOpen ? "replaceState" : "pushState"]({}, "", link.href);
    this.opened = link.pathname + link.search;
    document.title = page.title;
    for (const form of message.querySelectorAll("form:has([name=entry])")) {
      form.querySelector("[name=next]").value = this.list.url;
    }
    below(message);
    this.content.replaceChildren(message);
    this.pane.hidden = false;
    this.pane.scrollTop = 0;
    room.classList.add("room--reading");
    read(link.closest(".row"));
    count(page);
    link.scrollIntoView({ block: "nearest" });
    this.settle();
  }

  // What is shown is what is marked: keys are about it, and reading begins at its heading.
  settle() {
    const heading = this.content.querySelector("#subject");
    this.content.removeAttribute("aria-busy");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  mark(link) {
    for (const other of room.querySelectorAll("a[aria-current]")) other.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "true");
  }

  // Where the browser's buttons have led.
  follow() {
    const here = location.pathname + location.search;
    if (this.isOpen && here === this.opened) return; // to a place within it
    this.asked?.abort();
    if (!this.isOpen) this.mark(null); // what was on its way stays away
    if (here === this.list.url) return this.close();
    const link = [...room.querySelectorAll("a[data-opens]")].find(({ pathname, search }) => pathname + search === here);
    if (link && WIDE.matches) this.open(link);
    else location.reload();
  }

  close() {
    if (!this.isOpen) return;
    const link = room.querySelector("a[aria-current]");
    this.pane.hidden = true;
    this.content.replaceChildren();
    room.classList.remove("room--reading");
    document.title = this.list.title;
    this.mark(null);
    link?.focus();
  }

  // First what is selected goes (folder.js), then the message. In a field it is the field's.
  press({ key, target, defaultPrevented }) {
    const isTyping = target.matches(TYPING) || target.isContentEditable;
    const isTaken = defaultPrevented || isTyping || document.querySelector("dialog[open], [name=entry]:checked");
    if (key === "Escape" && this.isOpen && !isTaken) history.back();
  }
}

// The list's heading stands over the message's: each goes one step down.
function below(message) {
  for (const level of [2, 1]) {
    for (const heading of message.querySelectorAll(`h${level}`)) {
      const lower = document.createElement(`h${level + 1}`);
      for (const { name, value } of heading.attributes) lower.setAttribute(name, value);
      lower.classList.add(`as-h${level}`);
      lower.replaceChildren(...heading.childNodes);
      heading.replaceWith(lower);
    }
  }
}

function read(row) {
  row.classList.remove("row--unread");
  row.querySelector("[data-unread]")?.remove();
}

// The counts as they are now, and said when they changed.
function count(page) {
  const folders = document.querySelector(".folders");
  const current = () => folders.querySelector("[aria-current]")?.textContent.replace(/\s+/g, " ").trim();
  const before = current();
  const here = folders.querySelector("[aria-current]")?.getAttribute("href");
  folders.replaceChildren(...page.querySelector(".folders").childNodes);
  // The message may lie elsewhere: it was found by a search.
  for (const link of folders.querySelectorAll("a")) {
    if (link.getAttribute("href") === here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (current() !== before) document.dispatchEvent(new CustomEvent("say", { detail: current() }));
}

if (room) new Pane();
// A message's page that was reloaded beside its list: the browser goes back without loading anything.
else {
  const here = location.pathname;
  window.addEventListener("popstate", () => location.pathname === here || location.reload());
}
