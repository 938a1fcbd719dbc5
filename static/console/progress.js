/* Keeps a page's progress current until it is finished; without it, "Look again" does. */

const EVERY_MS = 2000;

async function refresh() {
  const shown = document.getElementById("progress");
  if (!shown || shown.dataset.finished === "yes") return;
  // That nobody sat there is what the header says: asking for ever must not keep a session open.
  const how = { redirect: "error", headers: { "X-Asked-By-Script": "yes" } };
  const answer = await fetch(location.href, how).catch(() => null);
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // The facts and buttons beside it, too: what can be done next hangs on what has been done.
    const fresh = page.getElementById("content-main");
    if (fresh) shown.closest("#content-main").replaceWith(fresh);
  }
  setTimeout(refresh, EVERY_MS);
}

setTimeout(refresh, EVERY_MS);
