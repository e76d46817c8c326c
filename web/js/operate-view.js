// A server at work, as its operator sees it: asked every two seconds while the view is shown.

import { byId, el, facts, hex, notice, table } from "./dom.js";
import { clock, grouped, size, span } from "./format.js";
import { inWords } from "./progress.js";
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
    const [programs, work] = await Promise.all([server.programs(signal), server.work(signal)]);
    if (signal.aborted) return;
    show(programs, work);
  } catch (error) {
    if (signal.aborted) return;
    const result = byId("operate-result");
    say("bad", "Out of touch", error.message, result.hasChildNodes() && "What stands below is what it said last.");
    result.classList.add("stale");
  }
  if (server) timer = setTimeout(look, EVERY);
}

/** Says it only when it is something else: a status is read out each time. */
function say(tone, title, ...lines) {
  const box = notice(tone, title, ...lines);
  const status = byId("operate-status");
  if (status.firstChild?.outerHTML !== box.outerHTML) status.replaceChildren(box);
}

function show(server, work) {
  const reason = server.reason || work?.reason;
  const able = server.ready && (work?.wanted ?? true);
  say(able ? "good" : "caution", able ? "Ready" : "Not ready", reason);
  const rows = server.programs.map((program) => [
    program.name,
    program.ready ? "yes" : "no",
    grouped(program.running),
    queue(program),
    program.kinds.join(", "),
  ]);
  byId("operate-result").classList.remove("stale");
  byId("operate-result").replaceChildren(
    table("Programs", ["Program", "Ready", "The worker's jobs", "In the queue", "Kinds"], rows),
    ...(work ? atWork(work) : [el("p", { class: "notice neutral" }, "Jobs, workers and failures are shown to operators: whoever has"
      + " a token with “operator = true”, or on a server without tokens and certificates whoever asks from its own machine.")]),
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

/** What the server is at. */
function atWork({ jobs, open, workers, last_hour: hour, failures }) {
  const ago = (milliseconds) => `${span(milliseconds / 1000)} ago`;
  return [
    el("dl", { class: "glance" }, [
      ["Made in the last hour", grouped(hour.made)],
      ["Failed in the last hour", grouped(hour.failed)],
      ["A proof takes", hour.made ? `${clock(hour.mean_proving_ms)} minutes` : "not known yet"],
    ].map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value)))),
    jobs.length === 0
      ? el("p", {}, "No jobs.")
      : table(`Jobs${open > jobs.length ? `: the first ${jobs.length} of ${grouped(open)}` : ""}`,
        ["Job", "Statement", "Kind", "Where it stands", "Clients", "Asked for"],
        jobs.map(({ id, program, kind, step, clients, age_ms: age }) => [
          short(id), program, kind, step ? inWords(step) : "not begun", grouped(clients), ago(age),
        ])),
    table("Workers", ["Lane", "Jobs", "Memory", "Failed since the start", "Trouble"],
      workers.map((lane) => [lane.lane, grouped(lane.running), size(lane.memory), grouped(lane.failures), lane.trouble ?? "none"])),
    failures.length === 0
      ? el("p", {}, "No job has failed.")
      : table("Last failures", ["When", "Job", "Statement", "Kind", "Why"],
        failures.map(({ age_ms: age, id, program, kind, error }) => [ago(age), short(id), program, kind, `${error.title}: ${error.detail}`])),
  ];
}

const short = (id) => el("span", { class: "hex", title: id }, id.slice(0, 12));

function queue({ queued, queue_capacity: capacity }) {
  return [
    `${grouped(queued)} of ${grouped(capacity)} `,
    el("meter", { min: 0, max: capacity, high: capacity * 0.75, optimum: 0, value: queued, "aria-label": "Queue" }),
  ];
}
