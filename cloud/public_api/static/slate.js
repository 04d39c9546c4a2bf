// Three flavours as cards, how likely each is in words, and which one was bought.

import { hush, language, number, onLanguage, say, text } from "./texts.js";
import { announce, byId } from "./view.js";

const COLOUR = /^#[0-9a-f]{6}$/i;
const PLAIN = "#f3e5ab";
const WORDS = [
  [0.5, "likely_very"],
  [0.25, "likely_good"],
  [0.1, "likely_quite"],
  [0, "likely_try"],
];

let menu = new Map();
let shownAnswer = null;

/** Know the chain's flavours: {flavour, names, colour}. */
export function learn(flavours) {
  menu = new Map(flavours.map((one) => [one.flavour, one]));
}

/** A flavour's name in the page's language; `written` is what the answer itself says. */
export function nameOf(flavour, written) {
  const names = menu.get(flavour)?.names ?? {};
  const offered = shownAnswer?.slate.find((offer) => offer.flavour === flavour)?.name;
  return names[language] ?? names.en ?? written ?? offered ?? flavour;
}

/** Show an answer; `bought(flavour)` is called when one is tapped. */
export function showSlate(answer) {
  shownAnswer = answer;
  byId("cards").toggleAttribute("data-fresh", true);
  if (answer.slate.length > 0) say(byId("bought"), "bought_ask");
  else hush(byId("bought"));
  render();
  mark(answer.outcome?.lines[0]?.flavour);
  const names = answer.slate.map((offer) => nameOf(offer.flavour, offer.name));
  announce(`${text(`${kind()}_title`)}: ${names.join(", ")}`);
}

/** Mark what was bought; none with undefined. */
export function mark(flavour) {
  for (const card of byId("cards").querySelectorAll(".card")) {
    card.setAttribute("aria-pressed", String(card.dataset.flavour === flavour));
  }
  const others = byId("others");
  const other = [...others.options].some((option) => option.value === flavour);
  others.value = other ? flavour : "";
}

/** How likely, in words; best-sellers have no number. */
export function likely(offer) {
  if (offer.probability === null) return "likely_favourite";
  return WORDS.find(([least]) => offer.probability >= least)?.[1] ?? "likely_try";
}

function kind() {
  if (shownAnswer.slate.length === 0) return "nothing";
  return shownAnswer.source === "model" ? "result" : "bestsellers";
}

function render() {
  const { slate } = shownAnswer;
  say(byId("result-title"), `${kind()}_title`);
  say(byId("result-text"), `${kind()}_text`);
  byId("cards").replaceChildren(...slate.map(card));
  const offered = new Set(slate.map((offer) => offer.flavour));
  const others = [...menu.keys()]
    .filter((flavour) => !offered.has(flavour))
    .map((flavour) => new Option(nameOf(flavour), flavour))
    .sort((one, two) => one.text.localeCompare(two.text, language));
  byId("others").replaceChildren(new Option(`${text("bought_other")} …`, ""), ...others);
  byId("others").hidden = slate.length === 0 || others.length === 0;
}

function card(offer) {
  const item = byId("card").content.cloneNode(true);
  const button = item.querySelector(".card");
  const colour = menu.get(offer.flavour)?.colour ?? "";
  button.style.setProperty("--flavour", COLOUR.test(colour) ? colour : PLAIN);
  button.dataset.flavour = offer.flavour;
  button.dataset.do = "bought";
  item.querySelector(".name").textContent = nameOf(offer.flavour, offer.name);
  const words = item.querySelector(".likely");
  say(words, likely(offer));
  if (offer.probability !== null) {
    words.title = number(offer.probability, { style: "percent", maximumFractionDigits: 0 });
  }
  return item;
}

onLanguage(() => {
  if (!shownAnswer) return;
  const pressed = byId("cards").querySelector('[aria-pressed="true"]')?.dataset.flavour;
  const other = byId("others").value;
  byId("cards").toggleAttribute("data-fresh", false);
  render();
  mark(pressed ?? (other || undefined));
});
