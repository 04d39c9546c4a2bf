// The customer's page: events in, one of three calm screens out.

import { confirmDisplayed } from "./confirm.js";
import * as consent from "./consent.js";
import { follow } from "./connection.js";
import { arrowKeys } from "./keyboard.js";
import { chooseLanguage, texts } from "./texts.js";
import * as view from "./view.js";

const THANKS_MS = 6000;
const OFFER_MS = 120_000; // a slate that nobody ended is not left for the next customer

const asked = new URLSearchParams(location.search);
const shopLanguage = chooseLanguage([asked.get("language") ?? "", ...navigator.languages]);
const shopContrast = asked.get("contrast") === "high";

let language = shopLanguage;
let catalogue = new Map();
let offer = null; // the newest `recommendation` event while it is shown
let connected = true;
let timer = 0;

function named(line) {
  const flavour = catalogue.get(line.flavour);
  return { name: flavour?.names?.[language] ?? line.name, colour: flavour?.colour };
}

function render() {
  view.showLanguage(language);
  view.showConnection(connected, language);
  if (offer) view.showOffer(offer.top3.map(named), offer.source, language);
}

function after(milliseconds, action) {
  clearTimeout(timer);
  timer = setTimeout(action, milliseconds);
}

function rest() {
  clearTimeout(timer);
  consent.hide();
  offer = null;
  view.announce("");
  language = shopLanguage; // the next customer may speak another one
  setContrast(shopContrast);
  view.showScreen("idle");
  render();
}

function thank(lines) {
  offer = null;
  view.showThanksCone(catalogue.get(lines[0]?.flavour)?.colour);
  view.showScreen("thanks");
  view.announce(texts(language).thanks_title);
  after(THANKS_MS, rest);
}

function recommend(event) {
  consent.hide();
  offer = event;
  view.clearChoice();
  view.freshCards(true);
  view.showScreen("offer");
  render();
  after(OFFER_MS, rest);
  confirmDisplayed(event.interaction_id, () => offer === event);
}

function onEvent(kind, data) {
  if (kind === "recommendation") recommend(data);
  else if (kind === "menu" || kind === "model") loadMenu();
  else if (kind === "consent") onConsent(data);
  else if (offer && data.interaction_id === offer.interaction_id) {
    if (kind === "outcome") thank(data.lines);
    else if (kind === "expired") rest();
  }
}

function onConsent(data) {
  view.promiseToAsk(language);
  if (data.state === "asked") {
    if (data.ask_on_display && offer?.interaction_id === data.interaction_id) {
      consent.ask(data.interaction_id, data.answer_within_s, language, data.handover);
    }
  } else if (data.state === "granted" && data.method === "phone") {
    consent.thankPhone(data.interaction_id);
  } else if (["expired", "superseded", "refused", "failed", "stopping"].includes(data.state)) {
    if (consent.stands(data.interaction_id)) consent.hide();
  }
}

async function loadMenu() {
  try {
    const answer = await fetch("/v1/menu");
    if (!answer.ok) return;
    const menu = await answer.json();
    catalogue = new Map(menu.flavours.map((flavour) => [flavour.id, flavour]));
    view.showTrio(menu.flavours.filter((flavour) => flavour.in_stock).map((flavour) => flavour.colour));
    render();
  } catch {
    // Names then come with each recommendation, in the shop's language; the next connection tries again.
  }
}

function setLanguage(chosen) {
  language = chosen;
  view.freshCards(false);
  render();
  consent.translate(language);
}

function setContrast(high) {
  document.documentElement.dataset.contrast = high ? "high" : "normal";
  document.getElementById("contrast").ariaPressed = String(high);
}

document.getElementById("languages").addEventListener("click", (event) => {
  const button = event.target.closest("[data-language]");
  if (button) setLanguage(button.dataset.language);
});
document.getElementById("contrast").addEventListener("click", (event) => {
  setContrast(event.currentTarget.ariaPressed !== "true");
});
document.getElementById("cards").addEventListener("click", (event) => {
  const button = event.target.closest(".card");
  if (!button) return;
  const pressed = button.ariaPressed === "true";
  view.clearChoice();
  button.ariaPressed = String(!pressed);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") rest();
});
arrowKeys(document.getElementById("languages"), (button) => setLanguage(button.dataset.language));
arrowKeys(document.getElementById("cards"));

consent.listen();
setContrast(shopContrast);
render();
follow("/v1/events", onEvent, (state) => {
  if (state && (!connected || catalogue.size === 0)) loadMenu();
  connected = state;
  view.showConnection(connected, language);
});
