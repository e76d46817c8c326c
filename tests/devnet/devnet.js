// The command: starts the network, says where it is, and ends it in order.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

// First of all, and the network only later: loading that takes a second, in which the parent may be gone.
import "./end-with-parent.js";
import {readSettings} from "./settings.js";

const log = (text) => process.stderr.write(`devnet: ${text}\n`);

// What is to be done at the end, the last first.
const steps = [];
let ending;

// Ends the process, once, with everything it started.
function end(code) {
  ending ??= (async () => {
    for (const step of steps.reverse()) await (async () => step())().catch((error) => log(error.message));
    process.exit(code);
  })();
  return ending;
}

function fail(text) {
  // While it ends, what it needs goes away, and that is no failure.
  if (!ending) log(text);
  return end(1);
}

// How to follow this network.
function hints(ready) {
  const options = ["beacon", "rpc", "chain_digest", "checkpoint", "address", "slot"];
  const lines = options.map((name) => `  --${name.replace("_", "-")} ${ready[name]} \\\n`).join("");
  // Its heads are days old, since it still catches up with the clock.
  return `prove it with\nproof-server serve --networks ${ready.chain_digest}\nfollow it with\nsextant follow \\\n${lines}  --max-head-age 0 --poll 2\n`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
const settings = await (async () => readSettings(process.argv.slice(2)))().catch((error) => fail(error.message));
try {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sextant-devnet-"));
  steps.push(() => fs.rmSync(folder, {recursive: true, force: true}));
  const {startNetwork} = await import("./network.js");
  const network = await startNetwork(settings, folder, {atEnd: (step) => steps.push(step), fail, log});
  process.stdout.write(`${JSON.stringify(network.ready)}\n`);
  if (settings.hints) log(hints(network.ready));
  await network.run();
} catch (error) {
  await fail(error.stack);
}
