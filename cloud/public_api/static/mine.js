// One's own suggestions, and their end.

import { ask } from "./api.js";
import { nameOf } from "./slate.js";
import { moment, onLanguage, say } from "./texts.js";
import { byId } from "./view.js";

const PAGE = 20;

let entries = [];
let next = null;

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

/** Erase everything; the proof is on the page afterwards. */
export async function eraseMine() {
  const proof = (await ask("DELETE", "/v1/me")).body;
  byId("proof-id").textContent = proof.proof_id;
  for (const [id, instant] of [
    ["proof-at", proof.erased_at],
    ["proof-online", proof.gone_online_at],
    ["proof-backup", proof.gone_from_backups_at],
  ]) {
    byId(id).textContent = moment(instant);
  }
  entries = [];
}

function render() {
  byId("past").replaceChildren(...entries.map(line));
  byId("history-empty").hidden = entries.length > 0;
  document.querySelector('[data-do="older"]').hidden = next === null;
}

function line(entry) {
  const item = byId("past-one").content.cloneNode(true);
  item.querySelector(".when").textContent = moment(entry.created_at);
  item.querySelector(".which").textContent = entry.slate.map((one) => nameOf(one.flavour, one.name)).join(" · ");
  const bought = item.querySelector(".taken-then");
  const sold = entry.outcome?.lines.map((one) => nameOf(one.flavour)).join(", ");
  bought.hidden = !sold;
  if (sold) say(bought, "history_bought", { flavour: sold });
  return item;
}

onLanguage(() => render());
