// Passkeys: asks the browser to make one or to answer with one, and sends its answer with the form.

const box = document.querySelector("[data-passkey]");
const failed = document.querySelector("[data-passkey-failed]");
const options = JSON.parse(document.getElementById("passkey-options").textContent);

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const opened = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

async function make() {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: opened(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = made.response;
  return packed(made, { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) });
}

async function answer() {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: opened(options.allowCredentials),
  };
  const given = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = given.response;
  return packed(given, {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  });
}

function packed(credential, response) {
  const { id, rawId, type } = credential;
  return JSON.stringify({ id, rawId: text(rawId), type, response, clientExtensionResults: {} });
}

if (window.PublicKeyCredential) {
  box.hidden = false;
  const form = box.closest("form");
  box.querySelector("button").addEventListener("click", async () => {
    failed.hidden = true;
    try {
      form.elements.passkey.value = await (box.dataset.passkey === "create" ? make() : answer());
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
}
