// The public API: pages to try, uploads of everybody, and codes that were scanned at the registers.

import { el, setText } from "./elements.js";
import { quantiles } from "./format.js";

const FIGURES = [
  ["uploads", "Uploads"],
  ["answered", "Answered"],
  ["failed", "Failed"],
  ["kept", "Kept"],
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
      el("div", { class: "about" }, el("h2", { id: "phones-title" }, "Phones"), this.hint, el("p", {}, "Try it: ", ...this.links.flatMap((link, index) => (index > 0 ? [", ", link] : [link])))),
      el("dl", {}, ...FIGURES.map(([key, label]) => figure(key, label)), figure("answer", "Until the answer p50 / p99"), figure("handovers", "Codes scanned / kept")),
    );
  }

  update({ ready, answer_ms: answer, handovers, ...counts }) {
    for (const link of this.links) link.toggleAttribute("data-ready", ready);
    setText(this.hint, ready ? "log in by any name; pictures stay on this machine" : "in a moment …");
    for (const [key] of FIGURES) setText(this.figures[key], String(counts[key]));
    setText(this.figures.answer, quantiles(answer));
    setText(this.figures.handovers, `${handovers.scanned} / ${handovers.kept}`);
  }
}
