// What is being written is kept as a draft: a few seconds after a change, and when the page is left. Nothing here
// holds up sending. Without script the Save Draft button does it.

const PAUSE = 3000; // milliseconds from a change to its saving, and between a failure and the next try
const LONGEST_PAUSE = 60000;
const LEAVING_BYTES = 60000; // browsers send no more than 64 KiB for a page that is already gone
const LEFT_OUT = ["files", "csrfmiddlewaretoken", "revision", "window"];

const form = document.querySelector("form.compose");
const line = form?.querySelector("[data-saved]");
let saved, timer, request;
let failures = 0;
let isLeaving = false;
let isLoggedOut = false;
let isOver = false; // sent: nothing to save into

const text = () => JSON.stringify([...new FormData(form)].filter(([name]) => !LEFT_OUT.includes(name)));
const isChanged = () => !isLeaving && !isOver && text() !== saved;

function later() {
  timer ??= setTimeout(save, Math.min(PAUSE * 2 ** failures, LONGEST_PAUSE));
}

async function save({ keepalive = false } = {}) {
  timer = clearTimeout(timer);
  if (!isChanged() || (request && !keepalive)) return;
  const written = text();
  request = new AbortController();
  try {
    // Not asked again and again with the text along: first whether one is inside.
    if (isLoggedOut && !(await renewToken())) return failed(line.dataset.loggedOut, true);
    let answer = await post(keepalive);
    // Logged in anew since this page was made: its token is an old one.
    if (answer.status === 403 && (await renewToken())) answer = await post(keepalive);
    if (answer.ok && answer.headers.get("Content-Type") === "application/json") kept(written, await answer.json());
    else refused(answer);
  } catch (error) {
    if (error.name !== "AbortError") failed(line.dataset.unreachable);
  } finally {
    request = undefined;
    if (isChanged()) later();
  }
}

function post(keepalive) {
  const data = new FormData(form);
  data.delete("files");
  data.set("action", "autosave");
  // Not followed: where it leads shows once what it has to say, and that is not for a script.
  const how = { method: "POST", body: data, redirect: "manual", signal: request.signal, keepalive };
  return fetch(form.getAttribute("action"), how);
}

function kept(written, { url, revision, warning, sent }) {
  if (sent) return over();
  saved = written;
  failures = 0;
  isLoggedOut = false;
  form.elements.revision.value = revision;
  form.setAttribute("action", url);
  history.replaceState(history.state, "", url);
  form.querySelector("[data-discard]").hidden = false;
  const now = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: "short", hourCycle: "h23" });
  say(line.dataset.kept.replace("%s", now));
  if (warning) warn(warning);
}

// A redirect leads to the log-in.
function refused(answer) {
  const isOut = answer.type === "opaqueredirect" || answer.status === 403;
  failed(isOut ? line.dataset.loggedOut : line.dataset.unreachable, isOut);
}

// Sent from another window.
function over() {
  isOver = true;
  say(line.dataset.sent);
}

// Whether the same person is logged in; from any page, which brings a token along.
async function renewToken() {
  const page = await fetch(line.dataset.ask, { redirect: "manual" });
  if (!page.ok) return false;
  const told = new DOMParser().parseFromString(await page.text(), "text/html");
  const who = (from) => from.querySelector("[data-person]")?.textContent;
  if (!who(told) || who(told) !== who(document)) return false;
  const token = told.querySelector('[name="csrfmiddlewaretoken"]').value;
  for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token;
  return true;
}

function failed(words, out = false) {
  failures += 1;
  isLoggedOut = out;
  say(words);
  form.querySelector("[data-log-in]").hidden = !out;
}

// Only what is new: the region is read aloud.
function say(words) {
  form.querySelector("[data-log-in]").hidden = true;
  if (line.textContent !== words) line.textContent = words;
}

function warn(words) {
  const notice = document.createElement("div");
  notice.className = "notice notice--warning";
  notice.append(Object.assign(document.createElement("p"), { textContent: words }));
  document.querySelector(".notices").replaceChildren(notice);
}

function leave() {
  if (isChanged()) save({ keepalive: text().length < LEAVING_BYTES });
}

function start() {
  saved = text();
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  // Another script may hold the form back (attach.js): then one is still here.
  form.addEventListener("submit", (event) => {
    setTimeout(() => {
      isLeaving = !event.defaultPrevented;
      if (isLeaving) request?.abort();
    });
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  window.addEventListener("pagehide", leave);
  window.addEventListener("beforeunload", (event) => {
    if (isChanged() && (failures || text().length >= LEAVING_BYTES)) event.preventDefault();
  });
  // Back from where sending led to, with the page as it was.
  window.addEventListener("pageshow", () => (isLeaving = false));
}

if (line) start();
