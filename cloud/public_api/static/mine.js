// One's own suggestions, and their end.

import { ask } from "./api.js";
import { nameOf } from "./slate.js";
import { hush, moment, onLanguage, say } from "./texts.js";
import { byId } from "./view.js";

const PAGE = 20;
const LOOK_EVERY_MS = 5000;

let entries = [];
let next = null;
let erasure = null;

/** Fetch the newest ones. */
export async function fetchMine() {
  entries = [];
  next = null;
  await fetchOlder();
}

/** Fetch the page after those that are shown. */
export async function fetchOlder() {
  const cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
  const page = (await ask("GET", `/v1/recommendations?limit=${PAGE}${cursor}`)).body;
  entries.push(...page.recommendations);
  next = page.next;
  render();
}

/** Erase everything; returns where to see how far that is, for whoever holds the proof. */
export async function eraseMine() {
  const begun = (await ask("DELETE", "/v1/me")).body;
  entries = [];
  byId("proof-id").textContent = begun.proof;
  byId("proof-status").href = begun.status;
  return begun.status;
}

/** Show how far an erasure is, until it is done or `signal` says that nobody looks any more. */
export async function followErasure(status, signal) {
  for (;;) {
    erasure = (await ask("GET", status, { signal })).body;
    showErasure();
    if (erasure.state === "done") return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    signal.throwIfAborted();
  }
}

function showErasure() {
  for (const [id, instant] of [
    ["proof-at", erasure.asked_at],
    ["proof-online", erasure.online_copies_gone],
    ["proof-backup", erasure.last_backup_gone],
  ]) {
    if (instant === null) say(byId(id), "proof_soon");
    else {
      hush(byId(id));
      byId(id).textContent = moment(instant);
    }
  }
}

function render() {
  byId("past").replaceChildren(...entries.map(line));
  byId("history-empty").hidden = entries.length > 0;
  document.querySelector('[data-do="older"]').hidden = next === null;
}

function line(entry) {
  const item = byId("past-one").content.cloneNode(true);
  item.querySelector("button").dataset.request = entry.request_id;
  item.querySelector(".when").textContent = moment(entry.created_at);
  item.querySelector(".which").textContent = entry.slate.map((one) => nameOf(one.flavour, one.name)).join(" · ");
  const bought = item.querySelector(".taken-then");
  const names = new Map(entry.slate.map((one) => [one.flavour, one.name]));
  const sold = entry.outcome?.lines.map((one) => nameOf(one.flavour, names.get(one.flavour))).join(", ");
  bought.hidden = !sold;
  if (sold) say(bought, "history_bought", { flavour: sold });
  return item;
}

onLanguage(() => {
  render();
  if (erasure) showErasure();
});
