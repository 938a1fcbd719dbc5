// Choosing many messages at once: all, a range with Shift, none with Escape. The buttons are the form's own.

const form = document.querySelector("[data-folder]");

if (form) {
  const boxes = [...form.querySelectorAll('[name="entry"]')];
  const label = form.querySelector("[data-all]");
  const all = label.querySelector("input");
  const count = form.querySelector("[data-chosen]");
  let last = null;

  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen === 0 ? "" : chosen === 1 ? count.dataset.one : count.dataset.many.replace("%s", chosen);
  };
  const choose = (some, checked) => {
    for (const box of some) box.checked = checked;
    show();
  };

  label.hidden = false;
  all.addEventListener("change", () => choose(boxes, all.checked));
  form.addEventListener("click", ({ target, shiftKey }) => {
    if (!boxes.includes(target)) return;
    if (shiftKey && last) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(target)].sort((a, b) => a - b);
      choose(boxes.slice(from, to + 1), target.checked);
    }
    last = target;
    show();
  });
  document.addEventListener("keydown", ({ key, target }) => {
    const isTyping = target.matches("input:not([type=checkbox])");
    if (key === "Escape" && !isTyping && !document.querySelector("dialog[open]")) choose(boxes, false);
  });
  // Coming back with the browser's button, it has put the ticks back before this runs.
  window.addEventListener("pageshow", show);
}
