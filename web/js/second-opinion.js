// Where this browser has no verdict: one of a server, which is worth what the server is worth.

import { el, notice } from "./dom.js";
import { Problem } from "./gateway.js";
import { fill, named } from "./servers.js";

/** A form that has a server verify the file. */
export function offerServer(file) {
  const form = el("form", { class: "fields", "aria-label": "Have a server check it" },
    el("div", { class: "field" },
      el("label", { for: "opinion-server" }, "A server to check it"),
      el("input", { id: "opinion-server", type: "url", required: true, spellcheck: "false", placeholder: "http://127.0.0.1:7102" })),
    el("div", { class: "field" },
      el("label", { for: "opinion-token" }, "Token ", el("span", { class: "quiet" }, "(if it wants one)")),
      el("input", { id: "opinion-token", type: "password", autocomplete: "off" })),
    el("div", { class: "actions" }, el("button", { type: "submit" }, "Send it there")));
  const answer = el("div", { class: "wide" });
  form.append(answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.replaceChildren(el("p", {}, "Asking…"));
    answer.replaceChildren(await opinion(file));
  });
  // Filled in when it is on the page.
  queueMicrotask(() => fill("opinion"));
  return form;
}

async function opinion(file) {
  try {
    const server = named("opinion");
    await server.verify(file);
    return notice("caution", `Valid, says ${server.address}`, "That is this server's word. It did not compare the committee at"
      + " which the proof begins, nor the chain: do so with what stands below.");
  } catch (error) {
    const judged = error instanceof Problem && error.code === "InvalidProof";
    return notice(judged ? "bad" : "neutral", judged ? "Not a valid proof, says the server" : "No verdict", error.message);
  }
}
