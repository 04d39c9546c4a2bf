// A picture from the phone, and three flavours: log in, read, take, look at it once more, send, see.

import { answer } from "./answer.js";
import { ask, enter, Refused } from "./api.js";
import * as camera from "./camera.js";
import { eraseMine, fetchMine, fetchOlder, followErasure } from "./mine.js";
import { fetchNotice } from "./notice.js";
import { draw, shrink } from "./picture.js";
import { learn, mark, nameOf, showSlate } from "./slate.js";
import { number, onLanguage, say } from "./texts.js";
import { upload } from "./upload.js";
import { announce, byId, leaveTrouble, listen, show, showTrouble, shown } from "./view.js";

const HERE = "/try";
const finder = byId("live");
const choice = byId("choice");

let notice = null;
let picture = null; // the small JPEG
let request = ""; // id of the upload that the page is about
let turn = 0; // what began before the newest step has nothing to say any more
let work = new AbortController(); // of this turn
let resume = () => {};

/** Do one step; what fails shows its words, and `Try again` does this step again. */
async function step(action) {
  turn += 1;
  const mine = turn;
  work.abort(new DOMException("another step began", "AbortError"));
  work = new AbortController();
  camera.close(finder);
  leaveTrouble();
  resume = () => step(action);
  try {
    await action(() => mine === turn, work.signal);
  } catch (error) {
    if (mine !== turn) return; // nobody waits for it
    console.info(error);
    if (error instanceof Refused && ["not-authenticated", "bad-token"].includes(error.slug)) loggedIn(false);
    showTrouble(error, { resume, goal: HERE });
  }
}

function loggedIn(is) {
  byId("mine").hidden = !is;
  for (const button of byId("notice").querySelectorAll("[data-do]")) button.disabled = !is;
}

async function begin(current) {
  try {
    await enter();
  } catch (error) {
    if (!(error instanceof Refused) || error.slug !== "not-authenticated") throw error;
    if (current()) show("welcome");
    return;
  }
  const [read, menu] = await Promise.all([fetchNotice(), fetchMenu()]);
  if (!current()) return;
  notice = read;
  learn(menu);
  loggedIn(true);
  if (shown() !== "notice") show("notice");
}

async function fetchMenu() {
  try {
    return (await ask("GET", "/v1/menu")).body.flavours;
  } catch (error) {
    if (error instanceof Refused && error.slug === "no-model") return []; // said when it matters
    throw error;
  }
}

async function openCamera(current) {
  byId("shutter").disabled = true;
  say(byId("camera-hint"), "camera_starting");
  show("camera");
  if (!(await camera.open(finder)) || !current()) return;
  byId("flip").hidden = !(await camera.several());
  say(byId("camera-hint"), "camera_hint");
  byId("shutter").disabled = false;
}

async function take(source, current) {
  // A large photo takes a slow phone a second; where it is quick, nothing flickers.
  const patience = setTimeout(() => current() && busy("shrinking", "loading"), 250);
  const small = await shrink(source).finally(() => clearTimeout(patience));
  if (!current()) return;
  picture = small;
  await draw(picture, byId("picture"));
  if (!current()) return;
  choice.reset();
  offerChoice();
  showSize();
  show("review");
}

function showSize() {
  if (!picture) return;
  const size = number(picture.size / 1000, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
  say(byId("size"), "review_size", { size });
}

// What is agreed to stands in full beside the yes.
function offerChoice() {
  byId("agreed").hidden = choice.elements.purpose.value !== "recommend_and_improve";
}

async function send(current, signal) {
  const consent = choice.elements.purpose.value === "recommend_and_improve" ? notice : null;
  say(byId("sending-title"), "sending_title");
  progress(0);
  show("sending");
  request = await upload(picture, consent, (share) => current() && progress(share), signal);
  if (current()) await step(wait);
}

async function wait(current, signal) {
  busy("waiting_title", "waiting_text");
  const told = await answer(request, signal);
  if (!current()) return;
  showSlate(told);
  show("result");
}

function busy(title, words) {
  byId("progress").removeAttribute("value");
  say(byId("sending-title"), title);
  say(byId("sending-text"), words);
  if (shown() !== "sending") show("sending");
}

function progress(share) {
  const done = Math.min(1, share);
  byId("progress").value = done;
  say(byId("sending-text"), "sending_progress", { percent: number(done, { style: "percent" }) });
}

// A step of its own: trying again asks how far it is, and erases nothing twice.
async function proven(status, signal) {
  const followed = followErasure(status, signal);
  show("erased");
  await followed;
}

// Not a step: the page stays, whatever comes of it.
async function bought(flavour) {
  const about = request;
  mark(flavour);
  try {
    await ask("POST", `/v1/recommendations/${about}/outcome`, { body: { lines: [{ flavour, quantity: 1 }] } });
    if (about === request) say(byId("bought"), "bought_thanks", { flavour: nameOf(flavour) });
  } catch (error) {
    if (about !== request) return;
    mark(undefined);
    const before = error instanceof Refused && error.slug === "outcome-conflict";
    say(byId("bought"), before ? "bought_already" : "bought_failed");
  }
}

const restart = async () => {
  picture = null;
  show("notice");
};

listen({
  camera: () => step(openCamera),
  flip: () => (camera.turn(), step(openCamera)),
  cancel: () => step(restart),
  shutter: () => {
    const seen = createImageBitmap(finder); // before the step lets go of the camera
    step(async (current) => take(await seen, current));
  },
  file: () => byId("file").click(),
  retake: () => step(restart),
  again: () => step(restart),
  reread: () => step(async () => ((notice = await fetchNotice()), offerChoice(), show("review"))),
  resume: () => resume(),
  bought: (event) => bought(event.target.closest("[data-flavour]").dataset.flavour),
  "take-back": () =>
    step(async (current) => {
      await ask("DELETE", `/v1/uploads/${request}`);
      if (current()) show("taken-back");
    }),
  // A yes is taken back where it was given, however long ago.
  "take-back-past": (event) => {
    const past = event.target.closest("[data-request]").dataset.request;
    step(async (current) => {
      await ask("DELETE", `/v1/uploads/${past}`);
      await fetchMine();
      if (current()) show("history");
    });
  },
  history: () => step(async (current) => (await fetchMine(), current() && show("history"))),
  older: () => step(fetchOlder),
  "ask-erase": () => step(async () => show("erase")),
  erase: () =>
    step(async (current) => {
      const status = await eraseMine();
      loggedIn(false);
      if (current()) await step((_, signal) => proven(status, signal));
    }),
});

choice.addEventListener("change", offerChoice);
choice.addEventListener("submit", (event) => {
  event.preventDefault();
  step(send);
});
byId("others").addEventListener("change", (event) => event.target.value && bought(event.target.value));
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = ""; // the same file may be chosen again
  if (!file) return;
  announce("");
  step((current) => take(file, current));
});
addEventListener("pagehide", () => camera.close(finder));

onLanguage(() => {
  showSize();
  if (!notice) return;
  fetchNotice().then((read) => {
    notice = read;
  }, console.info);
});

if (document.body.dataset.loggedIn === "yes") step(begin);
