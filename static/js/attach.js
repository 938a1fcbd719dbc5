// Files go as soon as they are chosen, dropped or pasted, one after the other, each with its progress. Without script the
// Attach button sends them.

const form = document.querySelector("form.compose");
const waiting = []; // of uploads, in their order
let current = null;
let heldBack = null; // name and value of the button that was pressed while files were still on their way
let warnedOf = []; // rows of files that are not attached: sending goes on without them when it is pressed again

const DOUBLE_CLICK = 700; // milliseconds in which it is not pressed again

const say = (words) => document.dispatchEvent(new CustomEvent("say", { detail: words }));
const list = () => form.querySelector("[data-uploads]");
const words = () => list().dataset;
const notice = () => form.querySelector("[data-holding]");
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

  start() {
    const request = new XMLHttpRequest();
    this.request = request;
    this.tries += 1;
    this.show(words().going, { progress: true });
    request.upload.addEventListener("progress", ({ loaded, total }) => (this.bar.value = loaded / total));
    // All of it is there: what is left is short, and cannot be taken back by breaking off.
    request.upload.addEventListener("load", () => (this.buttons.cancel.hidden = true));
    request.addEventListener("load", () => this.arrived());
    request.addEventListener("error", () => this.broke());
    // Not form.action: that is the form's buttons of this name.
    request.open("POST", form.getAttribute("action") ?? location.href);
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
  arrived() {
    const answer = new DOMParser().parseFromString(this.request.responseText, "text/html");
    const isPage = this.request.status >= 200 && this.request.status < 300 && answer.querySelector("[data-attach]");
    if (!isPage) return this.failed();
    const refusal = answer.querySelector(".notices .notice--error");
    refusal?.remove();
    takeOver(answer, this.request.responseURL);
    // Beside its file, and not where the answer about the next one takes its place.
    if (refusal) this.turnedDown(refusal.textContent.trim());
    else this.attached();
    next();
  }

  attached() {
    this.end();
    say(about(words().attached, this.file.name));
  }

  // Once more by itself: a connection that broke is often there again.
  broke() {
    if (this.tries < 2) return setTimeout(() => current === this && this.start(), 1000);
    this.failed();
  }

  failed() {
    if (this.request.status === 403) this.outdated = true;
    this.refuse(words().failed, { again: true });
    next();
  }

  // By the portal, which mostly names the file.
  turnedDown(why) {
    this.refuse(why);
    this.row.querySelector("bdi").hidden = why.includes(this.file.name);
  }

  refuse(why, { again = false } = {}) {
    this.show(why, { again, refused: true });
    say(`${this.file.name}: ${why} ${this.stop()}`.trim());
  }

  // What was to go with it does not go without it.
  stop() {
    const button = letGo();
    if (!button) return "";
    const told = tell(about(notDone(button), this.file.name), { warning: true });
    this.row.scrollIntoView({ block: "center" });
    return told;
  }

  show(state, { progress = false, again = false, refused = false } = {}) {
    this.said.textContent = state;
    this.row.classList.toggle("upload--refused", refused);
    this.bar.hidden = !progress;
    this.bar.value = 0;
    this.buttons.cancel.firstChild.data = refused ? words().dismiss : words().cancel;
    this.buttons.cancel.hidden = false;
    this.buttons.again.hidden = !again;
  }

  async again() {
    this.show(words().waits);
    hush();
    this.buttons.cancel.focus();
    this.tries = 0;
    if (this.outdated) await renewedToken().catch(() => {});
    this.outdated = false;
    if (!this.row.isConnected) return; // cancelled meanwhile
    waiting.push(this);
    if (!current) next();
  }

  cancel() {
    if (this.row.matches(".upload--refused")) return this.dismiss();
    const isCurrent = current === this;
    const at = waiting.indexOf(this);
    if (at >= 0) waiting.splice(at, 1);
    this.request?.abort();
    const told = heldBack && isSending(heldBack) ? this.stop() : "";
    this.end();
    say(told || `${this.file.name}: ${words().cancelled}`);
    if (isCurrent) next();
  }

  dismiss() {
    this.end();
    hush();
  }

  end() {
    const hadFocus = this.row.contains(document.activeElement);
    this.row.remove();
    if (hadFocus) form.querySelector('[type="file"]').focus();
  }
}

