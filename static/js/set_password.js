// Ticks the criteria as one types: at once those that a browser can judge; what only the server knows is asked for
// when the typing rests. The server judges all of them on submit.

const region = document.querySelector("[data-criteria]");
const chosen = document.querySelector('[name="new_password"]');
const repeated = document.querySelector('[name="confirm_password"]');
const said = region.querySelector("[data-said]");
const minLength = Number(region.dataset.minLength);
const personal = region.dataset.personal.split(" ").filter(Boolean);
const words = { yes: region.dataset.wordsYes, no: region.dataset.wordsNo, unknown: region.dataset.wordsUnknown };

// The same rule as accounts/password_rules.py: with the words about oneself taken out, too little is left.
const LEET = { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t", 8: "b", "@": "a", $: "s", "!": "i" };
const OWN_CHARACTERS = 8;
const unleet = (text) => text.replace(/[0134578@$!]/g, (letter) => LEET[letter]);

function isPersonal(password) {
  const text = unleet(password.normalize("NFC").toLowerCase());
  const rest = personal.reduce((left, word) => left.replaceAll(unleet(word), ""), text);
  return rest !== text && (rest.match(/[\p{L}\p{N}]/gu) ?? []).length < OWN_CHARACTERS;
}

const advice = region.querySelector("[data-advice]");
const NOTHING_TOLD = { password: "", not_common: null, advice: "" };
let told = NOTHING_TOLD;
let asking;

// By POST, so that a password stands in no address; of several answers, the last one's counts.
async function ask() {
  asking?.abort();
  asking = new AbortController();
  const password = chosen.value;
  const token = chosen.form.elements.csrfmiddlewaretoken.value;
  const body = new URLSearchParams({ csrfmiddlewaretoken: token, new_password: password });
  try {
    const answer = await fetch(region.dataset.ask, { method: "POST", body, signal: asking.signal });
    told = answer.ok ? { password, ...(await answer.json()) } : NOTHING_TOLD;
  } catch {
    return; // overtaken, or no network: the submit judges
  }
  if (advice.textContent !== told.advice) advice.textContent = told.advice;
  judge();
}

const letters = (text) => [...text.normalize("NFC")].length;

const judges = {
  length: () => (chosen.value ? letters(chosen.value) >= minLength : null),
  not_personal: () => (chosen.value ? !isPersonal(chosen.value) : null),
  classes: () =>
    chosen.value
      ? [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{L}\p{N}\s]/u].every((kind) => kind.test(chosen.value))
      : null,
  // Only the server knows the hashes.
  not_reused: () => null,
  equal: () => (repeated.value ? chosen.value === repeated.value : null),
  // Only the server knows the list; what it said of another password says nothing of this one.
  not_common: () => (told.password === chosen.value ? told.not_common : null),
};

function mark(item, met) {
  const state = met === null ? "unknown" : met ? "yes" : "no";
  if (item.dataset.met === state) return "";
  item.dataset.met = state;
  item.querySelector("[data-words]").textContent = words[state];
  return state === "unknown" ? "" : item.textContent.replace(/\s+/g, " ").trim();
}

let changes = new Map();
let pause;

function judge() {
  for (const item of region.querySelectorAll("[data-criterion]")) {
    const rule = judges[item.dataset.criterion];
    const change = rule ? mark(item, rule()) : "";
    if (change) changes.set(item.dataset.criterion, change);
  }
  // Spoken once the typing rests, not at every letter.
  clearTimeout(pause);
  pause = setTimeout(() => {
    said.textContent = [...changes.values()].join(". ");
    changes = new Map();
  }, 900);
}

let rest;

chosen.addEventListener("input", () => {
  clearTimeout(rest);
  advice.textContent = "";
  if (chosen.value) rest = setTimeout(ask, 400);
  judge();
});
repeated.addEventListener("input", judge);
// Once the password is set nobody is there any more who could be answered.
chosen.form.addEventListener("submit", () => {
  clearTimeout(rest);
  asking?.abort();
});
