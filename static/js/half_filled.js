// A date of which only a part is filled in reaches the portal as none at all. Before a message goes, the page with its
// draft is made anew or a search is made, the browser says what is missing. Only discarding is not held up.

document.addEventListener(
  "submit",
  (event) => {
    const { target, submitter } = event;
    if (submitter?.value === "discard") return;
    const half = [...target.elements].find(({ validity }) => validity?.badInput);
    if (!half) return;
    event.preventDefault();
    half.reportValidity();
  },
  true, // before what other scripts do when a form is sent
);
