// What tests share: recorded data, a real server whose workers prove nothing, and a node that answers what was recorded.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { toHex } from "../src/bytes.js";
import { header } from "../src/committees.js";
import { headerRoot } from "../src/inputs.js";
import { Client, type ConnectOptions, type Hex, MAINNET, ProofRecord, type StatementInput, statements } from "../src/node.js";

export const REPOSITORY = fileURLToPath(new URL("../../../../", import.meta.url));
export const DATA = join(REPOSITORY, "tests", "data");
export const VECTORS = join(REPOSITORY, "protocol", "vectors");
export const FACTORY = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f";

// biome-ignore lint/suspicious/noExplicitAny: tests change what they please of it.
export type Recorded = any;

/** A recorded answer of a mainnet node. */
export function recorded(name: string): Recorded {
  return JSON.parse(readFileSync(join(DATA, "mainnet-deneb", name), "utf8"));
}

/** A recorded SNARK, by development circuits. */
export function recordedProof(name: string): Promise<ProofRecord> {
  return ProofRecord.fromFileBytes(readFileSync(join(DATA, "recorded-snarks", `${name}.proof`)));
}

/** The same, as if it were by released circuits: who does not verify it does not notice. */
export async function seemingProof(name: string): Promise<ProofRecord> {
  return new ProofRecord({ ...(await recordedProof(name)), developmentCircuits: false });
}

/** The root of a bootstrap's block. */
export async function checkpointOf(bootstrap: Recorded): Promise<Hex> {
  return toHex(await headerRoot(header(bootstrap.data.header.beacon)));
}

/** One real handover, or two. */
export function committeeChange(handovers = 1): Promise<StatementInput> {
  made[handovers] ??= makeCommitteeChange(handovers);
  return made[handovers];
}

const made: Record<number, Promise<StatementInput>> = {};

function makeCommitteeChange(handovers: number): Promise<StatementInput> {
  const updates = ["update-9420873.json", "update-9430576.json"].map((name) => recorded(name).data);
  const bootstrap = recorded("bootstrap-9425184.json").data;
  return statements.committeeChange(MAINNET, { bootstrap, updates: updates.slice(0, handovers) });
}

/** One real contract with one slot. */
export function inclusion(): Promise<StatementInput> {
  return statements.inclusion(MAINNET, {
    bootstrap: recorded("inclusion-bootstrap.json").data,
    finalityUpdate: recorded("inclusion-finality-update-9567542.json").data,
    accounts: [recorded("inclusion-eth-get-proof.json").result],
  });
}

/** The bytes of `protocol/vectors/NAME.hex`. */
export function vector(name: string): Uint8Array<ArrayBuffer> {
  const lines = readFileSync(join(VECTORS, `${name}.hex`), "utf8").split("\n");
  const digits = lines.map((line) => line.split(";")[0]?.replaceAll(" ", "")).join("");
  return new Uint8Array(Buffer.from(digits, "hex"));
}

/** A program of the workspace, which `make test` builds first. */
export function program(name: string): string {
  const cache = process.env.SEXTANT_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sextant");
  const path = join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "release", name);
  if (!existsSync(path)) throw new Error(`${path} is not built: cargo build --release --workspace`);
  return path;
}

/** A folder that goes with the test. */
export function folder(test: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sextant-"));
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

interface Script {
  proveMs?: number;
  proofBytes?: number;
  /** Settings of the server. */
  arguments?: string[];
}

export interface Server {
  url: string;
  /** Ends it. */
  stop(): Promise<void>;
}

/** A real server on a free port; its workers answer right public values, and no proofs. */
export async function server(test: TestContext, script: Script = {}): Promise<Server> {
  const { proveMs = 50, proofBytes = 100, arguments: more = [] } = script;
  const worker = join(folder(test), "worker");
  writeFileSync(worker, `#!/bin/sh\nexec ${program("scripted-worker")} ${proveMs} 1 ${proofBytes}\n`);
  chmodSync(worker, 0o755);
  const settings = ["serve", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--worker-program", worker, ...more];
  const child = spawn(program("proof-server"), settings, { stdio: ["ignore", "pipe", "ignore"] });
  test.after(() => stop(child));
  return { url: await address(child), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`the server does not listen: ${said}`)), 30_000);
    child.on("exit", () => reject(new Error(`the server has ended: ${said}`)));
    child.stdout?.on("data", (text) => {
      said += text;
      const found = /^http on (\S+)$/m.exec(said);
      if (!found) return;
      clearTimeout(late);
      resolve(`http://${found[1]}`);
    });
  });
}

/** A client of a server, which goes with the test. */
export async function connect(test: TestContext, url: string, options?: ConnectOptions): Promise<Client> {
  const client = await Client.connect(url, options);
  test.after(() => client.close());
  return client;
}

/** A client of a real server. */
export async function connected(test: TestContext, script?: Script): Promise<Client> {
  return connect(test, (await server(test, script)).url);
}

/** A node on a free port: answers by path, and JSON-RPC results by method. Text is answered as it is. */
export async function node(test: TestContext, answers: Record<string, Recorded>): Promise<string> {
  const listening = createServer((request, response) => {
    let body = "";
    request.on("data", (text) => {
      body += text;
    });
    request.on("end", () => {
      const asked = request.method === "POST" ? JSON.parse(body) : undefined;
      const found = answers[asked ? asked.method : (request.url ?? "")];
      response.statusCode = found === undefined && !asked ? 404 : 200;
      const answer = asked ? { jsonrpc: "2.0", id: asked.id, result: found ?? null } : (found ?? null);
      response.end(typeof found === "string" ? found : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

/** Waits until something is so, at most ten seconds. */
export async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  for (const begun = Date.now(); !(await so()); ) {
    if (Date.now() - begun > 10_000) throw new Error("it has not become so within ten seconds");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
