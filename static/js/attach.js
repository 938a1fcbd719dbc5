// Files go as soon as they are chosen, dropped or pasted, one after the other, each with its progress. Without script the
// Attach button sends them.

const form = document.querySelector("form.compose");
const waiting = []; // of uploads, in their order
const unsettled = new Set(); // uploads that went off, of which nothing has told yet what became of them
let current = null;
let heldBack = null; // name and value of the button that was pressed while files were still on their way

const DOUBLE_CLICK = 700; // milliseconds in which it is not pressed again
const PAUSE = 1000; // milliseconds after which a connection that broke is often there again
const MOST_NAMES = 3; // in a sentence
const LONGEST = 20000; // milliseconds that the draft's page may take

const say = (words) => document.dispatchEvent(new CustomEvent("say", { detail: words }));
const list = () => form.querySelector("[data-uploads]");
const words = () => list().dataset;
const notice = () => form.querySelector("[data-holding]");
const address = () => form.getAttribute("action"); // not form.action: that is the form's buttons of this name
const isSending = ({ value }) => value.startsWith("send");
const missing = () => [...list().querySelectorAll(".upload--refused")];
const nameIn = (row) => row.querySelector("bdi").textContent;
// Not the name itself: "$&" in it would be read as more than that.
const about = (sentence, name) => sentence.replace("%s", () => name);

class Upload {
  constructor(file) {
    this.file = file;
    this.row = form.querySelector("[data-upload]").content.firstElementChild.cloneNode(true);
    this.row.querySelector("bdi").textContent = file.name;
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", file.name);
    this.said = this.row.querySelector("[data-state]");
    this.buttons = Object.fromEntries([...this.row.querySelectorAll("button")].map((it) => [it.dataset.do, it]));
    for (const button of Object.values(this.buttons)) button.querySelector(".unheard").textContent = ` ${file.name}`;
    this.buttons.cancel.addEventListener("click", () => this.cancel());
    this.buttons.again.addEventListener("click", () => this.again());
    list().append(this.row);
    this.tries = 0;
  }

  queue() {
    this.isUnsure = false;
    this.show(words().waits, { cancel: !unsettled.has(this) });
    waiting.push(this);
    if (!current) next();
  }

  start() {
    return unsettled.has(this) ? this.look() : this.send();
  }

  async send() {
    this.show(words().going, { progress: true });
    // Logged in anew since it was tried: session.js asks for the token of the new session.
    if (this.request) await renewedToken().catch(() => {});
    if (current !== this) return; // cancelled meanwhile
    const request = new XMLHttpRequest();
    this.request = request;
    this.tries += 1;
    unsettled.add(this);
    request.upload.addEventListener("progress", ({ loaded, total }) => (this.bar.value = loaded / total));
    // All of it is there: what is left is short, and cannot be taken back by breaking off.
    request.upload.addEventListener("load", () => this.offer("cancel", false));
    request.addEventListener("load", () => this.answered());
    request.addEventListener("error", () => this.look());
    request.open("POST", address());
    request.send(this.data());
  }

  data() {
    const data = new FormData(form);
    // Not "attach": what is written and saved while the file is on its way is newer than what goes with it.
    data.set("action", "upload");
    data.set("files", this.file);
    return data;
  }

  // The answer is the page itself; what it says of files and problems replaces what stands here.
  answered() {
    const { status, responseText, responseURL } = this.request;
    const page = pageIn(responseText);
    if (status >= 500) return this.look({ again: false }); // perhaps in the portal's place, which is still at it
    if (status >= 300 || !page) {
      unsettled.delete(this);
      return this.failed();
    }
    form.elements.revision.value = page.querySelector('[name="revision"]').value;
    takeOver(page, responseURL);
    if (unsettled.has(this) && !this.turnedDown()) this.attached();
    next();
  }

  // That no answer came does not mean that the file is not there: the draft's page tells, before it goes once more by
  // itself or is left out.
  async look({ again = true } = {}) {
    this.show(words().looks, { cancel: false });
    const page = await new Promise((resolve) => setTimeout(resolve, PAUSE)).then(draftPage).catch(() => undefined);
    if (page) takeOver(page, address());
    if (!unsettled.has(this) || (page && this.turnedDown())) return next();
    this.isUnsure = page === undefined;
    if (this.isUnsure || this.tries > 1 || !again) return this.failed();
    if (!this.isUnwanted) return this.send();
    this.leave(words().dismissed);
    next();
  }

