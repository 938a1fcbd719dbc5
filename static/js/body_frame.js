// The message's frame grows with its content, so that the page scrolls and nothing scrolls inside it.
// The frame runs no script; it is of our own origin, so this page may measure it.

function follow(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  frame.dataset.follows = "";
  const fit = () => {
    frame.style.blockSize = `${Math.ceil(page.body.getBoundingClientRect().height) + 2}px`;
  };
  // Pictures that finish decoding and text that wraps anew change the body's size, too.
  new ResizeObserver(fit).observe(page.body);
  fit();
}

// Keys pressed in it mean what they mean on the page around it.
function passKeysOn(frame) {
  frame.contentDocument?.addEventListener("keydown", (event) => {
    if (!frame.dispatchEvent(new KeyboardEvent(event.type, event))) event.preventDefault();
  });
}

function loaded(frame) {
  follow(frame);
  passKeysOn(frame);
}

// Whenever it comes: pane.js puts one beside the list.
document.addEventListener("load", ({ target }) => target.matches?.("iframe[data-follow]") && loaded(target), true);
for (const frame of document.querySelectorAll("[data-follow]")) {
  if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") loaded(frame);
}
