// What a page has done, for those who hear it: any script says it by an event, and what a new page brings along
// (a notice, the offer to undo) is said once the page is there. A region is read only when it changes.

const region = document.querySelector("[data-say]");

if (region) {
  document.addEventListener("say", ({ detail }) => (region.textContent = detail));
  const brought = [...document.querySelectorAll("[data-aloud]")].map((it) => it.innerText.trim()).filter(Boolean);
  // After an action, how many are left to read, too.
  const folder = document.querySelector(".folders [aria-current]:has(.folders__count)");
  if (brought.length && folder) brought.push(folder.textContent.replace(/\s+/g, " ").trim());
  if (brought.length) setTimeout(() => (region.textContent = brought.join(" ")), 500);
}
