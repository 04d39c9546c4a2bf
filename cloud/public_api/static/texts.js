// Every word that a script says, from the same file as the server's; the switch changes the page where it stands.

const { static: folder, chain, title, languageCookie } = document.body.dataset;
const YEAR_S = 31_536_000;

let words = {};
const listeners = [];

export let language = document.documentElement.lang;

/** One text with its `{names}` filled in. */
export function text(key, values = {}) {
  const known = { chain, ...values };
  return words[key].replace(/\{(\w+)\}/g, (_, name) => String(known[name]));
}

/** Put a text into an element; it follows the language from then on. */
export function say(element, key, values = {}) {
  element.dataset.text = key;
  element.dataset.values = JSON.stringify(values);
  element.textContent = text(key, values);
}

/** Let an element say nothing. */
export function hush(element) {
  delete element.dataset.text;
  element.textContent = "";
}

/** Call this whenever the language changed; for what is more than a text. */
export function onLanguage(listener) {
  listeners.push(listener);
}

export const number = (value, options) => new Intl.NumberFormat(language, options).format(value);

export const moment = (instant) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));

async function load(chosen) {
  const answer = await fetch(`${folder}/${chosen}.json`);
  if (!answer.ok) throw new Error(`no texts: ${answer.status}`);
  words = await answer.json();
  language = chosen;
}

function relabel(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text, JSON.parse(element.dataset.values ?? "{}"));
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}

async function change(chosen) {
  await load(chosen);
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${languageCookie}=${chosen}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
  document.documentElement.lang = chosen;
  document.title = `${text(title)} · ${chain}`;
  relabel(document);
  for (const template of document.querySelectorAll("template")) relabel(template.content);
  for (const listener of listeners) listener();
}

const select = document.getElementById("language");
select.addEventListener("change", () => {
  // Without the texts the form asks the server, as it does without scripts.
  change(select.value).catch(() => select.form.submit());
});
// A page that the browser kept may be older than the choice.
select.value = language;

await load(language);
