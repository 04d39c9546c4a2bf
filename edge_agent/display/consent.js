// Asking whether the picture may be kept: the notice as the agent has it, two equal answers, and time runs
// out as a no. The page decides nothing: the agent holds the picture, and drops it without an answer.

import * as handover from "./handover.js";
import { texts } from "./texts.js";

const byId = (id) => document.getElementById(id);

let asked = null; // { interaction, notice, language } while the question stands
let timer = 0;

const path = (interaction) => `/v1/interactions/${encodeURIComponent(interaction)}/consent`;

/** Take the question away, answered or not. */
export function hide() {
  clearTimeout(timer);
  asked = null;
  byId("consent").hidden = true;
  handover.hide();
}

/** Ask about an interaction for so many seconds, in a language; with a code where phones can answer, too. */
export async function ask(interaction, seconds, language, phones) {
  hide();
  const question = { interaction, notice: null, language };
  asked = question;
  timer = setTimeout(hide, seconds * 1000);
  await translate(language);
  if (!phones || asked !== question) return;
  const code = await handover.fetchCode(interaction);
  if (!code || asked !== question || !byId("consent-code").hidden) return;
  handover.show(code, question.language);
  clearTimeout(timer); // with a code, the picture waits longer
  timer = setTimeout(hide, Math.max(seconds, code.expires_in_s) * 1000);
}

/** Put the standing question into another language; its notice is another one, with another digest. */
export async function translate(language) {
  const question = asked;
  if (!question) return;
  try {
    const answer = await fetch(`/v1/notice?language=${encodeURIComponent(language)}`);
    if (!answer.ok) return hide();
    const notice = await answer.json();
    if (asked === question) show(question, notice, language);
  } catch {
    if (asked === question) hide(); // without a notice nobody can be asked
  }
}

function show(question, notice, language) {
  question.notice = notice;
  question.language = language;
  const [title, ...rest] = notice.text.split("\n");
  byId("consent").lang = notice.language;
  byId("consent-title").textContent = title;
  byId("consent-text").textContent = rest.join("\n");
  byId("consent-answers").hidden = false;
  byId("consent-code").hidden = true;
  byId("consent").hidden = false;
  handover.translate(language);
}

async function answer(granted) {
  const question = asked;
  if (!question?.notice) return;
  clearTimeout(timer);
  byId("consent-answers").hidden = true;
  handover.hide();
  const { notice } = question;
  const body = granted
    ? {
        granted,
        language: notice.language,
        notice_sha256: notice.sha256,
        method: "touch",
        purposes: notice.purposes,
      }
    : { granted };
  let said = texts(question.language).consent_failed;
  try {
    const reply = await fetch(path(question.interaction), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const result = await reply.json();
    if (reply.ok && !granted) return hide();
    if (reply.ok) said = `${texts(question.language).consent_granted} ${result.withdrawal_code}`;
  } catch {
    // Said on the page: nothing was kept, for the agent acknowledges only what is durable.
  }
  if (asked === question) conclude(said);
}

function conclude(said) {
  byId("consent-title").textContent = "";
  byId("consent-text").textContent = "";
  byId("consent-answers").hidden = true;
  handover.hide();
  byId("consent-code").textContent = said;
  byId("consent-code").hidden = false;
}

/** The customer said yes on the phone. */
export function thankPhone(interaction) {
  if (!stands(interaction)) return;
  clearTimeout(timer);
  conclude(texts(asked.language).handover_granted);
}

/** Listen to the two buttons. */
export function listen() {
  byId("consent-answers").addEventListener("click", (event) => {
    const button = event.target.closest("[data-answer]");
    if (button) answer(button.dataset.answer === "yes");
  });
}

/** Whether a question about this interaction stands unanswered. */
export function stands(interaction) {
  return asked?.interaction === interaction && byId("consent-code").hidden;
}