  attached() {
    const told = this.isUnwanted && this.stop(words().afterAll);
    this.end();
    say(told || about(words().attached, this.file.name));
  }

  failed() {
    this.refuse(this.isUnsure ? words().unsure : words().failed, { again: true });
    next();
  }

  // By the portal, which mostly names the file; beside it, and not where the answer about the next one takes its place.
  turnedDown() {
    const refusal = document.querySelector(".notices .notice--error");
    if (!refusal) return false;
    const why = refusal.textContent.trim();
    refusal.remove();
    unsettled.delete(this);
    this.refuse(why);
    this.row.querySelector("bdi").hidden = why.includes(`“${this.file.name}”`);
    return true;
  }

  refuse(why, { again = false } = {}) {
    this.show(why, { again, refused: true });
    say(`${this.file.name}: ${why} ${this.stop()}`.trim());
  }

  // What was to go with it does not go without it.
  stop(sentence = this.isUnsure ? words().notKnown : undefined) {
    const button = letGo();
    if (!button) return "";
    const told = tell(about(sentence ?? notDone(button), this.file.name), { warning: true });
    this.row.scrollIntoView({ block: "center" });
    return told;
  }

  show(state, { progress = false, again = false, refused = false, cancel = true } = {}) {
    this.said.textContent = state;
    this.row.classList.toggle("upload--refused", refused);
    delete this.row.dataset.told;
    this.bar.hidden = !progress;
    this.bar.value = 0;
    this.buttons.cancel.firstChild.data = refused ? words().dismiss : words().cancel;
    this.offer("cancel", cancel);
    this.offer("again", again);
  }

  offer(name, is) {
    if (!is && this.buttons[name] === document.activeElement) input().focus();
    this.buttons[name].hidden = !is;
  }

  again() {
    hush();
    this.isUnwanted = false;
    this.retry();
    this.buttons.cancel.focus();
  }

  retry() {
    this.tries = 0;
    this.queue();
  }

  cancel() {
    if (this.row.matches(".upload--refused")) return this.dismiss();
    const isCurrent = current === this;
    const at = waiting.indexOf(this);
    if (at >= 0) waiting.splice(at, 1);
    this.request?.abort();
    const told = heldBack && isSending(heldBack) ? this.stop() : "";
    this.leave(words().cancelled);
    if (told) say(told);
    if (isCurrent) next();
  }

  dismiss() {
    hush();
    if (!unsettled.has(this)) return this.leave(words().dismissed);
    this.isUnwanted = true;
    this.retry();
  }

  leave(how) {
    this.end();
    say(`${this.file.name}: ${how}`);
  }

  end() {
    const hadFocus = this.row.contains(document.activeElement);
    unsettled.delete(this);
    this.row.remove();
    if (hadFocus) input().focus();
  }
}

const input = () => form.querySelector('[type="file"]');

function pageIn(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  return page.querySelector("[data-attach]") && page;
}

// The page of this draft as it is now; null: there is no draft. Rejects where that cannot be told.
async function draftPage() {
  const answer = await fetch(address(), { redirect: "manual", signal: AbortSignal.timeout(LONGEST) });
  // It leads elsewhere once the draft has been sent, and where one is not logged in any more.
  if (answer.status === 404 || (answer.type === "opaqueredirect" && (await renewedToken()))) return null;
  const page = answer.ok && pageIn(await answer.text());
  if (!page) throw new Error(`${answer.status} ${address()}`);
  return page;
}

// What is asked among the problems stays: the files have not answered it.
function takeOver(page, url) {
  const known = removers().map(({ value }) => value);
  const focused = document.activeElement;
  const action = page.querySelector("form.compose").getAttribute("action");
  const isAnotherDraft = action !== address();
  history.replaceState(null, "", url);
  form.setAttribute("action", action);
  form.querySelector("[data-discard]").hidden = false;
  for (const region of [".notices", "[data-files]"]) {
    document.querySelector(region).replaceChildren(...page.querySelector(region).childNodes);
  }
  if (!focused.isConnected) (removers().find(({ value }) => value === focused.value) ?? input()).focus({ preventScroll: true });
  for (const button of removers()) if (!known.includes(button.value)) isThere(nameIn(button.closest("li")));
  if (isAnotherDraft) form.dispatchEvent(new CustomEvent("moved"));
}

const removers = () => [...form.querySelectorAll("[name=remove]")];

// Whoever's answer lists it. As the portal writes it: systems differ in how they make up an "ü".
function isThere(name) {
  [...unsettled].find(({ file }) => file.name.normalize() === name)?.attached();
}

