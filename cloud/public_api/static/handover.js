// Where a register's code leads: one question, two equal answers, and a yes that can be taken back right here.

import { ask, enter, Refused } from "./api.js";
import { shownNotice } from "./notice.js";
import { language, onLanguage, say } from "./texts.js";
import { byId, leaveTrouble, listen, show, showTrouble, shown } from "./view.js";

const { code } = document.body.dataset;
const HERE = `/c/${code}`;
const path = `/v1/handovers/${encodeURIComponent(code)}`;
const READY_TRIES = 10; // the register's notice is a moment behind its code

const SECTIONS = {
  open: "question",
  refused: "refused",
  given: "thanks",
  sent: "thanks",
  kept: "thanks",
  withdrawn: "withdrawn",
};

/** Nothing was kept: nobody answered in time, or the register did not. */
class Over extends Error {
  trouble = "over";
}

let handover = null; // as the API last told it
let resume = () => {};

async function step(action) {
  leaveTrouble();
  resume = () => step(action);
  const buttons = document.querySelectorAll("section:not(#trouble) [data-do]");
  for (const button of buttons) button.disabled = true;
  try {
    await action();
  } catch (error) {
    console.info(error);
    showTrouble(error, { resume, goal: HERE });
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function begin() {
  await enter();
  handover = await read();
  say(byId("where"), "handover_where", { store: handover.store, chain: handover.chain });
  if (handover.notice) shownNotice(handover.notice);
  showState();
}

function showState() {
  if (handover.state === "over") throw new Over();
  show(SECTIONS[handover.state]);
}

async function read() {
  for (let left = READY_TRIES; ; left -= 1) {
    try {
      return (await ask("GET", `${path}?language=${language}`)).body;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (["not-found", "invalid"].includes(error.slug)) throw new Over(error.message); // no code of this chain
      if (error.slug !== "not-ready" || left === 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, error.retryAfterS)));
    }
  }
}

async function answer(granted) {
  const { notice } = handover;
  const yes = { notice_sha256: notice?.sha256, language: notice?.language, purposes: notice?.purposes };
  const told = (await ask("POST", path, { body: granted ? { granted, ...yes } : { granted } })).body;
  handover = { ...handover, ...told, notice };
  showState();
}

async function withdraw() {
  await ask("DELETE", `/v1/handovers/${encodeURIComponent(handover.handover_id)}`);
  show("withdrawn");
}

listen({
  yes: () => step(() => answer(true)),
  no: () => step(() => answer(false)),
  withdraw: () => step(withdraw),
  reread: () => step(begin),
  resume: () => resume(),
});

// Another language is another text with another digest; until it is there, the old one stands and counts.
onLanguage(() => {
  if (shown() !== "question") return;
  read().then((told) => {
    if (!told.notice) return;
    handover = told;
    shownNotice(told.notice);
  }, console.info);
});

if (document.body.dataset.loggedIn === "yes") step(begin);
