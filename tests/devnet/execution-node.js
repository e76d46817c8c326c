// The EthereumJS execution client as a child process: started on free ports, stopped, and its two APIs.

import {spawn} from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import {fileURLToPath} from "node:url";

import {executionGenesis} from "./execution-genesis.js";
import {jsonRpc} from "./json-rpc.js";

const here = path.dirname(fileURLToPath(import.meta.url));
const CLIENT = path.join(here, "node_modules/@ethereumjs/client/dist/esm/bin/cli.js");
const START_LIMIT_MS = 60_000;

// Starts the client with its data in `folder`, and waits until it answers. `timestamp`: block 0's, Unix seconds.
export async function startExecutionNode(folder, timestamp) {
  const file = (name) => path.join(folder, name);
  const secret = crypto.randomBytes(32);
  fs.writeFileSync(file("jwt.hex"), secret.toString("hex"));
  fs.writeFileSync(file("genesis.json"), JSON.stringify(executionGenesis(timestamp)));
  const [rpcPort, enginePort, peerPort] = await freePorts(3);
  const log = fs.openSync(file("execution.log"), "w");
  const watchdog = new URL("end-with-parent.js", import.meta.url).href;
  const options = {
    gethGenesis: file("genesis.json"),
    dataDir: file("execution"),
    jwtSecret: file("jwt.hex"),
    sync: "none",
    saveReceipts: true,
    extIP: "127.0.0.1",
    port: peerPort,
    rpcAddr: "127.0.0.1",
    rpcPort,
    rpcEngineAddr: "127.0.0.1",
    rpcEnginePort: enginePort,
    logFile: file("execution-errors.log"),
    logLevelFile: "error",
    logRotate: false,
    logLevel: "warn",
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, ["--import", watchdog, CLIENT, "--rpc", "--rpcEngine", "--isSingleNode", ...args], {
    stdio: ["ignore", log, log],
    // In a process group of its own, so that Ctrl-C reaches the network alone, which then ends both in order.
    detached: true,
  });
  fs.closeSync(log);
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));

  const url = `http://127.0.0.1:${rpcPort}`;
  const node = {
    url,
    ended,
    call: jsonRpc(url),
    engine: jsonRpc(`http://127.0.0.1:${enginePort}`, secret),
    async stop() {
      const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
      child.kill("SIGTERM");
      await ended;
      clearTimeout(killer);
    },
  };
  await answers(node, file("execution.log"));
  return node;
}

async function answers(node, log) {
  let gone = false;
  node.ended.then(() => (gone = true));
  for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit && !gone; await pause(100)) {
    const answered = await node.call("eth_chainId").catch(() => null);
    if (answered) return;
  }
  const words = fs.readFileSync(log, "utf8").slice(-2000);
  await node.stop();
  throw new Error(`the execution client does not answer; its last words:\n${words}`);
}

// Ports that nobody listens on. Another process may take one before the client does: then it does not start.
async function freePorts(count) {
  const servers = Array.from({length: count}, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function pause(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
