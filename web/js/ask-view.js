// A proof is asked of a server: handed in, followed, lost sight of, taken back, received.

import { checkFile } from "./check-view.js";
import { byId, el, facts, hex, notice } from "./dom.js";
import { receiveFiles } from "./files.js";
import { clock, grouped, size } from "./format.js";
import { prove } from "./job.js";
import { Progress } from "./progress.js";
import { fill, named } from "./servers.js";
import { onView } from "./views.js";

let input;
/** What is going on: the server, the job's id once it has one, and how to stop. */
let running;

/** Wires the view. */
export function startAsking() {
  receiveFiles("ask", (name, bytes) => {
    input = { name, bytes };
    // `--input-only` leaves the name to people, who tend to say what it is.
    if (/committee|change|handover/i.test(name)) byId("ask-program").value = "committee-change";
    else if (/inclusion|slot|account|log/i.test(name)) byId("ask-program").value = "inclusion";
    offer();
    say(notice("neutral", "Ready", `${name}: ${size(bytes.length)}.`));
  }, (reason) => say(notice("bad", "Not read", reason)));
  byId("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input) return say(notice("neutral", "Nothing to ask", "Choose an input first."));
    begin({ program: byId("ask-program").value, kind: byId("ask-kind").value, input: input.bytes });
  });
  byId("ask-withdraw").addEventListener("click", withdraw);
  addEventListener("pagehide", () => {
    if (running?.id && byId("ask-leave").checked) running.server.withdraw(running.id, { leaving: true });
  });
  for (const id of ["ask-server", "ask-token", "ask-program"]) byId(id).addEventListener("change", offer);
  onView("ask", { show: (id) => {
    fill("ask");
    offer();
    if (/^[0-9a-f]{64}$/.test(id ?? "") && running?.id !== id) begin({ id });
  } });
}

/** Kinds that the server does not make are not to be chosen, where it says so. */
async function offer() {
  const options = [...byId("ask-kind").options];
  let kinds;
  try {
    const { programs } = await named("ask").programs();
    kinds = programs.find(({ name }) => name === byId("ask-program").value)?.kinds;
  } catch {
    // Whoever asks hears why.
  }
  for (const option of options) option.disabled = Boolean(kinds) && !kinds.includes(option.value);
  const chosen = options.find((option) => option.selected);
  if (chosen.disabled) byId("ask-kind").value = options.find((option) => !option.disabled)?.value ?? chosen.value;
}

function say(...what) {
  byId("ask-status").replaceChildren(...what);
}

async function begin(wanted) {
  let server;
  try {
    server = named("ask");
  } catch (error) {
    return say(notice("neutral", "Nothing asked", error.message));
  }
  running?.stop.abort();
  const job = { server, id: wanted.id, stop: new AbortController() };
  running = job;
  const progress = new Progress(wanted.kind);
  byId("ask-progress").replaceChildren(progress.element);
  byId("ask-result").replaceChildren();
  busy(true);
  say(notice("neutral", "Asked", `${server.address} gets the input.`));
  const tell = {
    job: (id) => {
      job.id = id;
      // Whoever loads the page again finds the job again.
      history.replaceState(undefined, "", `#ask/${id}`);
    },
    step: (step) => say(notice("neutral", "Being made", progress.step(step))),
    lost: (reason, pause) => say(notice("caution", "Out of touch", reason,
      `Asked again in ${Math.ceil(pause / 1000)} s. Where the server runs, a job that was handed in goes on meanwhile.`)),
  };
  try {
    received(await prove(server, wanted, tell, job.stop.signal), progress);
  } catch (error) {
    if (!job.stop.signal.aborted) say(notice("bad", "No proof", error.message));
  } finally {
    progress.end();
    if (running === job) {
      running = undefined;
      busy(false);
      if (location.hash.startsWith("#ask/")) history.replaceState(undefined, "", "#ask");
    }
  }
}

function busy(is) {
  byId("ask-submit").disabled = is;
  byId("ask-withdraw").hidden = !is;
  byId("ask-leaving").hidden = !is;
}

async function withdraw() {
  const { server, id, stop } = running;
  stop.abort();
  byId("ask-progress").replaceChildren();
  try {
    if (id) await server.withdraw(id);
    say(notice("neutral", "Taken back", "It ends, unless somebody else wants the same proof."));
  } catch (error) {
    say(notice("caution", "Left, and not taken back", error.message));
  }
}

function received({ job: { id, proof }, file }, progress) {
  const name = `${proof.program || "sextant"}-${id.slice(0, 8)}.proof`;
  const address = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
  const open = el("button", { type: "submit" }, "Check it");
  open.addEventListener("click", () => checkFile(name, file));
  for (const item of progress.items.values()) {
    item.className = "past";
    item.removeAttribute("aria-current");
  }
  say(notice("good", "The proof is here", "Nothing of it has been checked in this browser yet."));
  byId("ask-result").replaceChildren(
    el("div", { class: "actions" }, open, el("a", { class: "button second", href: address, download: name }, "Save it")),
    facts([
      ["Kind", proof.kind],
      ["Size", size(file.length)],
      ["Cycles", grouped(proof.cycles)],
      ["In the queue", clock(proof.queued_ms)],
      ["In the prover", clock(proof.proving_ms)],
      ["Prover's memory", size(proof.peak_memory)],
      ["SHA-256 of the record", hex(proof.record_sha256)],
    ]));
}
