// One chain: its running hits, the chart, and its registers.

import { el, setText, svg } from "./elements.js";
import { percent } from "./format.js";
import { LINES, TimeChart } from "./time-chart.js";

export class ChainPanel {
  constructor({ id, name, flavours, history }) {
    this.name = name;
    this.values = {};
    this.caption = el("caption");
    const rows = LINES.map(([key, label]) => this.#row(key, label, svg("svg", { "aria-hidden": "true", viewBox: "0 0 26 10" }, svg("path", { class: `line ${key}`, d: "M1.5 5H24.5" }))));
    const table = el("table", { class: "hits" }, this.caption, el("tbody", {}, ...rows, this.#row("sold", "Sold")));
    this.chart = new TimeChart(name);
    this.chart.replace(history);
    const heading = el("h2", { id: `chain-${id}` }, name, " ", el("small", {}, `${flavours} flavours`));
    const score = el("div", { class: "score" }, el("div", {}, heading, table), this.chart.node);
    this.node = el("section", { class: "chain", "aria-labelledby": `chain-${id}` }, score);
  }

  #row(key, label, swatch = "") {
    this.values[key] = el("td", {}, "–");
    return el("tr", { class: key }, el("th", { scope: "row" }, swatch, label), this.values[key]);
  }

  update(score, seconds) {
    const { counted, model, bestsellers, bayes, realised } = score;
    setText(this.caption, `Expected hits, ${counted} customers`);
    setText(this.values.model, percent(model));
    setText(this.values.bestsellers, percent(bestsellers));
    setText(this.values.bayes, percent(bayes));
    setText(this.values.sold, percent(realised));
    if (model !== null) this.chart.add([seconds, model, bestsellers, bayes]);
  }

  /** One sentence for people who listen. */
  spoken({ counted, model, bestsellers, bayes }) {
    if (model === null) return `${this.name}: nobody counted yet.`;
    return `${this.name}, ${counted} customers: model ${percent(model)}, best-sellers ${percent(bestsellers)}, best possible ${percent(bayes)}.`;
  }
}
