// Putting things on the page. Names come from a menu that others wrote: they enter as text, never as markup.

import { texts } from "./texts.js";

const COLOUR = /^#[0-9a-f]{6}$/i;
const PLAIN = "#f3e5ab";

const byId = (id) => document.getElementById(id);

const paint = (element, colour) =>
  element.style.setProperty("--flavour", COLOUR.test(colour ?? "") ? colour : PLAIN);

/** Show one of the screens `idle`, `offer` and `thanks`. */
export function showScreen(name) {
  document.body.dataset.screen = name;
  for (const screen of ["idle", "offer", "thanks"]) byId(screen).hidden = screen !== name;
}

/** Put every fixed text into a language. */
export function showLanguage(language) {
  const words = texts(language);
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words[element.dataset.text];
  }
  byId("settings").setAttribute("aria-label", words.settings);
  byId("languages").setAttribute("aria-label", words.language);
  byId("contrast").setAttribute("aria-label", words.contrast);
  for (const button of document.querySelectorAll("[data-language]")) {
    const chosen = button.dataset.language === language;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
}

/** Show a slate: `flavours` are {name, colour}, best first; `source` says whose choice it is. */
export function showOffer(flavours, source, language) {
  const words = texts(language);
  const kind = flavours.length === 0 ? "nothing" : source === "model" ? "model" : "bestsellers";
  byId("offer-title").textContent = words[`${kind}_title`];
  byId("offer-text").textContent = words[`${kind}_text`];
  const pressed = [...byId("cards").querySelectorAll(".card")].map((card) => card.ariaPressed);
  byId("cards").replaceChildren(
    ...flavours.map((flavour, index) => card(flavour, index, words, pressed[index] === "true")),
  );
  const names = flavours.map((flavour, index) => `${index + 1}. ${flavour.name}`).join(", ");
  byId("announcement").textContent = names
    ? `${words[`${kind}_title`]}: ${names}`
    : `${words.nothing_title}. ${words.nothing_text}`;
}

function card(flavour, index, words, pressed) {
  const item = byId("card").content.cloneNode(true);
  const button = item.querySelector(".card");
  paint(button, flavour.colour);
  button.ariaPressed = String(pressed);
  button.ariaLabel = `${index + 1}. ${flavour.name}`;
  item.querySelector(".position").textContent = String(index + 1);
  item.querySelector(".name").textContent = flavour.name;
  item.querySelector(".choice").textContent = words.choice;
  return item;
}

/** Let the next cards arrive as new ones (`true`), or change their words without a stir. */
export function freshCards(fresh) {
  byId("cards").toggleAttribute("data-fresh", fresh);
}

/** Forget which card was touched. */
export function clearChoice() {
  for (const button of document.querySelectorAll(".card")) button.ariaPressed = "false";
}

/** Colour the cones of the resting screen with what is sold here. */
export function showTrio(colours) {
  document.querySelectorAll("#idle .cone").forEach((cone, index) => {
    if (colours.length > 0) paint(cone, colours[index % colours.length]);
  });
}

/** Colour the cone of the thanks with what was bought. */
export function showThanksCone(colour) {
  paint(document.querySelector("#thanks .cone"), colour);
}

/** From the first question on, the page's foot says that nothing is kept without a yes. */
export function promiseToAsk(language) {
  document.querySelector(".privacy").dataset.text = "privacy_asked";
  document.querySelector(".privacy").textContent = texts(language).privacy_asked;
}

/** Say in words whether the agent answers. */
export function showConnection(connected, language) {
  byId("connection").hidden = connected;
  byId("connection").textContent = connected ? "" : texts(language).lost;
}

/** Say something that only screen readers notice. */
export function announce(text) {
  byId("announcement").textContent = text;
}
