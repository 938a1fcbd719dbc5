// What is being written is kept as a draft: a few seconds after a change, and when the page is left. Nothing here
// holds up sending. Without script the Save Draft button does it.

const PAUSE = 3000; // milliseconds from a change to its saving, and between a failure and the next try
const LONGEST_PAUSE = 60000;
const LEAVING_BYTES = 60000; // browsers send no more than 64 KiB for a page that is already gone
const LEFT_OUT = ["files", "csrfmiddlewaretoken", "revision", "window", "missing"];

const form = document.querySelector("form.compose");
const line = form?.querySelector("[data-saved]");
let saved, timer, request;
let failures = 0;
let isLeaving = false;
let isLoggedOut = false;
let isUnreachable = false;
let left; // the text that was sent off when the page was being left
let isHasty = false; // leaving though saving took too long
let isOver = false; // sent: nothing to save into

const text = () => JSON.stringify([...new FormData(form)].filter(([name]) => !LEFT_OUT.includes(name)));
const isChanged = () => !isLeaving && !isOver && text() !== saved;
const bytes = () => new Blob([text()]).size;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

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
    if (isLoggedOut && !(await renewToken())) return failed(line.dataset.loggedOut, { out: true });
    let answer = await post(keepalive);
    // Logged in anew since this page was made: its token is an old one.
    if (answer.status === 403 && (await renewToken())) answer = await post(keepalive);
    if (answer.ok && answer.headers.get("Content-Type") === "application/json") kept(written, await answer.json());
    else refused(answer);
  } catch (error) {
    if (error.name !== "AbortError") failed(line.dataset.unreachable, { unreachable: true });
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

function kept(written, { url, revision, warning, sent, at }) {
  isUnreachable = false;
  if (sent) return over();
  saved = written;
  failures = 0;
  isLoggedOut = isUnreachable = false;
  form.elements.revision.value = revision;
  form.setAttribute("action", url);
  history.replaceState(null, "", url);
  form.querySelector("[data-discard]").hidden = false;
  say(line.dataset.kept.replace("%s", at));
  if (warning) warn(warning);
}

// A redirect leads to the log-in.
function refused(answer) {
  const isOut = answer.type === "opaqueredirect" || answer.status === 403;
  failed(isOut ? line.dataset.loggedOut : line.dataset.unreachable, { out: isOut });
}

// Sent from another window.
function over() {
  isOver = true;
  say(line.dataset.sent);
}

// Whether the same person is logged in, perhaps anew: then with the token of their session (session.js).
function renewToken() {
  return new Promise((resolve) => document.dispatchEvent(new CustomEvent("token", { detail: resolve })));
}

function failed(words, { out = false, unreachable = false } = {}) {
  left = undefined;
  failures += 1;
  isLoggedOut = out;
  isUnreachable = unreachable;
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

// Sent off before the request for the next page is, which may list the drafts.
function leave() {
  if (!isChanged() || left === text()) return;
  left = text();
  history.replaceState({ left: form.getAttribute("action") }, "");
  save({ keepalive: bytes() < LEAVING_BYTES });
}

// Nothing answers: the page that a form leads to would not come either, and this one with its text be gone.
async function sendOnceReached(button) {
  // A form is not sent again while it is asked whether it may be.
  await Promise.all([save(), pause(0)]);
  if (!isChanged()) isUnreachable = false; // nothing that could be lost
  if (isUnreachable) say(line.dataset.unsent);
  else form.requestSubmit(button);
}

// Another form of the page, logging out: after it nothing can be saved.
async function saveBefore(other, button) {
  const ends = performance.now() + 3000;
  while (isChanged() && !failures && performance.now() < ends) {
    await Promise.race([save(), pause(3000)]);
    await pause(50); // one may have been on its way, with less of the text
  }
  isHasty = isChanged();
  isLeaving = !isHasty;
  other.dataset.afterSaving = "done";
  if (button) other.requestSubmit(button);
  else other.submit();
  delete other.dataset.afterSaving; // still here where the question before leaving is answered with no
}

function start() {
  saved = text();
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  // A file has made another draft of it (attach.js), of what was in the form when the file went off.
  form.addEventListener("moved", () => {
    saved = undefined;
    later();
  });
  form.addEventListener("submit", (event) => {
    if (isUnreachable && !event.defaultPrevented) {
      event.preventDefault();
      sendOnceReached(event.submitter);
    }
    isLeaving = !event.defaultPrevented;
    // Another script may hold the form back: then one is still here.
    setTimeout(() => {
      isLeaving = !event.defaultPrevented;
      if (isLeaving) request?.abort();
    });
  });
  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (target === form || event.defaultPrevented || target.method === "dialog" || !isChanged()) return;
    if (target.dataset.afterSaving === "done") return;
    event.preventDefault();
    if (target.dataset.afterSaving) return; // pressed twice
    target.dataset.afterSaving = "waits";
    saveBefore(target, submitter);
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  window.addEventListener("pagehide", leave);
  window.addEventListener("beforeunload", (event) => {
    leave();
    const isAtRisk = isOver ? text() !== saved : isChanged() && (isHasty || failures || bytes() >= LEAVING_BYTES);
    if (isAtRisk && !isLeaving) event.preventDefault();
  });
  // Back from where sending led to, with the page as it was.
  window.addEventListener("pageshow", () => (isLeaving = false));
}

// Back at the empty page on which it was begun: what was sent off in leaving is a draft now, if it arrived.
async function openLeft(url) {
  const answer = await fetch(url, { method: "HEAD", redirect: "manual" });
  if (answer.ok && !isChanged()) location.replace(url);
}

if (line) start();
const begun = history.state?.left;
if (line && begun && begun !== location.pathname) openLeft(begun).catch(() => {});
