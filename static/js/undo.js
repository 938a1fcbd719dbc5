// An offer to undo shows how much is left of its time, and says when that is over: nothing on the page moves then.
// Without script it stays, and the portal says when it is too late.

const offer = document.querySelector("form[data-milliseconds]");

if (offer) {
  // Counted from when the answer came: the rest of the page may have taken its time.
  const [{ responseStart }] = performance.getEntriesByType("navigation");
  const ends = responseStart + Number(offer.dataset.milliseconds);
  const words = offer.querySelector("[data-left]");
  const show = () => {
    const left = Math.ceil((ends - performance.now()) / 1000);
    if (left > 0) return (words.textContent = words.dataset.many.replace("%s", left));
    clearInterval(clock);
    const button = offer.querySelector("button");
    if (button === document.activeElement) document.querySelector("main").focus();
    button.disabled = true;
    words.textContent = words.dataset.over;
    words.removeAttribute("aria-hidden");
    document.dispatchEvent(new CustomEvent("say", { detail: words.dataset.over }));
  };
  const clock = setInterval(show, 250);
  // Heard once, in full, when the page opens; the seconds are for looking at.
  words.setAttribute("aria-hidden", "true");
  show();
}
