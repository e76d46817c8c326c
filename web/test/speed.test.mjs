// How long it takes in the browser, against what is promised. A figure that is missed is said, and fails nothing: how fast the
// module is, is the module's affair.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { launch, open, picked, recorded } from "./browser.mjs";
import { serve } from "./files.mjs";

const RUNS = 5;
/** Each with a recorded proof, and how many milliseconds it may take. */
const KINDS = [
  ["groth16", "recorded-snarks/inclusion", 150],
  ["compressed", "recorded-starks/committee-change-compressed", 2000],
  ["core STARK", "recorded-starks/inclusion", 5000],
];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

test("times and sizes", async (t) => {
  const say = (what, got, limit, unit) => t.diagnostic(`${what}: ${got} ${unit}, at most ${limit}: ${got <= limit ? "met" : "MISSED"}`);
  const module = readFileSync(join(process.env.SEXTANT_WEB, "verifier/sextant_verifier.wasm"));
  say("the module, compressed", (gzipSync(module, { level: 9 }).length / 1e6).toFixed(2), 2.5, "MB");

  const files = await serve(process.env.SEXTANT_WEB);
  const browser = await launch();
  for (const [kind, name, limit] of KINDS) {
    const { page, done } = await open(browser, files.origin);
    await page.locator("summary").click();
    await page.locator("#development-key").setInputFiles(picked("key", recorded("recorded-snarks/groth16_vk.bin")));
    const times = [];
    let load;
    for (let run = 0; run < RUNS; run += 1) {
      await page.evaluate(() => document.querySelector("#check-status").replaceChildren());
      await page.locator("#check-file").setInputFiles(picked("some.proof", recorded(`${name}.proof`)));
      const box = page.locator("#check-status [data-code=valid]");
      await box.waitFor();
      const { ms, loadMs } = await box.evaluate(({ dataset }) => ({ ...dataset }));
      times.push(Number(ms));
      load ??= Number(loadMs);
    }
    say(`${kind}, the first`, Math.round(times[0]), limit, "ms");
    say(`${kind}, the median of ${RUNS}`, Math.round(median(times)), limit, "ms");
    t.diagnostic(`${kind}: the module was loaded in ${Math.round(load)} ms`);
    await done();
  }
  await browser.close();
  files.close();
});
