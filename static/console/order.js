/* The order of a list by dragging its rows, or with the arrow keys on a row's handle. It only fills in the position
   fields, which work without it; Save keeps them. */

const table = document.getElementById("result_list");
const fields = table ? [...table.querySelectorAll("input[name$='-position']")] : [];

function renumber() {
  table.querySelectorAll("tbody input[name$='-position']").forEach((field, index) => {
    field.value = index + 1;
  });
}

function move(row, before) {
  row.parentNode.insertBefore(row, before);
  renumber();
}

/* Listened for on the page: an element that is moved about loses the pointer it had captured. */
function drag(row) {
  row.classList.add("is-dragged");
  const follow = (event) => {
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("#result_list tbody tr");
    if (!over || over === row) return;
    const box = over.getBoundingClientRect();
    move(row, event.clientY < box.top + box.height / 2 ? over : over.nextElementSibling);
  };
  const stop = () => {
    row.classList.remove("is-dragged");
    document.removeEventListener("pointermove", follow);
  };
  document.addEventListener("pointermove", follow);
  document.addEventListener("pointerup", stop, { once: true });
  document.addEventListener("pointercancel", stop, { once: true });
}

function handle(row, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "drag-handle";
  button.textContent = "↕";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.addEventListener("keydown", (event) => {
    const next = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling?.nextElementSibling };
    if (!(event.key in next) || (event.key === "ArrowUp" && !next.ArrowUp)) return;
    event.preventDefault();
    move(row, next[event.key] ?? null);
    button.focus();
  });
  button.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    drag(row);
  });
  return button;
}

for (const field of fields) {
  field.before(handle(field.closest("tr"), field.dataset.handle));
}
