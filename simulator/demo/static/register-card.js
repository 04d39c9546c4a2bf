// One register: what the camera sees, the three flavours, what was bought.

import { el, setText, svg } from "./elements.js";
import { milliseconds, wholePercent } from "./format.js";

const PHASES = {
  empty: "counter empty",
  looking: "at the counter",
  choosing: "choosing",
  served: "paid",
  closed: "agent ended",
};
const PICTURE_LAG_MS = 350;
const FULL_BAR = 0.8; // a probability that fills the bar: hardly any flavour is surer than that

const ORIGINS = {
  model: ["Model", "model", "the model’s three best"],
  explore: ["Model, exploring", "model", "sampled from the model’s scores, so that other policies can be judged later"],
  bestsellers: ["Best-sellers", "", "the control group: no model was asked"],
  fallback: ["Best-sellers", "", "nobody was seen, or the camera or model was away"],
};

function mark(hit) {
  const shape = hit
    ? svg("path", { d: "M4.5 8.5l2.5 2.5 4.5-5.5", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" })
    : svg("path", { d: "M5 8h6", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round" });
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("circle", { cx: 8, cy: 8, r: 7, fill: "none", stroke: "currentColor", "stroke-width": "1.6" }), shape);
}

export class RegisterCard {
  constructor(register) {
    const { id, shop, kind, display } = register;
    this.id = id;
    this.shop = shop;
    this.canvas = el("canvas", { width: 384, height: 288, role: "img", "aria-label": `Camera of ${shop}` });
    this.phase = el("span", { "aria-hidden": "true" });
    this.offers = [0, 1, 2].map(() => new OfferRow());
    this.bought = el("span", { class: "bought" });
    this.origin = el("span", { class: "origin" });
    this.problem = el("p", { class: "problem", hidden: "" });
    const link = el("a", { href: display, target: "_blank", rel: "noopener" }, "Display", el("span", { class: "for-readers" }, ` of ${shop}, opens a new tab`), el("span", { "aria-hidden": "true" }, " ↗"));
    this.node = el(
      "article", { class: "register", id: `register-${id.replace("/", "-")}`, "aria-label": `${shop}, ${kind}` },
      el("div", { class: "camera" }, this.canvas, this.phase),
      el("div", { class: "told" },
        el("header", {}, el("h3", {}, shop, " ", el("small", {}, kind)), link),
        el("ol", { class: "slate" }, ...this.offers.map((offer) => offer.node)),
        el("div", { class: "result" }, this.bought, this.origin, this.problem)),
    );
    this.line = null;
    this.update(register);
  }

  /** Shows the register's line to the cloud; plug(id, plugged) orders the cable. */
  connect(plug) {
    this.line = { answers: el("span", { class: "answers" }), sent: el("span", { class: "sent" }), button: el("button", { type: "button" }) };
    const { answers, sent, button } = this.line;
    button.addEventListener("click", () => plug(this.id, button.dataset.plugged === "false"));
    this.node.append(el("div", { class: "line-up" }, answers, sent, button));
  }

  send({ plugged, connected, waiting, stored }) {
    const { sent, button } = this.line;
    const state = !plugged ? "unplugged" : connected ? "" : "connecting";
    this.node.dataset.line = state || "up";
    setText(sent, `${stored} stored, ${waiting} waiting${state === "connecting" ? " …" : ""}`);
    button.dataset.plugged = String(plugged);
    if (button.childElementCount === 0) button.append(el("span", {}), el("span", { class: "for-readers" }, ` ${this.shop}`));
    setText(button.firstChild, plugged ? "Unplug" : "Plug in");
  }

  update({ phase, problem, recommendation, bought, asked }) {
    if (this.line) setText(this.line.answers, `Consent: ${asked.yes} yes, ${asked.no} no${asked.back ? `, ${asked.back} back` : ""}`);
    this.node.dataset.phase = phase;
    // A picture is a little older than the news: the label waits for it when somebody comes or leaves.
    clearTimeout(this.later);
    this.later = setTimeout(() => this.#label(phase), phase === "empty" || phase === "looking" ? PICTURE_LAG_MS : 0);
    // The last customer's flavours stay until the next one has some: three rows that blink tell nothing.
    if (recommendation !== null) this.#recommend(recommendation, bought);
    this.problem.hidden = problem === null;
    setText(this.problem, problem ?? "");
  }

  #label(phase) {
    setText(this.phase, PHASES[phase]);
    this.canvas.setAttribute("aria-label", `Camera of ${this.shop}: ${PHASES[phase]}`);
  }

  #recommend(recommendation, bought) {
    this.offers.forEach((offer, index) => offer.update(recommendation.top3[index] ?? null, bought?.position === index));
    const fallback = recommendation.source !== "model" && recommendation.arm !== "bestsellers";
    const [label, kind, meaning] = ORIGINS[fallback ? "fallback" : recommendation.arm];
    const took = recommendation.inference_ms === null ? "" : ` ${milliseconds(recommendation.inference_ms)} ms`;
    this.origin.replaceChildren(el("b", { class: kind, title: meaning }, label), took);
    this.#tellBought(bought);
  }

  #tellBought(bought) {
    if (bought === null) {
      this.bought.className = "bought miss";
      this.bought.replaceChildren(el("span", {}, "choosing …"));
      return;
    }
    const hit = bought.position !== null;
    const scoops = bought.quantity > 1 ? `${bought.quantity} × ` : "";
    this.bought.className = `bought ${hit ? "hit" : "miss"}`;
    this.bought.replaceChildren(mark(hit), el("span", {}, `${scoops}${bought.name}${hit ? ", as offered" : " instead"}`));
  }

  async draw(jpeg) {
    const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    this.canvas.getContext("2d").drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    picture.close();
  }
}

class OfferRow {
  constructor() {
    this.dot = el("span", { class: "dot" });
    this.name = el("span", { class: "name" }, "waiting for a customer");
    this.fill = el("i");
    this.share = el("span", { class: "share" });
    this.node = el("li", { class: "waiting unsure" }, this.dot, this.name, el("span", { class: "bar", "aria-hidden": "true" }, this.fill), this.share);
  }

  update(offer, taken) {
    this.node.hidden = offer === null;
    if (offer === null) return;
    const { name, colour, probability } = offer;
    this.node.className = `${taken ? "taken" : ""} ${probability === null ? "unsure" : ""}`;
    this.dot.style.setProperty("--flavour", colour);
    setText(this.name, name);
    this.name.title = name;
    this.fill.style.setProperty("--share", Math.min(1, (probability ?? 0) / FULL_BAR).toFixed(3));
    setText(this.share, wholePercent(probability));
  }
}
