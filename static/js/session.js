// Two minutes before the session ends the page says so and offers to stay. What was asked here is no activity
// (/session/); pressing the button is. Other windows of the same session may have moved the end meanwhile, or one has
// logged in anew there: then this page's forms get the new session's token.

const box = document.querySelector("[data-session]");
const POLL_EVERY = 15;

if (box) {
  const form = box.querySelector("form");
  const left = box.querySelector("[data-session-left]");
  const warning = box.querySelector("[data-session-warning]");
  const over = box.querySelector("[data-session-over]");
  // Two minutes; where the whole is shorter than four, half of it.
  const WARN_BEFORE = Math.min(120, Number(box.dataset.session) / 2);
  let timer;
  let ends = performance.now() + Number(box.dataset.session) * 1000;

  const secondsLeft = () => Math.max(0, Math.round((ends - performance.now()) / 1000));

  async function ask() {
    const answer = await fetch(box.dataset.sessionUrl, { headers: { Accept: "application/json" } });
    ends = performance.now() + (await answer.json()).seconds * 1000;
  }

  function show() {
    const seconds = secondsLeft();
    const soon = seconds <= WARN_BEFORE;
    if (!soon) {
      box.hidden = true;
      return;
    }
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    warning.hidden = seconds === 0;
    over.hidden = seconds > 0;
    box.hidden = false;
    // Nothing confidential stays on the screen, unless somebody was writing: what they wrote is theirs.
    if (seconds === 0 && !document.querySelector("textarea")) location.reload();
  }

  async function tick() {
    let wait = secondsLeft() - WARN_BEFORE;
    if (wait <= 0) {
      try {
        await ask();
      } catch {
        // No network for a moment: what was known before still holds.
      }
      show();
      wait = secondsLeft() - WARN_BEFORE;
    }
    clearTimeout(timer);
    const pause = wait > 0 ? wait : Math.min(POLL_EVERY, secondsLeft());
    if (secondsLeft() > 0) timer = setTimeout(tick, Math.max(1, pause) * 1000);
  }

  // Whether the same person is logged in; from any page, which brings a token along.
  async function renewToken() {
    const page = await fetch(box.dataset.ask, { redirect: "manual" });
    if (!page.ok) return false;
    const told = new DOMParser().parseFromString(await page.text(), "text/html");
    const who = (from) => from.querySelector("[data-person]")?.textContent;
    if (!who(told) || who(told) !== who(document)) return false;
    const token = told.querySelector('[name="csrfmiddlewaretoken"]').value;
    for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token;
    return true;
  }

  const stay = () =>
    fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
    });

  document.addEventListener("token", ({ detail }) => detail(renewToken()));
  over.querySelector("[data-close]").addEventListener("click", () => (box.hidden = true));

  setInterval(() => box.hidden || secondsLeft() === 0 || show(), 1000);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      let answer = await stay();
      if (answer.status === 403 && (await renewToken())) answer = await stay();
      ends = performance.now() + (await answer.json()).seconds * 1000;
    } catch {
      await ask().catch(() => {});
    }
    show();
    tick();
  });
  // A computer that slept: the clock went on.
  const look = () => {
    show();
    tick();
  };
  document.addEventListener("visibilitychange", () => document.hidden || ask().then(look, () => {}));
  tick();
}
