// Where a job stands: a bar, the stages that it goes through, and the time.

import { el } from "./dom.js";
import { clock, grouped } from "./format.js";

const BEGINNING = ["checking", "queued", "preparing", "executing", "proving"];
const STAGES = {
  stark: [...BEGINNING, "verifying"],
  compressed: [...BEGINNING, "compressing", "verifying"],
  groth16: [...BEGINNING, "compressing", "shrinking", "wrapping", "snark", "verifying"],
};

/** A view of one job of this kind; `step` shows where it stands now, `end` stops the clock. */
export class Progress {
  constructor(kind) {
    this.stages = STAGES[kind] ?? STAGES.groth16;
    this.begun = performance.now();
    this.bar = el("progress", { "aria-label": "Progress of the proof" });
    this.time = el("span", { class: "quiet" });
    this.items = new Map(this.stages.map((stage) => [stage, el("li", {}, stage)]));
    this.element = el("div", {}, this.bar, el("ol", { class: "steps" }, ...this.items.values()), this.time);
    this.tick();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  /** Shows a step, and says it in words. */
  step(step) {
    const at = this.stages.indexOf(step.step);
    if (step.step === "proving" && step.total > 0) {
      this.bar.max = step.total;
      if (step.total > 1) this.bar.value = step.done;
    } else {
      // How long the others take is not known; nor is it of the only part.
      this.bar.removeAttribute("value");
    }
    for (const [index, stage] of this.stages.entries()) {
      const item = this.items.get(stage);
      item.classList.toggle("past", at >= 0 && index < at);
      if (index === at) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
    return inWords(step);
  }

  tick() {
    this.time.textContent = `${clock(performance.now() - this.begun)} since it was asked for`;
  }

  /** Nothing more comes. */
  end() {
    clearInterval(this.timer);
    this.tick();
    this.bar.remove();
  }
}

/** A step in words. */
export function inWords({ step, position, cycles, done, total }) {
  switch (step) {
    case "checking": return "The server checks the statement.";
    case "queued": return position === 0 ? "Next in the queue." : `In the queue: ${grouped(position)} before it.`;
    case "preparing": return "A prover gets ready.";
    case "executing": return `The guest program runs${cycles ? `: ${grouped(cycles)} cycles` : ""}.`;
    case "proving": return `Proving: ${grouped(done)} of ${grouped(total)} parts.`;
    case "compressing": return `Folding the parts into one proof${done ? `: ${grouped(done)} done` : ""}.`;
    case "verifying": return "The server verifies what it has made.";
    case "shrinking": return "The proof is shrunk.";
    case "wrapping": return "The proof is wrapped.";
    case "snark": return "The SNARK is being made.";
    default: return "The server works on it.";
  }
}
