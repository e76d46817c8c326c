// A real proof server, and real inputs for it.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = (name) => join(process.env.SEXTANT_PROGRAMS, name);
const data = (name) => fileURLToPath(new URL(`../../tests/data/mainnet-deneb/${name}`, import.meta.url));

/** A port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Starts a server; resolves when it lets clients in. `kill()` is no farewell, `stop()` is one. */
export async function startServer(port, settings = []) {
  const child = spawn(program("proof-server"),
    ["serve", "--listen", "127.0.0.1:0", "--http-listen", `127.0.0.1:${port}`, ...settings], { stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  child.stderr.on("data", (line) => log.push(line));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const up = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith("http on ")) return;
    throw new Error(`the server did not start:\n${log.join("")}`);
  })();
  const end = (signal) => {
    child.kill(signal);
    return ended;
  };
  await up;
  return { origin: `http://127.0.0.1:${port}`, log, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

/** The input of one handover of mainnet's committee. */
export function handover() {
  const folder = mkdtempSync(join(tmpdir(), "sextant-web-"));
  try {
    const file = join(folder, "committee-change.input");
    execFileSync(program("sextant"), ["prove", "committee-change", "--bootstrap", data("bootstrap-9425184.json"),
      "--update", data("update-9420873.json"), "--input-only", file], { stdio: "pipe" });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
