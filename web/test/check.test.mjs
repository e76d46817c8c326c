// Proofs are checked: each verdict as the native verifier gives it, and what is said of a valid one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import { edited } from "../../verifier/wasm/test/cases.mjs";
import { DARK, DARK_PHONE, DESKTOP, PHONE, accessible, launch, open, picked, picture, recorded } from "./browser.mjs";
import { serve } from "./files.mjs";

const COMPRESSED = "recorded-starks/committee-change-compressed";
const CORE = "recorded-starks/inclusion";
const EVENTS = "recorded-snarks/catch-up-slot-and-log";
const table = JSON.parse(readFileSync(new URL("../../verifier/wasm/test/verdicts.json", import.meta.url)));
const key = picked("groth16_vk.bin", recorded("recorded-snarks/groth16_vk.bin"));
const { inspect } = await import(pathToFileURL(join(process.env.SEXTANT_WASM_PACKAGE, "index.js")));

let files;
let browser;

before(async () => {
  files = await serve(process.env.SEXTANT_WEB);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  files?.close();
});

const proofFile = (name) => recorded(`${name}.proof`);

/** Waits for the verdict on a file. */
async function verdict(page) {
  const box = page.locator("#check-status .notice[data-code]");
  await box.waitFor();
  const [title, ...lines] = await box.locator("p").allTextContents();
  const { code, ms, loadMs } = await box.evaluate(({ dataset }) => ({ ...dataset }));
  return { code, title, text: lines.join(" "), ms: Number(ms), loadMs: Number(loadMs), box };
}

async function check(page, buffer, name = "some.proof") {
  await page.evaluate(() => document.querySelector("#check-status").replaceChildren());
  await page.locator("#check-file").setInputFiles(picked(name, buffer));
  return verdict(page);
}

async function trust(page, root) {
  await page.evaluate(() => document.querySelector("#check-status").replaceChildren());
  await page.locator("#committee").fill(root);
  await page.locator("#committee").blur();
  return verdict(page);
}

async function allowDevelopment(page) {
  await page.locator("summary").click();
  await page.locator("#development-key").setInputFiles(key);
}

test("a valid proof: where it begins is asked for, then compared", async () => {
  const { page, done } = await open(browser, files.origin);
  const first = await check(page, proofFile(COMPRESSED), "change.proof");
  assert.equal(first.title, "Valid, but where it begins was not compared");
  assert.match(await first.box.getAttribute("class"), /caution/);
  const { statement } = await inspect(proofFile(COMPRESSED));
  const text = await page.locator("#check-result").innerText();
  for (const said of [statement.signer_committee_root, statement.finalized_root, statement.block_hash, statement.chain_digest,
    `${statement.participation} of 512 seats`, "mainnet", ...statement.learned.map((one) => one.committee_root)]) {
    assert.ok(text.includes(said), said);
  }
  assert.match(text, /What it does not mean/);
  assert.match(text, /\d+ years? and \d+ days? old/);

  const trusted = await trust(page, statement.signer_committee_root);
  assert.deepEqual([trusted.title, trusted.code], ["Valid", "valid"]);
  assert.match(await trusted.box.getAttribute("class"), /good/);
  await accessible(page);
  await picture(page, "valid-desktop");

  const other = await trust(page, `0x${"01".repeat(32)}`);
  assert.deepEqual([other.title, other.code], ["Valid, but not about what you asked for", "other-committee"]);
  assert.match(await page.locator("#check-result").innerText(), /None of it is checked/);
  assert.equal((await trust(page, "0x01")).code, "options");
  await trust(page, "");
  await page.evaluate(() => document.querySelector("#check-status").replaceChildren());
  await page.locator("#network").selectOption("hoodi");
  assert.equal((await verdict(page)).code, "other-network");
  await done();
});

for (const name of [COMPRESSED, CORE]) {
  test(`${name}, changed: the native verifier's verdict on each change`, async () => {
    const { page, done } = await open(browser, files.origin);
    const file = proofFile(name);
    for (const row of table.filter((row) => row.file === name)) {
      const { code, text } = await check(page, edited(file, row));
      const expected = row.module ?? row.verdict;
      if (expected === "valid") {
        assert.equal(code, "valid", row.name);
        continue;
      }
      assert.notEqual(code, "valid", row.name);
      const said = `${expected[0].toUpperCase()}${expected.slice(1)}.`;
      assert.ok(text.includes(said), `${row.name}: ${text} and not ${said}`);
    }
    const tampered = await check(page, edited(file, { offset: file.length >> 1, mend: true }), "tampered.proof");
    assert.match(await tampered.box.getAttribute("class"), /bad/);
    await accessible(page);
    await picture(page, "tampered-desktop");
    await done();
  });
}

