// The module says of every recorded proof, and of each with a byte changed, what the native verifier says of it
// (`verdicts.json`, which `client/tests/verdicts.rs` holds against native code). One difference is the machine's: a size over
// 4 GiB does not even fit its numbers, where native code finds that the bytes end before, or that it is wrong. Such rows have
// both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { cases, edited } from "./cases.mjs";

const { SextantError, load } = await import(pathToFileURL(join(process.env.SEXTANT_WASM_PACKAGE, "index.js")));
const data = new URL("../../../tests/data/", import.meta.url);
const table = JSON.parse(readFileSync(new URL("verdicts.json", import.meta.url)));
const allowDevCircuits = new Uint8Array(readFileSync(new URL("recorded-snarks/groth16_vk.bin", data)));
const recorded = (name) => readFileSync(new URL(`${name}.proof`, data));
const files = [...new Set(table.map((row) => row.file))];
const verifier = await load();

function reason(run) {
  try {
    run();
    return "valid";
  } catch (error) {
    if (!(error instanceof SextantError)) throw error;
    return error.message;
  }
}

for (const name of files) {
  test(`${name}: the native verifier's verdicts`, (t) => {
    const file = recorded(name);
    const rows = table.filter((row) => row.file === name);
    assert.deepEqual(rows.map(({ file: _, verdict: __, module: ___, ...done }) => done), cases(file), "the table has every case");
    for (const row of rows) {
      if (row.module) assert.match(row.module, /: Invalid size \d+: sizes must fit in a usize|: integer `\d+`, expected usize/);
      const said = reason(() => verifier.verify(edited(file, row), { allowDevCircuits }));
      assert.equal(said, row.module ?? row.verdict, row.name);
    }
    const before = performance.now();
    reason(() => verifier.verify(file, { allowDevCircuits }));
    t.diagnostic(`${(performance.now() - before).toFixed(0)} ms to verify it`);
  });
}

test("development circuits count for nobody who does not name them", () => {
  assert.throws(() => verifier.verify(recorded(files[0])), { code: "development-circuits" });
});

test("another network and another committee are told apart from a bad proof", () => {
  const file = recorded(files[0]);
  const { statement } = verifier.inspect(file);
  const committeeRoot = statement.signer_committee_root;
  assert.equal(verifier.verify(file, { allowDevCircuits, committeeRoot }).committeeRootCompared, true);
  assert.throws(() => verifier.verify(file, { allowDevCircuits, network: "hoodi" }), { code: "other-network" });
  const other = `0x${"01".repeat(32)}`;
  assert.throws(() => verifier.verify(file, { allowDevCircuits, committeeRoot: other }), { code: "other-committee" });
});

test("an option that is not understood is an error, not a check left out", () => {
  const file = recorded(files[0]);
  for (const options of [{ committee: "0x00" }, { committeeRoot: "0x00" }, { committeeRoot: 7 }, { network: "moon" }]) {
    assert.throws(() => verifier.verify(file, { allowDevCircuits, ...options }), { code: "options" }, JSON.stringify(options));
  }
});

test("a run that failed is refused for its exit code", () => {
  assert.throws(() => verifier.verify(recorded("failed-run/committee-change")), { code: "rejected", message: /exit code: 1/ });
});
