// The operator's view, live, of a real server that serves the page itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DARK, PHONE, accessible, launch, open, picked, picture } from "./browser.mjs";
import { freePort, handover, startServer } from "./server.mjs";

const PATIENCE = 300_000;

let browser;
let server;
let port;
const settings = ["--http-files", process.env.SEXTANT_WEB, "--kinds", "stark", "--reconnect-grace", "0"];

before(async () => {
  browser = await launch();
  port = await freePort();
  server = await startServer(port, settings);
});
after(async () => {
  await server?.kill();
  await browser?.close();
});

test("jobs, workers and failures as they come and go", { timeout: 2 * PATIENCE }, async () => {
  const asking = await open(browser, `${server.origin}/#ask`);
  assert.equal(await asking.page.locator("#ask-server").inputValue(), server.origin);
  const watching = await open(browser, `${server.origin}/#operate`);
  const { page } = watching;
  await page.locator("#operate-status .verdict", { hasText: /^Ready$/ }).waitFor({ timeout: PATIENCE });
  await page.getByText("No jobs.").waitFor();
  await page.getByText("No job has failed.").waitFor();

  await asking.page.locator("#ask-file").setInputFiles(picked("committee-change.input", handover()));
  await asking.page.locator("#ask-kind").selectOption("stark");
  await asking.page.locator("#ask-submit").click();
  await page.getByRole("cell", { name: /Proving: \d+ of \d+ parts/ }).waitFor({ timeout: PATIENCE });
  const id = new URL(asking.page.url()).hash.slice("#ask/".length);
  await page.getByRole("cell", { name: id.slice(0, 12) }).waitFor();
  await accessible(page);
  await picture(page, "operate-desktop");
  for (const [name, options] of Object.entries({ dark: DARK, phone: PHONE })) {
    const other = await open(browser, `${server.origin}/#operate`, options);
    await other.page.getByRole("cell", { name: id.slice(0, 12) }).waitFor();
    await accessible(other.page);
    await picture(other.page, `operate-${name}`);
    await other.done();
  }
  await asking.page.getByRole("button", { name: "Take it back" }).click();
  await page.getByText("No jobs.").waitFor({ timeout: PATIENCE });

  await server.kill();
  await page.locator("#operate-status .verdict", { hasText: "Out of touch" }).waitFor({ timeout: PATIENCE });
  await accessible(page);
  server = await startServer(port, settings);
  await page.locator("#operate-status .verdict", { hasText: /^Ready$/ }).waitFor({ timeout: PATIENCE });
  await asking.done();
  await watching.done();
});
