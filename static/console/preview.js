/* What a recipient would be told, while the rules are being chosen. Without it, the page says so once saved. */

const told = document.getElementById("told");
const form = told?.closest("form");

async function preview() {
  const shown = document.getElementById("told");
  const answer = await fetch(shown.dataset.url, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  shown.replaceChildren(...page.getElementById("told").children);
}

if (form) {
  told.setAttribute("aria-live", "polite");
  form.addEventListener("change", preview);
}
