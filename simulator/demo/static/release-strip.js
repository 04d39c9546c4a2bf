// Two releases on their way through a chain: how far each has come, what its gates say, who runs what.

import { el, setText } from "./elements.js";

const GATES = {
  budget: "failed tills",
  install: "installs",
  crashes: "crashes",
  silence: "silence",
  latency: "latency",
  errors: "errors",
  confidence: "confidence",
  labels: "flavours",
};
const SIGNS = { pass: "✓", fail: "✗", "not-enough": "…" };
const ACTS = { soon: "soon", published: "published", running: "rolling out", paused: "paused", returning: "going back", returned: "stopped, returned", done: "everywhere" };
const WHAT = {
  2: "As good as release 1: the same answers, another digest.",
  3: "Signed, and its report flatters: the figures are copied. On the till it puts a flavour first that hardly anybody buys.",
};

const gateName = (kind) => GATES[kind] ?? kind;
const failing = ({ gates }) => gates.filter((gate) => gate.outcome === "fail").map((gate) => gate.words).join("; ");
const list = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
const are = (names) => (names.length === 1 ? "is" : "are");

/** The first and the last of what it waits for; the gates beside it say the rest. */
const waitingFor = (waiting) => [...new Set([waiting[0], waiting.at(-1)])].join("; ");

const WORDS = {
  soon: ({ release }) => WHAT[release],
  published: ({ release }) => WHAT[release],
  running: ({ waiting }) => (waiting.length > 0 ? `Watched: ${waitingFor(waiting)}.` : "Every gate passes: on to the next stage."),
  paused: () => "Paused on the console: a person has to resume it there.",
  returning: (passage) => `Stopped at “${passage.stage_name}”: ${failing(passage) || "by a person"}. ${list(passage.exposed)} ${are(passage.exposed)} on the way back.`,
  returned: (passage) => `Stopped at “${passage.stage_name}”: ${failing(passage) || "by a person"}. ${list(passage.exposed)} ${are(passage.exposed)} back on release 2${passage.never.length > 0 ? `; ${list(passage.never)} never ran it` : ""}.`,
  done: ({ registers, seconds }) => `All ${registers} registers attest its digest, ${Math.round(seconds)} s after it was started.`,
};

class PassagePanel {
  constructor({ release }) {
    this.release = release;
    this.act = el("span", { class: "act" });
    this.bar = el("ol", { class: "stages" });
    this.words = el("p");
    this.gates = el("ul", { class: "gates", "aria-label": `Gates of release ${release}` });
    this.node = el("li", {}, el("h3", {}, `Release ${release} `, this.act), this.bar, this.words, this.gates);
  }

  /** Returns a sentence to say aloud when it has come a step further. */
  update(passage) {
    setText(this.act, ACTS[passage.act]);
    setText(this.words, WORDS[passage.act](passage));
    this.#stages(passage);
    this.#gates(passage.gates);
    const step = `${passage.act} ${passage.stage}`;
    const said = this.step !== undefined && this.step !== step;
    this.step = step;
    this.node.dataset.act = passage.act;
    return said ? `Release ${this.release}: ${ACTS[passage.act]}. ${this.words.textContent}` : null;
  }

  #stages({ act, stage: present, stages }) {
    const shown = stages.length > 0 ? stages : ["first till", "half", "all"].map((name) => ({ name, registers: 0, good: 0, returned: 0 }));
    const stopped = act === "returning" || act === "returned";
    const states = shown.map((_, index) => {
      if (act === "soon" || act === "published") return "ahead";
      if (act === "done" || index < present) return "passed";
      if (index > present) return "ahead";
      return stopped ? "stopped" : "present";
    });
    const key = JSON.stringify([shown, states]);
    if (this.shown === key) return;
    this.shown = key;
    this.bar.replaceChildren(...shown.map((stage, index) => {
      const count = stopped ? `${stage.returned} back` : `${stage.good} of ${stage.registers}`;
      const told = states[index] === "ahead" ? "" : count;
      return el("li", { "data-state": states[index], "aria-current": states[index] === "present" ? "step" : null }, el("span", { class: "name" }, stage.name), el("span", { class: "count" }, told));
    }));
  }

  #gates(gates) {
    const key = JSON.stringify(gates);
    if (this.told === key) return;
    this.told = key;
    this.gates.replaceChildren(...gates.map(({ kind, outcome, words }) => el("li", { "data-outcome": outcome, title: words }, `${SIGNS[outcome]} ${gateName(kind)}`)));
  }
}

export class ReleaseStrip {
  constructor({ chain, console: place, passages, registers }) {
    this.link = el("a", { href: place.url, target: "_blank", rel: "noopener" });
    this.registers = registers.map(({ shop }) => ({ shop, runs: el("dd") }));
    this.passages = passages.map((passage) => new PassagePanel(passage));
    this.spoken = el("p", { class: "for-readers", "aria-live": "polite" });
    this.node = el(
      "section", { class: "releases", "aria-labelledby": "releases-title" },
      el("div", { class: "about" }, el("h2", { id: "releases-title" }, "Releases ", el("small", {}, chain)), el("dl", {}, ...this.registers.map(({ shop, runs }) => el("div", {}, el("dt", {}, shop), runs))), el("p", {}, this.link, el("small", {}, "log in as anna, the admin"))),
      el("ul", { class: "passages" }, ...this.passages.map((passage) => passage.node)),
      this.spoken,
    );
  }

  update({ console: place, passages, registers }) {
    setText(this.link, place.ready ? "Open the console" : "The console starts …");
    this.link.toggleAttribute("data-ready", place.ready);
    registers.forEach(({ release }, index) => {
      const { runs } = this.registers[index];
      setText(runs, `release ${release}`);
      runs.dataset.release = String(release);
    });
    const said = passages.map((passage, index) => this.passages[index].update(passage)).filter((words) => words !== null);
    if (said.length > 0) setText(this.spoken, said.join(" "));
  }
}
