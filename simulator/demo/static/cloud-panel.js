// What reaches the cloud: sums, three things that happen by themselves, and the newest frames, sealed.

import { el, setText, svg } from "./elements.js";
import { milliseconds, quantiles, size } from "./format.js";

const REASONS = {
  "bad-signature": "its signature is not the register’s",
};

const FORGERY = {
  soon: () => "Somebody without the register’s key will try, soon.",
  sent: () => "Sent. The collector looks at it …",
  refused: ({ reason }) => `Refused: ${REASONS[reason] ?? "the collector did not believe it"} (${reason}).`,
  stored: () => "It was stored. That must never happen.",
};
const OUTAGE = {
  soon: () => "One register will lose its line, soon.",
  offline: ({ shop, waiting }) => `${shop} is unplugged: ${messages(waiting)} in its spool.`,
  "catching-up": ({ shop, waiting }) => `${shop} is plugged in again: ${messages(waiting)} left to send.`,
  "caught-up": ({ shop, most }) => `${shop} sold on offline and has caught up: ${messages(most)}, none lost.`,
};
const ERASURE = {
  soon: () => "A customer will change her mind, soon.",
  asked: ({ shop }) => `The next customer of ${shop} who says yes will take it back when paying.`,
  withdrawn: ({ shop }) => `A customer of ${shop} took the consent back. The keeper erases …`,
  erased: ({ shop, versions }) => `${shop}: the key is destroyed, ${versions} ${versions === 1 ? "version" : "versions"} deleted. Nobody can open the picture any more.`,
};
const DONE = new Set(["refused", "caught-up", "erased"]);

const messages = (count) => `${count} ${count === 1 ? "message" : "messages"}`;

const STROKE = { fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" };
const sealed = () => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("rect", { x: 3, y: 7, width: 10, height: 7, rx: 1.5, ...STROKE }), svg("path", { d: "M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2", ...STROKE }));
const refused = () => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("circle", { cx: 8, cy: 8, r: 6, ...STROKE }), svg("path", { d: "M3.9 12.1l8.2-8.2", ...STROKE }));

class Tale {
  constructor(title, words) {
    this.words = words;
    this.title = title;
    this.text = el("p");
    this.node = el("li", {}, el("h3", {}, title), this.text);
  }

  /** Returns a sentence to say aloud when it has come a step further. */
  update(news) {
    setText(this.text, this.words[news.state](news));
    if (this.node.dataset.state === news.state) return null;
    const first = this.node.dataset.state === undefined;
    this.node.dataset.state = news.state;
    this.node.classList.toggle("done", DONE.has(news.state));
    return first ? null : `${this.title}: ${this.text.textContent}`;
  }
}

export class CloudPanel {
  constructor() {
    this.figures = {};
    const figure = (key, label) => {
      this.figures[key] = el("dd", {}, "–");
      return el("div", {}, el("dt", {}, label), this.figures[key]);
    };
    this.tales = { forgery: new Tale("A forged frame", FORGERY), outage: new Tale("A register offline", OUTAGE), erasure: new Tale("An erasure", ERASURE) };
    this.arrivals = el("ol", { class: "arrivals" });
    this.spoken = el("p", { class: "for-readers", "aria-live": "polite" });
    this.node = el(
      "section", { class: "cloud", "aria-labelledby": "cloud-title" },
      el("h2", { id: "cloud-title" }, "What reaches the cloud"),
      el("dl", {}, figure("frames", "Frames stored"), figure("receipt", "Receipt p50 / p99"), figure("waiting", "Waiting in spools"), figure("erased", "Consents erased")),
      el("ul", { class: "tales" }, ...Object.values(this.tales).map((tale) => tale.node)),
      el("h3", { id: "arrivals-title" }, "Newest frames, sealed"),
      this.arrivals,
      this.spoken,
    );
    this.arrivals.setAttribute("aria-labelledby", "arrivals-title");
  }

  update(cloud) {
    setText(this.figures.frames, cloud.frames === 0 ? "0" : `${cloud.frames}, ${size(cloud.frame_bytes)}`);
    setText(this.figures.receipt, quantiles(cloud.receipt_ms));
    setText(this.figures.waiting, messages(cloud.waiting));
    setText(this.figures.erased, String(cloud.erased));
    const said = Object.entries(this.tales).map(([name, tale]) => tale.update(cloud[name])).filter((words) => words !== null);
    if (said.length > 0) setText(this.spoken, said.join(" "));
    this.#list(cloud.arrivals);
  }

  #list(arrivals) {
    const newest = arrivals[0]?.number ?? 0;
    if (this.newest === newest) return;
    this.newest = newest;
    this.arrivals.replaceChildren(...arrivals.map(row));
  }
}

function row({ shop, kind, fate, forged, bytes, took_ms: took, reason }) {
  const good = fate === "stored";
  const what = `${forged ? "forged " : ""}${kind}`;
  const ends = good ? `stored, ${milliseconds(took)} ms` : `${fate}${reason ? `: ${reason}` : ""}`;
  return el("li", { class: good ? "" : "bad" }, good ? sealed() : refused(), el("span", { class: "where" }, `${shop} `), el("span", { class: "what" }, `${what}, ${size(bytes)} `), el("span", { class: "fate" }, ends));
}
