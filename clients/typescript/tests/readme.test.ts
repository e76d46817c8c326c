// The README's examples are run as they stand, but for the addresses, with the package as it is installed.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { liar, sayProof, welcome } from "./liar.js";
import { bundleOf, CHAINS, CHANGES, changed, INCLUSION } from "./parts.js";
import { checkpointOf, node, REPOSITORY, recorded, server } from "./support.js";

const README = readFileSync(join(REPOSITORY, "clients", "typescript", "README.md"), "utf8");
// scripts/typescript-client.sh says where it has installed the package.
const INSTALLED = process.env.SEXTANT_CLIENT_INSTALLED;
const options = { skip: INSTALLED ? false : "run by scripts/typescript-client.sh" };

/** One of the README's examples in this language, the first is 1, with these addresses in place of those that it names. */
function example(language: string, addresses: Record<string, string>, number = 1): string {
  let text = README.split(`\`\`\`${language}\n`)[number]?.split("```")[0] ?? "";
  for (const [placeholder, real] of Object.entries(addresses)) {
    assert(text.includes(placeholder), placeholder);
    text = text.replaceAll(placeholder, real);
  }
  return text;
}

/** A node that answers what the examples ask, and its checkpoint. */
async function mainnet(test: TestContext): Promise<{ url: string; checkpoint: string }> {
  const bootstrap = recorded("inclusion-bootstrap.json");
  const checkpoint = await checkpointOf(bootstrap);
  const light = "/eth/v1/beacon/light_client";
  const url = await node(test, {
    [`${light}/bootstrap/${checkpoint}`]: bootstrap,
    [`${light}/finality_update`]: recorded("inclusion-finality-update-9567542.json"),
    eth_getProof: recorded("inclusion-eth-get-proof.json").result,
  });
  return { url, checkpoint };
}

const CHECKPOINT = /checkpoint: "(0x[0-9a-f]{64})"/.exec(README)?.[1] ?? "";

test("the example in node gets a proof", options, async (test) => {
  const { url, checkpoint } = await mainnet(test);
  const prover = await server(test);
  const text = example("js", {
    "http://127.0.0.1:5052": url,
    "http://127.0.0.1:8545": url,
    "http://127.0.0.1:7102": prover.url,
    [CHECKPOINT]: checkpoint,
  });
  assert(text.trim().split("\n").length <= 10);
  const file = join(INSTALLED ?? "", "example.mjs");
  writeFileSync(file, text);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  assert.match(stdout, /step: 'executing'/);
  assert.match(stdout, /9567456n \[\n? *\{\n? *address: '0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f'/);
});

test("the example makes one proof of several", options, async (test) => {
  const bundle = changed(await bundleOf([CHANGES[1], INCLUSION]), { kind: "groth16" });
  const prover = await liar(test, {
    greeting: [welcome(3, ["bundle", "chain"])],
    onRequest: ({ id, request }, peer) => {
      const chain = request.ask === "bundle" && request.program === "chain";
      return sayProof(peer, id, (chain ? CHAINS[1] : bundle).encode());
    },
  });
  const home = join(INSTALLED ?? "", "several");
  mkdirSync(home);
  for (const [name, record] of Object.entries({ change: CHANGES[1], slot: INCLUSION, chain: CHAINS[0] })) {
    writeFileSync(join(home, `${name}.proof`), await record.toFileBytes());
  }
  const file = join(home, "example.mjs");
  writeFileSync(file, example("js", { "http://127.0.0.1:7102": prover.url }, 2));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: home });
  assert.match(stdout, /program: 'committee-change'.*program: 'inclusion'.*\] 1347n 1349n\n$/s);
});

interface Element {
  textContent: string;
  onclick?: () => Promise<void>;
}

/** Runs the page's script without a browser, presses its button, and returns what it shows. */
async function press(test: TestContext, name: string, verifier: string): Promise<string> {
  const { url, checkpoint } = await mainnet(test);
  const prover = await server(test);
  const page = example("html", {
    "https://beacon.example": url,
    "https://rpc.example": url,
    "https://prover.example": prover.url,
    [CHECKPOINT]: checkpoint,
  });
  assert(page.trim().split("\n").length <= 30);
  const folder = join(INSTALLED ?? "", name);
  mkdirSync(folder);
  symlinkSync(join(INSTALLED ?? "", "node_modules", "@sextant", "client", "dist"), join(folder, "client"));
  symlinkSync(verifier, join(folder, "verifier"));
  const script = join(folder, "page.mjs");
  writeFileSync(script, page.split('<script type="module">')[1]?.split("</script>")[0] ?? "");

  const elements: Record<string, Element> = { button: { textContent: "" }, pre: { textContent: "" } };
  const document = { querySelector: (tag: string) => elements[tag] };
  Object.assign(globalThis, { document, WebSocket });
  await import(pathToFileURL(script).href);
  for (const tag of Object.keys(elements)) assert(page.includes(`<${tag}>`), tag);
  await elements.button?.onclick?.();
  return elements.pre?.textContent ?? "";
}

test("the page shows what its verifier takes", options, async (test) => {
  const believing = join(INSTALLED ?? "", "believing");
  mkdirSync(believing);
  writeFileSync(join(believing, "index.js"), "export function verify() {}\n");
  writeFileSync(join(believing, "package.json"), '{ "type": "module" }\n');
  const shown = await press(test, "page", believing);
  assert.match(shown, /^executing$/m);
  assert.match(shown, /^slot 0x290d[0-9a-f]{60} of 0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f is \d+ in block \d+$/m);
});

const built = process.env.SEXTANT_WASM_PACKAGE;
test("the page believes no server whose proofs are none", { skip: options.skip || !built }, async (test) => {
  const shown = await press(test, "lied-to", built ?? "");
  assert.match(shown, /^InvalidProofError: /m);
  assert.doesNotMatch(shown, /^slot/m);
});
