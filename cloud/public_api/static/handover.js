// Where a register's code leads: one question, two equal answers, and a yes that can be taken back right here.

import { ask, enter } from "./api.js";
import { fetchNotice } from "./notice.js";
import { onLanguage, say } from "./texts.js";
import { byId, leaveTrouble, listen, show, showTrouble, shown } from "./view.js";

const { code } = document.body.dataset;
const HERE = `/c/${code}`;
const path = `/v1/handovers/${encodeURIComponent(code)}`;

let notice = null;
let given = ""; // id of the hand-over, once it was answered with yes
let resume = () => {};

async function step(action) {
  leaveTrouble();
  resume = () => step(action);
  for (const button of document.querySelectorAll("[data-do]")) button.disabled = true;
  try {
    await action();
  } catch (error) {
    console.info(error);
    showTrouble(error, { resume, goal: HERE });
  } finally {
    for (const button of document.querySelectorAll("section:not(#trouble) [data-do]")) button.disabled = false;
  }
}

async function begin() {
  await enter();
  const told = (await ask("GET", path)).body;
  say(byId("where"), "handover_where", { store: told.store, chain: told.chain });
  given = told.handover_id;
  if (told.state === "given") return show("thanks");
  if (told.state === "withdrawn") return show("withdrawn");
  notice = await fetchNotice();
  show("question");
}

async function yes() {
  const body = { notice: notice.sha256, language: notice.language, agreed: true };
  given = (await ask("POST", path, { body })).body.handover_id;
  show("thanks");
}

async function withdraw() {
  await ask("DELETE", `/v1/handovers/${encodeURIComponent(given)}`);
  show("withdrawn");
}

listen({
  yes: () => step(yes),
  no: () => show("refused"),
  withdraw: () => step(withdraw),
  resume: () => resume(),
});

onLanguage(() => {
  if (shown() === "question") {
    fetchNotice().then((read) => {
      notice = read;
    }, console.info);
  }
});

if (document.body.dataset.loggedIn === "yes") step(begin);