describe("accounts, slots, logs", () => {
  for (const [name, options] of Object.entries({ desktop: DESKTOP, dark: DARK, phone: PHONE, "dark-phone": DARK_PHONE })) {
    test(`as tables: ${name}`, async () => {
      const { page, done } = await open(browser, files.origin, options);
      await allowDevelopment(page);
      // A local network, which has no name.
      await page.locator("#network").selectOption("");
      const { code, title } = await check(page, proofFile(EVENTS), "slot-and-log.proof");
      assert.equal(code, "valid");
      assert.equal(title, "Holds under development circuits, so it proves nothing");
      const { statement } = await inspect(proofFile(EVENTS));
      const text = await page.locator("#check-result").innerText();
      const [account] = statement.accounts;
      const [log] = statement.logs;
      const value = account.slots[0].exists ? account.slots[0].value : "proven absent";
      for (const said of [account.address, account.slots[0].key, value, account.balance, log.address, ...log.topics,
        statement.transactions[0].hash ?? "only the receipt is"]) {
        assert.ok(text.includes(said), said);
      }
      await accessible(page);
      await picture(page, `logs-${name}`);
      if (options.isMobile) {
        await page.evaluate(() => document.querySelector("#check-status").scrollIntoView());
        await picture(page, `logs-${name}-verdict`, false);
        await page.evaluate(() => document.querySelector("#check-result section:last-of-type").scrollIntoView());
        await picture(page, `logs-${name}-account`, false);
      }
      await done();
    });
  }
});

test("a core STARK is checked too; that of a run that failed is refused", async () => {
  const { page, done } = await open(browser, files.origin);
  assert.equal((await check(page, proofFile(CORE))).code, "valid");
  await accessible(page);
  await picture(page, "core-desktop");
  const { code, text } = await check(page, proofFile("failed-run/committee-change"));
  assert.equal(code, "rejected");
  assert.match(text, /exit code: 1/);
  await done();
});

test("no verdict on a kind that nobody checks, but what the file says", async () => {
  const { page, done } = await open(browser, files.origin);
  const row = table.find(({ verdict }) => verdict === "plonk proofs are not supported by this version");
  const { code, title } = await check(page, edited(proofFile(row.file), row));
  assert.equal(code, "unsupported-kind");
  assert.match(title, /^Not checked/);
  await done();
});

test("what is no proof file, and development circuits that nobody has named", async () => {
  const { page, done } = await open(browser, files.origin);
  assert.equal((await check(page, Buffer.from("a letter"))).code, "not-a-proof-file");
  assert.equal((await check(page, proofFile("recorded-snarks/inclusion"))).code, "development-circuits");
  await done();
});

test("a file that is dropped, and a newer one while the first is being checked", async () => {
  const { page, done } = await open(browser, files.origin, DARK);
  const drop = (buffer) => page.evaluate((text) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0))], "dropped.proof"));
    const event = (type) => new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
    // Whether the browser is kept from leaving the page for the file.
    return ["dragover", "drop"].map((type) => !document.body.dispatchEvent(event(type)));
  }, buffer.toString("base64"));
  assert.deepEqual(await drop(proofFile(COMPRESSED)), [true, true]);
  await drop(Buffer.from("a letter"));
  assert.equal((await verdict(page)).code, "not-a-proof-file");
  await drop(proofFile(COMPRESSED));
  await page.locator("[data-code=valid]").waitFor();
  assert.equal(await page.locator("#check-name").textContent(), "dropped.proof");
  await done();
});

test("with a keyboard alone", async () => {
  const { page, done } = await open(browser, files.origin);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  const seen = [];
  for (let presses = 0; presses < 8; presses += 1) {
    await page.keyboard.press("Tab");
    seen.push(await focused());
  }
  assert.deepEqual(seen, ["Skip to the content", "Check", "Ask", "Operate", "check-file", "network", "committee",
    "For tests: proofs by development circuits"]);
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press("Shift+Tab");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(picked("change.proof", proofFile(COMPRESSED)));
  assert.equal((await verdict(page)).code, "valid");
  // The state of a control that has the focus is to be seen.
  assert.notEqual(await page.locator("#check-drop").evaluate((drop) => getComputedStyle(drop).outlineStyle), "none");
  await done();
});

test("the times of genesis fit a recorded block", async () => {
  const { timeOf } = await import(pathToFileURL(join(process.env.SEXTANT_WEB, "js/chains.js")));
  const { data } = JSON.parse(recorded("mainnet-deneb/inclusion-finality-update-9567542.json"));
  const { beacon, execution } = data.finalized_header;
  assert.equal(timeOf("mainnet", Number(beacon.slot)), Number(execution.timestamp));
  assert.equal(timeOf("a local one", 1), undefined);
});
