// Putting things on the page. Names come from menus that others wrote: they enter as text, never as markup.

import { say, text } from "./texts.js";
import { troubleOf, WAYS } from "./troubles.js";

export const byId = (id) => document.getElementById(id);

/** Show one section and begin reading at its heading. */
export function show(name) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  scrollTo(0, 0);
  byId(`${name}-title`).focus({ preventScroll: true });
}

/** The section that is shown. */
export const shown = () => document.querySelector("main > section:not([hidden])").id;

/** Say something that only screen readers notice. */
export function announce(words) {
  byId("announcement").textContent = words;
}

/** Do one thing at a click on whatever carries its name in `data-do`. */
export function listen(actions) {
  document.addEventListener("click", (event) => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name && name in actions) actions[name](event);
  });
}

const LABELS = {
  camera: "take_picture",
  file: "choose_photo",
  resume: "try_again",
  again: "another",
  history: "history",
  reread: "back",
};

let clock = 0;
let online = null;

/** Say what went wrong and what can be done; `resume` tries the last step again. */
export function showTrouble(error, { resume, goal }) {
  const name = troubleOf(error);
  const key = name === "over" ? "handover_over" : `trouble_${name}`;
  leaveTrouble();
  say(byId("trouble-title"), `${key}_title`);
  const ways = WAYS[name].map((way, index) => button(way, index === 0, goal));
  byId("ways").replaceChildren(...ways);
  if (name === "too_many") countDown(ways[0], Math.max(1, Math.ceil(error.retryAfterS || 10)));
  else say(byId("trouble-text"), `${key}_text`);
  if (name === "offline") {
    online = () => resume();
    addEventListener("online", online, { once: true });
  }
  show("trouble");
}

/** Nothing that a trouble waits for happens any more. */
export function leaveTrouble() {
  clearInterval(clock);
  if (online) removeEventListener("online", online);
  online = null;
}

function button(way, first, goal) {
  const made = document.createElement(way === "login" ? "a" : "button");
  if (way === "login") made.href = `/login?goal=${encodeURIComponent(goal)}`;
  else made.type = "button";
  made.className = first ? "button" : "button plain";
  made.dataset.do = way;
  say(made, LABELS[way] ?? way);
  return made;
}

// Spoken once, counted silently.
function countDown(way, seconds) {
  let left = seconds;
  say(byId("trouble-text"), "trouble_too_many_text", { seconds });
  const tick = () => {
    way.disabled = left > 0;
    if (left > 0) say(way, "again_in", { seconds: left });
    else {
      say(way, "try_again");
      clearInterval(clock);
      announce(text("try_again"));
    }
    left -= 1;
  };
  clock = setInterval(tick, 1000);
  tick();
}