function takeOver(answer, url) {
  const section = form.querySelector("[data-attach]");
  const hadFocus = section.contains(document.activeElement) || document.activeElement === document.body;
  const page = answer.querySelector("form.compose");
  const files = answer.querySelector("[data-attach]");
  history.replaceState(history.state, "", url);
  form.setAttribute("action", page.getAttribute("action"));
  form.elements.revision.value = page.querySelector('[name="revision"]').value;
  form.querySelector("[data-discard]").hidden = false;
  section.replaceWith(files);
  // What is asked among the problems stays: the button that is held back may be the answer.
  for (const region of heldBack ? [".notices"] : [".notices", "[data-problems]"]) {
    document.querySelector(region).replaceChildren(...answer.querySelector(region).childNodes);
  }
  ready(files);
  if (hadFocus) files.querySelector('[type="file"]').focus({ preventScroll: true });
}

function next() {
  current = waiting.shift() ?? null;
  if (current) return current.start();
  const button = letGo();
  if (!button) return;
  // Looked up anew: it may have stood beside a file, in what has been replaced since.
  const same = [...form.elements].find(({ name, value }) => name === button.name && value === button.value);
  form.requestSubmit(same ?? standIn(button));
}

// What it was pressed for holds, though it stands there no more.
function standIn({ name, value }) {
  const button = Object.assign(document.createElement("button"), { name, value, hidden: true });
  form.append(button);
  return button;
}

// Logged in anew since this page was made: session.js asks for the token of the new session.
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
  if (heldBack) return;
  notice().hidden = true;
  warnedOf = [];
}

function notDone(button) {
  if (isSending(button)) return words().notSent;
  return button.value === "save" ? words().notSaved : words().notDone;
}

function add(files) {
  hush();
  const most = Number(words().maxBytes);
  for (const file of files) {
    const upload = new Upload(file);
    if (file.size > most) upload.refuse(words().tooLarge);
    else {
      upload.show(words().waits);
      waiting.push(upload);
    }
  }
  if (!current) next();
}

function ready(section) {
  const input = section.querySelector('[type="file"]');
  section.querySelector('[value="attach"]').hidden = true;
  section.querySelector("[data-drop]").hidden = false;
  input.addEventListener("change", () => {
    const chosen = [...input.files];
    input.value = "";
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
    const { files, words } = held(event.clipboardData);
    if (!files.length || words) return;
    event.preventDefault();
    event.stopPropagation();
    add(files);
  };
  document.addEventListener("paste", take, true);
}

// Not parsed: each style in it would be reported as a breach of our policy.
function held(clipboard) {
  const html = clipboard?.getData("text/html") ?? "";
  const words = html.replace(/<!--.*?-->|<(style|script|title)\b.*?<\/\1>|<[^>]*>|&nbsp;/gis, "").trim();
  return { files: [...(clipboard?.files ?? [])], words };
}

// What was dropped or chosen belongs to the message: it is sent when all of it is there.
function holdBack() {
  let isDiscarded = false;
  form.addEventListener("submit", (event) => {
    isDiscarded = event.submitter?.value === "discard";
    if (isDiscarded || event.defaultPrevented) return;
    if (isSending(event.submitter) && !isToldOf(missing())) warn(missing());
    else if (current) hold(event.submitter);
    else return;
    event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => {
    if (current && !isDiscarded) event.preventDefault();
  });
}

const isToldOf = (rows) => rows.every((row) => warnedOf.includes(row));

function warn(rows) {
  const { oneMissing, manyMissing } = words();
  const names = rows.map(nameIn).join(", ");
  say(tell(about(rows.length > 1 ? manyMissing : oneMissing, names), { warning: true }));
  setTimeout(() => (warnedOf = rows), DOUBLE_CLICK);
}

function hold({ name, value }) {
  heldBack = { name, value };
  say(tell(isSending(heldBack) ? words().holds : words().waitsFor));
}

const section = form?.querySelector("[data-attach]");
if (section) {
  ready(section);
  dropping();
  pasting();
  holdBack();
}
