// The page: events fill the cards, pictures the cameras, one button stops both.

import { ChainPanel } from "./chain-panel.js";
import { CloudPanel } from "./cloud-panel.js";
import { setText } from "./elements.js";
import { quantiles } from "./format.js";
import { PhoneStrip } from "./phone-strip.js";
import { watchPictures } from "./pictures.js";
import { RegisterCard } from "./register-card.js";
import { ReleaseStrip } from "./release-strip.js";

const SPEAK_EVERY_MS = 20_000;
const STILL_PICTURE_MS = 2_000; // for people who asked for reduced motion
const RETRY_MS = 2_000;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const find = (id) => document.getElementById(id);

let chains = new Map();
let cards = new Map();
let order = [];
let panel = null;
let strip = null;
let phones = null;
let lastShown = [];
let lastSpoken = performance.now();
let events = null;
let pictures = null;
let ended = false;

function tellConnection(state, words) {
  find("connection").dataset.state = state;
  setText(find("connection"), words);
}

function build(state) {
  chains = new Map(state.chains.map((chain) => [chain.id, new ChainPanel(chain)]));
  cards = new Map(state.registers.map((register) => [register.id, new RegisterCard(register)]));
  order = state.registers.map((register) => register.id);
  lastShown = order.map(() => -Infinity);
  for (const register of state.registers) chains.get(register.chain).node.append(cards.get(register.id).node);
  panel = state.cloud === null ? null : new CloudPanel();
  strip = state.cloud?.releases ? new ReleaseStrip(state.cloud.releases) : null;
  phones = state.cloud?.phones ? new PhoneStrip(state.cloud.phones) : null;
  const parts = [...chains.values()].map((chain) => chain.node);
  if (phones !== null) parts.unshift(phones.node);
  if (strip !== null) parts.unshift(strip.node);
  if (panel !== null) parts.push(panel.node);
  find("shops").classList.toggle("with-cloud", panel !== null);
  find("shops").replaceChildren(...parts);
  if (panel !== null) {
    for (const card of cards.values()) card.connect(plug);
    for (const register of state.registers) cards.get(register.id).update(register);
    cloud(state.cloud);
  }
  score(state.scores);
}

function cloud(news) {
  for (const register of news.registers) cards.get(register.id).send(register);
  panel.update(news);
  if (strip !== null) strip.update(news.releases);
  if (phones !== null) phones.update(news.phones);
}

async function plug(register, plugged) {
  const order = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ plugged }) };
  const answer = await fetch(`/cables/${register}`, order).catch(() => null);
  if (!answer?.ok) alert("The cable could not be moved: the demo does not answer.");
}

function refresh(state) {
  for (const register of state.registers) cards.get(register.id).update(register);
  for (const chain of state.chains) chains.get(chain.id).chart.replace(chain.history);
  if (panel !== null && state.cloud !== null) cloud(state.cloud);
  score(state.scores);
}

function score(scores) {
  setText(find("customers"), String(scores.interactions));
  setText(find("inference"), quantiles(scores.latency_ms.inference));
  setText(find("request"), quantiles(scores.latency_ms.request));
  for (const [id, chain] of chains) chain.update(scores.chains[id], scores.t_s);
  if (performance.now() - lastSpoken > SPEAK_EVERY_MS) {
    lastSpoken = performance.now();
    setText(find("spoken"), [...chains].map(([id, chain]) => chain.spoken(scores.chains[id])).join(" "));
  }
}

function change(register) {
  cards.get(register.id).update(register);
  const closed = [...cards.values()].filter((card) => card.node.dataset.phase === "closed");
  if (closed.length > 0) alert(`An agent ended by itself: ${closed.map((card) => card.shop).join(", ")}. The terminal shows its last words.`);
}

function alert(words) {
  find("alert").hidden = false;
  setText(find("alert"), words);
}

function listen() {
  events = new EventSource("/live/events");
  events.addEventListener("state", ({ data }) => {
    const state = JSON.parse(data);
    const same = order.length > 0 && order.join() === state.registers.map((register) => register.id).join();
    // A page that only lost its connection keeps its elements, and with them focus and open tables.
    if (same) refresh(state);
    else build(state);
    tellConnection("live", "live");
  });
  events.addEventListener("register", ({ data }) => change(JSON.parse(data)));
  events.addEventListener("cloud", ({ data }) => cloud(JSON.parse(data)));
  events.addEventListener("scores", ({ data }) => score(JSON.parse(data)));
  events.addEventListener("end", () => {
    ended = true;
    stop();
    tellConnection("ended", "ended");
    find("pause").disabled = true;
    alert("The demo has ended. Start it again and reload this page.");
  });
  events.addEventListener("error", () => tellConnection("lost", "connection lost, trying again"));
}

function show(position, jpeg) {
  const now = performance.now();
  if (still.matches && now - lastShown[position] < STILL_PICTURE_MS) return;
  lastShown[position] = now;
  cards.get(order[position])?.draw(jpeg);
}

async function look() {
  const mine = new AbortController();
  pictures = mine;
  while (!mine.signal.aborted) {
    try {
      await watchPictures(show, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      console.warn("camera pictures:", error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function stop() {
  events?.close();
  pictures?.abort();
  events = pictures = null;
}

function start() {
  listen();
  if (!document.hidden) look();
}

const paused = () => find("pause").getAttribute("aria-pressed") === "true";

find("pause").addEventListener("click", () => {
  find("pause").setAttribute("aria-pressed", String(!paused()));
  if (paused()) {
    stop();
    tellConnection("paused", "paused");
  } else {
    start();
  }
});

// Nobody sees a hidden tab's cameras; its numbers go on.
document.addEventListener("visibilitychange", () => {
  if (ended || paused()) return;
  if (document.hidden) pictures?.abort();
  else if (pictures === null || pictures.signal.aborted) look();
});

start();
