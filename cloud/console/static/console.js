// Every page works without this file; it makes them quicker and live.

import { followLive } from "./live.js";

// An open menu closes on Escape, on a click beside it, and when the focus leaves it.
const menus = () => document.querySelectorAll("details.menu[open], details.confirm[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

// A select of a filter bar applies at once; the button stays for who has no scripts.
for (const form of document.querySelectorAll("form[data-apply]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Relative times go on while the page is open.
const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
function words(seconds) {
  const span = Math.abs(seconds);
  if (span < 60) return "just now";
  const [size, name] = units.find(([size]) => span >= size);
  const amount = Math.floor(span / size);
  const text = `${amount} ${name}${amount === 1 ? "" : "s"}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = words(Math.trunc((Date.now() - Date.parse(time.dateTime)) / 1000));
    if (time.textContent !== text) time.textContent = text;
  }
}, 15_000);

// A chart is drawn when it is asked for, and under load that takes a while: say so where it will be.
for (const picture of document.querySelectorAll(".chart picture")) {
  const image = picture.querySelector("img");
  if (image.complete) continue;
  picture.classList.add("drawn-soon");
  for (const end of ["load", "error"]) image.addEventListener(end, () => picture.classList.remove("drawn-soon"));
}

followLive(document.querySelector("[data-live]"), document.querySelector("[data-live-state]"));
