// A server at work, as its operator sees it: asked every two seconds while the view is shown.

import { byId, el, facts, hex, notice, table } from "./dom.js";
import { grouped, size, span } from "./format.js";
import { fill, named } from "./servers.js";
import { onView } from "./views.js";

const EVERY = 2000;

let timer;
let asking;

/** Wires the view. */
export function startOperating() {
  byId("operate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });
  document.addEventListener("visibilitychange", () => {
    if (!byId("operate").hidden) (document.hidden ? stop : look)();
  });
  onView("operate", {
    show: () => {
      fill("operate");
      if (byId("operate-server").value) look();
    },
    hide: stop,
  });
}

function stop() {
  clearTimeout(timer);
  asking?.abort();
}

async function look() {
  stop();
  const { signal } = (asking = new AbortController());
  let server;
  try {
    server = named("operate");
    const programs = await server.programs(signal);
    if (signal.aborted) return;
    show(programs);
  } catch (error) {
    if (signal.aborted) return;
    say("bad", "Out of touch", error.message);
    byId("operate-result").classList.add("stale");
  }
  if (server) timer = setTimeout(look, EVERY);
}

/** Says it only when it is something else: a status is read out each time. */
function say(tone, title, line) {
  const box = notice(tone, title, line);
  const status = byId("operate-status");
  if (status.firstChild?.outerHTML !== box.outerHTML) status.replaceChildren(box);
}

function show(server) {
  say(server.ready ? "good" : "caution", server.ready ? "Ready" : "Not ready", server.reason);
  const rows = server.programs.map((program) => [
    program.name,
    program.ready ? "yes" : "no",
    grouped(program.running),
    queue(program),
    program.kinds.join(", "),
  ]);
  byId("operate-result").classList.remove("stale");
  byId("operate-result").replaceChildren(
    table("Programs", ["Program", "Ready", "Being made", "In the queue", "Kinds"], rows),
    el("h2", {}, "Server"),
    facts([
      ["Software", server.agent],
      ["Up for", span(server.uptime_s)],
      ["Circuits", server.circuit_version],
      ["Networks", server.networks.join(", ") || "any"],
      ["Largest input", size(server.limits.input)],
      ["Largest proof to verify", size(server.limits.record)],
      ["Longest that a proof may take", span(server.limits.deadline_ms / 1000)],
      ...server.programs.map(({ name, vk_hash: key }) => [`Key of ${name}`, hex(key)]),
    ]));
}

function queue({ queued, queue_capacity: capacity }) {
  return [
    `${grouped(queued)} of ${grouped(capacity)} `,
    el("meter", { min: 0, max: capacity, high: capacity * 0.75, optimum: 0, value: queued, "aria-label": "Queue" }),
  ];
}
