// The public API: pages to try, uploads of everybody, and codes that were scanned at the registers.

import { el, setText } from "./elements.js";
import { quantiles } from "./format.js";

const FIGURES = [
  ["uploads", "Uploads arrived"],
  ["answered", "Answered"],
  ["failed", "Failed"],
  ["kept", "Kept with consent"],
  ["erased", "Erased"],
];

export class PhoneStrip {
  constructor({ pages }) {
    this.links = pages.map(({ chain, url }) => el("a", { href: url, target: "_blank", rel: "noopener" }, chain));
    this.hint = el("small");
    this.figures = {};
    const figure = (key, label) => {
      this.figures[key] = el("dd", {}, "–");
      return el("div", {}, el("dt", {}, label), this.figures[key]);
    };
    this.node = el(
      "section", { class: "phones", "aria-labelledby": "phones-title" },
      el("div", { class: "about" }, el("h2", { id: "phones-title" }, "Phones"), el("p", {}, "Try it: ", ...this.links.flatMap((link, index) => (index > 0 ? [", ", link] : [link])), " ", this.hint)),
      el("dl", {}, ...FIGURES.map(([key, label]) => figure(key, label)), figure("answer", "Upload to answer p50 / p99"), figure("handovers", "Codes scanned, pictures kept")),
    );
  }

  update({ ready, answer_ms: answer, handovers, ...counts }) {
    for (const link of this.links) link.toggleAttribute("data-ready", ready);
    setText(this.hint, ready ? "log in by any name; the camera’s picture stays on this machine" : "in a moment …");
    for (const [key] of FIGURES) setText(this.figures[key], String(counts[key]));
    setText(this.figures.answer, quantiles(answer));
    setText(this.figures.handovers, `${handovers.scanned}, ${handovers.kept}`);
  }
}
