/* Shows in the page's frame what is typed, while it is typed. Without it, the button above the frame does. */

const frame = document.querySelector("iframe[name=preview]");
const button = document.querySelector("button[formtarget=preview]");
let waiting, latest;

async function show() {
  const asked = (latest = {});
  const answer = await fetch(button.formAction, { method: "POST", body: new FormData(button.form) }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = frame.contentDocument;
  if (asked !== latest || !shown) return;
  // The colours' style sheet alone may change; the others stay, so that nothing flickers.
  const colours = (document) => document.querySelector("link[rel=stylesheet]:last-of-type");
  if (colours(shown)?.href !== colours(page)?.href) colours(shown)?.setAttribute("href", colours(page).getAttribute("href"));
  shown.body.replaceChildren(...page.body.childNodes);
}

if (frame && button) {
  button.form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 300);
  });
}
