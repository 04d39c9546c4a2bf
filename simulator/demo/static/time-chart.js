// Running expected hits over time: three lines, and the same numbers as a table.

import { el, setText, svg } from "./elements.js";
import { clock, percent } from "./format.js";

const WIDTH = 320;
const HEIGHT = 116;
const LEFT = 34;
const RIGHT = 6;
const TOP = 8;
const BOTTOM = 18;
const ROWS_SHOWN = 12;
const NARROWEST = 0.3; // of the y axis: small wiggles shall not look like storms
export const LINES = [["model", "Model"], ["bestsellers", "Best-sellers"], ["bayes", "Best possible"]];

export class TimeChart {
  constructor(name) {
    this.points = [];
    this.grid = svg("g");
    this.lines = LINES.map(([key]) => svg("polyline", { class: `line ${key}`, points: "" }));
    // The bottom line is drawn first, the model last and on top.
    const drawn = [this.lines[2], this.lines[1], this.lines[0]];
    this.picture = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Expected hits over time at ${name}; the table below has the numbers` },
      this.grid, ...drawn,
    );
    this.rows = el("tbody");
    const heads = ["Time", ...LINES.map(([, label]) => label)].map((label) => el("th", { scope: "col" }, label));
    const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.rows);
    this.details = el("details", {}, el("summary", {}, "Numbers of the chart"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Expected hits at ${name}` }, table));
    this.details.addEventListener("toggle", () => this.#tabulate());
    this.node = el("div", { class: "chart" }, this.picture, this.details);
  }

  replace(points) {
    this.points = points;
    this.#draw();
  }

  add(point) {
    const last = this.points.at(-1);
    if (last && point[0] <= last[0]) return;
    this.points.push(point);
    // The server thins out its own history in the same way.
    if (this.points.length > 480) this.points = this.points.filter((_, index) => index % 2 === 1);
    this.#draw();
  }

  #draw() {
    const points = this.points;
    if (points.length === 0) return;
    const values = points.flatMap((point) => point.slice(1));
    let low = Math.floor(Math.min(...values) * 10 - 0.2) / 10;
    let high = Math.ceil(Math.max(...values) * 10 + 0.2) / 10;
    while (high - low < NARROWEST - 1e-9) (high < 1 ? (high += 0.1) : (low -= 0.1));
    low = Math.max(0, low);
    high = Math.min(1, high);
    const start = points[0][0];
    const span = Math.max(10, points.at(-1)[0] - start);
    const x = (t) => LEFT + ((t - start) / span) * (WIDTH - LEFT - RIGHT);
    const y = (share) => TOP + ((high - share) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    this.lines.forEach((line, index) => {
      line.setAttribute("points", points.map((point) => `${x(point[0]).toFixed(1)},${y(point[index + 1]).toFixed(1)}`).join(" "));
    });
    this.#drawGrid(low, high, y, start, span);
    if (this.details.open) this.#tabulate();
  }

  #drawGrid(low, high, y, start, span) {
    const parts = [];
    const step = high - low > 0.55 ? 0.2 : 0.1;
    for (let share = low; share <= high + 1e-9; share += step) {
      const at = y(share).toFixed(1);
      parts.push(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }));
      parts.push(svg("text", { x: LEFT - 6, y: at, "text-anchor": "end", "dominant-baseline": "middle" }, `${Math.round(100 * share)} %`));
    }
    parts.push(svg("text", { x: LEFT, y: HEIGHT - 3 }, clock(start)));
    parts.push(svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 3, "text-anchor": "end" }, clock(start + span)));
    this.grid.replaceChildren(...parts);
  }

  #tabulate() {
    if (!this.details.open) return;
    const every = Math.max(1, Math.ceil(this.points.length / ROWS_SHOWN));
    const shown = this.points.filter((_, index) => (this.points.length - 1 - index) % every === 0);
    while (this.rows.children.length < shown.length) {
      this.rows.append(el("tr", {}, el("th", { scope: "row" }), ...LINES.map(() => el("td"))));
    }
    while (this.rows.children.length > shown.length) this.rows.lastChild.remove();
    shown.forEach((point, index) => {
      const cells = this.rows.children[index].children;
      setText(cells[0], clock(point[0]));
      LINES.forEach((_, line) => setText(cells[line + 1], percent(point[line + 1])));
    });
  }
}