function next() {
  current = waiting.shift() ?? null;
  if (current) return current.start();
  const button = letGo();
  if (button) form.requestSubmit(standIn(button));
}

// What it was pressed for holds, though it may have stood beside a file, in what has been replaced since.
function standIn({ name, value }) {
  const button = Object.assign(document.createElement("button"), { name, value, hidden: true });
  form.append(button);
  return button;
}

function renewedToken() {
  return new Promise((resolve) => document.dispatchEvent(new CustomEvent("token", { detail: resolve })));
}

function letGo() {
  const button = heldBack;
  heldBack = null;
  if (button) notice().hidden = true;
  return button;
}

// Where one has pressed.
function tell(text, { warning = false } = {}) {
  notice().textContent = text;
  notice().classList.toggle("notice--warning", warning);
  notice().hidden = false;
  notice().scrollIntoView({ block: "nearest" });
  return text;
}

// What was told of the files may hold no longer.
function hush() {
  if (!heldBack) notice().hidden = true;
}

const notDone = (button) => (isSending(button) ? words().notSent : words().notDone);

function add(files) {
  hush();
  const most = Number(words().maxBytes);
  for (const file of files) {
    const upload = new Upload(file);
    if (file.size > most) upload.refuse(words().tooLarge);
    else upload.queue();
  }
}

function choosing() {
  form.querySelector('[value="attach"]').hidden = true;
  form.querySelector("[data-drop]").hidden = false;
  input().addEventListener("change", () => {
    const chosen = [...input().files];
    input().value = "";
    add(chosen);
  });
}

// Files dropped anywhere on the page are meant for the message: not to be opened in its place, and not for the editor.
function dropping() {
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  const over = (is) => form.classList.toggle("compose--drop", is);
  const take = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over(event.type !== "drop");
    if (event.type === "drop") drop(event.dataTransfer);
  };
  for (const name of ["dragenter", "dragover", "drop"]) document.addEventListener(name, take, true);
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || over(false));
}

function drop({ items }) {
  const entries = [...items].filter(({ kind }) => kind === "file");
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory;
  const folders = entries.filter(isFolder).map((item) => item.webkitGetAsEntry().name);
  add(entries.filter((item) => !isFolder(item)).map((item) => item.getAsFile()));
  for (const name of folders) new Upload({ name }).refuse(words().noFolders);
}

// A screenshot, say. Where words came along, as office programs add a picture of what they copy, the words are meant.
function pasting() {
  const take = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || hasWords(event.clipboardData)) return;
    event.preventDefault();
    event.stopPropagation();
    add(files);
  };
  document.addEventListener("paste", take, true);
}

// Not parsed: each style in it would be reported as a breach of our policy.
function hasWords(clipboard) {
  const html = clipboard.getData("text/html");
  return html.replace(/<!--.*?-->|<(style|script|title)\b.*?<\/\1>|<[^>]*>|&nbsp;/gis, "").trim() !== "";
}

// What was dropped or chosen belongs to the message: it is sent when all of it is there.
function holdBack() {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const { submitter } = event;
    for (const upload of unsettled) if (upload.isUnsure) upload.retry();
    if (isSending(submitter) && !missing().every(isTold)) warn(missing());
    else if (current) hold(submitter);
    else return goesWithout(submitter);
    event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => current && event.preventDefault());
}

// The page that comes says once more what is not attached: the rows that say so are not in it.
function goesWithout(button) {
  form.elements.missing.value = isSending(button) ? "" : names(missing());
}

const isTold = ({ dataset }) => "told" in dataset;

function names(rows) {
  const shown = rows.slice(0, MOST_NAMES).map(nameIn).join(", ");
  const more = rows.length - MOST_NAMES;
  return more > 0 ? about(words().andMore.replace("%d", more), shown) : shown;
}

function warn(rows) {
  const { oneMissing, manyMissing } = words();
  say(tell(about(rows.length > 1 ? manyMissing : oneMissing, names(rows)), { warning: true }));
  rows[0].scrollIntoView({ block: "center" });
  setTimeout(() => rows.forEach(({ dataset }) => (dataset.told = "")), DOUBLE_CLICK);
}

function hold({ name, value }) {
  heldBack = { name, value };
  say(tell(isSending(heldBack) ? words().holds : words().waitsFor));
}

if (form?.querySelector("[data-attach]")) {
  choosing();
  dropping();
  pasting();
  holdBack();
}
