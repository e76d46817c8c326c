// A file is chosen, or an option is changed: it is checked, and said what it says.

import { byId, el, notice } from "./dom.js";
import { receiveFiles } from "./files.js";
import { render } from "./statement.js";
import { inWords } from "./verdict.js";
import { check, prepare } from "./verifier.js";
import { onView } from "./views.js";

let file;
let developmentKey;

/** Wires the view. */
export function startChecking() {
  receiveFiles("check", (_name, bytes) => show(bytes), refuse);
  byId("check-options").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["network", "committee"]) byId(id).addEventListener("change", again);
  byId("development-key").addEventListener("change", async ({ target }) => {
    developmentKey = target.files[0] && new Uint8Array(await target.files[0].arrayBuffer());
    again();
  });
  onView("check", { show: prepare });
}

/** Checks a file that came from elsewhere in the page. */
export function checkFile(name, bytes) {
  byId("check-name").textContent = name;
  location.hash = "#check";
  show(bytes);
}

function again() {
  if (file) show(file);
}

function options() {
  const committeeRoot = byId("committee").value.trim();
  return {
    network: byId("network").value || undefined,
    committeeRoot: committeeRoot || undefined,
    allowDevCircuits: developmentKey,
  };
}

function refuse(reason) {
  file = undefined;
  byId("check-status").replaceChildren(notice("bad", "Not read", reason));
  byId("check-result").replaceChildren();
}

async function show(bytes) {
  file = bytes;
  const asked = options();
  const status = byId("check-status");
  const result = byId("check-result");
  status.replaceChildren(notice("neutral", "Checking…"));
  result.replaceChildren();
  let answer;
  try {
    answer = await check(bytes, asked);
  } catch (error) {
    // A newer file's check writes here now.
    if (error.name === "AbortError") return;
    status.replaceChildren(notice("bad", "Not checked: the verifier did not work", error.message));
    return;
  }
  const { said, verdict, ms, loadMs } = answer;
  const { tone, title, lines } = inWords(verdict, asked);
  const took = verdict.value && `Checked in ${Math.round(ms)} ms in this browser.`;
  const box = notice(tone, title, ...lines, took);
  box.dataset.code = verdict.error?.code ?? "valid";
  box.dataset.ms = ms ?? "";
  box.dataset.loadMs = loadMs;
  status.replaceChildren(box);
  // On a phone it is below what was filled in.
  if (box.getBoundingClientRect().bottom > innerHeight) status.scrollIntoView();
  if (!said.value) return;
  const proof = verdict.value ?? said.value;
  if (!verdict.value) result.append(el("p", { class: "notice caution" }, "What follows is what the file says. None of it is checked."));
  result.append(...render(proof, Boolean(verdict.value)));
}
