// A proof is asked of a real server, which is lost in between; one is taken back; and what is wrong is said.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { DARK_PHONE, DESKTOP, PHONE, accessible, launch, open, picked, picture } from "./browser.mjs";
import { serve } from "./files.mjs";
import { freePort, handover, startServer } from "./server.mjs";

// Longer than any proof here takes on a machine that does other things too.
const PATIENCE = 600_000;

let files;
let browser;
let server;
let port;
let input;
const settings = () => ["--http-origins", files.origin, "--kinds", "stark,compressed", "--reconnect-grace", "0"];

before(async () => {
  files = await serve(process.env.SEXTANT_WEB);
  browser = await launch();
  port = await freePort();
  input = handover();
  server = await startServer(port, settings());
});
after(async () => {
  await server?.kill();
  await browser?.close();
  files?.close();
});

async function ask(page, kind, to = server.origin) {
  await page.locator("#ask-server").fill(to);
  await page.locator("#ask-file").setInputFiles(picked("committee-change.input", input));
  await page.locator("#ask-name").filter({ hasText: "committee-change.input" }).waitFor();
  await page.locator("#ask-kind").selectOption(kind);
  await page.locator("#ask-submit").click();
}

const said = (page, title) => page.locator("#ask-status .verdict", { hasText: title }).waitFor({ timeout: PATIENCE });
const stage = (page, name) => page.locator(".steps [aria-current]", { hasText: name }).waitFor({ timeout: PATIENCE });

test("a server that is lost in the middle, and comes back without memory", { timeout: 2 * PATIENCE }, async () => {
  const { page, done } = await open(browser, `${files.origin}/#ask`, DESKTOP);
  await ask(page, "stark");
  assert.equal(await page.locator("#ask-program").inputValue(), "committee-change");
  await stage(page, "proving");
  assert.match(await page.locator("progress").getAttribute("max"), /^\d+$/);
  assert.match(new URL(page.url()).hash, /^#ask\/[0-9a-f]{64}$/);
  await accessible(page);
  await picture(page, "proving-desktop");

  await server.kill();
  await said(page, "Out of touch");
  await accessible(page);
  await picture(page, "lost-desktop");
  server = await startServer(port, settings());
  await stage(page, "proving");
  await said(page, "The proof is here");
  await accessible(page);
  await picture(page, "received-desktop");

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Save it" }).click();
  const saved = await download;
  assert.match(saved.suggestedFilename(), /^committee-change-[0-9a-f]{8}\.proof$/);
  const proof = await readFile(await saved.path());

  await page.getByRole("button", { name: "Check it" }).click();
  await page.locator("[data-code=valid]").waitFor();
  assert.equal(new URL(page.url()).hash, "#check");
  await picture(page, "checked-desktop");

  // The same with a byte changed.
  proof[proof.length >> 1] ^= 1;
  await page.locator("#check-file").setInputFiles(picked("tampered.proof", proof));
  await page.locator("[data-code=damaged]").waitFor();
  await done();
});

test("a page that is loaded anew finds its job again, and takes it back", { timeout: PATIENCE }, async () => {
  const { page, done } = await open(browser, `${files.origin}/#ask`, PHONE);
  await ask(page, "compressed");
  await page.waitForURL(/#ask\/[0-9a-f]{64}$/);
  const id = new URL(page.url()).hash.slice("#ask/".length);
  await page.reload();
  await page.locator(".steps [aria-current]").waitFor({ timeout: PATIENCE });
  await accessible(page);
  await picture(page, "proving-phone", false);
  assert.equal((await job(id)).state, "running");
  await page.getByRole("button", { name: "Take it back" }).click();
  await said(page, "Taken back");
  assert.ok(await gone(id), "the server has let go of it");
  await done();
});

test("who leaves the page takes the job back if they said so, and not otherwise", { timeout: PATIENCE }, async () => {
  for (const takesBack of [false, true]) {
    const { page, done } = await open(browser, `${files.origin}/#ask`, DARK_PHONE);
    await ask(page, "compressed");
    await page.waitForURL(/#ask\/[0-9a-f]{64}$/);
    const id = new URL(page.url()).hash.slice("#ask/".length);
    await page.locator(".steps [aria-current]").waitFor({ timeout: PATIENCE });
    if (takesBack) {
      await page.locator("#ask-leave").check();
      await picture(page, "proving-dark-phone", false);
    }
    await page.goto("about:blank");
    assert.equal(await gone(id), takesBack);
    await done();
  }
});

test("what is wrong is said", async () => {
  const { page, done } = await open(browser, `${files.origin}/#ask`);
  await page.locator("#ask-server").fill(server.origin);
  await page.locator("#ask-submit").click();
  await said(page, "Nothing to ask");
  await page.locator("#ask-file").setInputFiles(picked("committee-change.input", Buffer.from("a letter")));
  await page.locator("#ask-submit").click();
  await said(page, "No proof");
  await page.locator("#ask-server").fill("ftp://127.0.0.1");
  await page.locator("#ask-submit").click();
  await said(page, "Nothing asked");
  await done();
});

async function job(id) {
  const answer = await fetch(`${server.origin}/v1/proofs/${id}`);
  return answer.ok ? answer.json() : { state: answer.status };
}

/** Whether the server stops working on it within a few seconds. */
async function gone(id) {
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await job(id)).state !== "running") return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
}
