// Files go as soon as they are chosen, with their progress shown. Without script the Attach button sends them.

const form = document.querySelector("form.compose");

function send(section) {
  const request = new XMLHttpRequest();
  const bar = section.querySelector("[data-progress]");
  const data = new FormData(form);
  data.set("action", "attach");

  bar.hidden = false;
  bar.querySelector("button").addEventListener("click", () => request.abort());
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.querySelector("progress").value = loaded / total;
  });
  request.addEventListener("load", () => arrived(section, request));
  request.addEventListener("error", () => fallBack(section));
  request.addEventListener("abort", () => {
    bar.hidden = true;
    section.querySelector('[type="file"]').value = "";
  });
  // Not form.action: that is the form's buttons of this name.
  request.open("POST", form.getAttribute("action") ?? location.href);
  request.send(data);
}

// The answer is the page itself; what it says of files and problems replaces what stands here.
function arrived(section, request) {
  const answer = new DOMParser().parseFromString(request.responseText, "text/html");
  const files = answer.querySelector("[data-attach]");
  if (!request.status.toString().startsWith("2") || !files) return fallBack(section);
  history.replaceState(null, "", request.responseURL);
  section.replaceWith(files);
  for (const region of [".notices", "[data-problems]"]) {
    document.querySelector(region).replaceChildren(...answer.querySelector(region).childNodes);
  }
  ready(files);
  files.querySelector('[type="file"]').focus();
}

// Once more, the plain way: then the browser shows whatever the portal says.
function fallBack(section) {
  form.requestSubmit(section.querySelector('[value="attach"]'));
}

function ready(section) {
  const input = section.querySelector('[type="file"]');
  section.querySelector('[value="attach"]').hidden = true;
  input.addEventListener("change", () => {
    if (input.files.length) send(section);
  });
}

const section = form?.querySelector("[data-attach]");
if (section) ready(section);
