// Chromium, and what the tests of all views do with it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "playwright-core";

const data = new URL("../../tests/data/", import.meta.url);
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const DARK = { ...DESKTOP, colorScheme: "dark" };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DARK_PHONE = { ...PHONE, colorScheme: "dark" };

/** A recorded file. */
export const recorded = (name) => readFileSync(new URL(name, data));

/** As a file picker takes it. */
export const picked = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });

export function launch() {
  // Debian's Chromium has a sandbox that root cannot enter.
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: [...args, "--disable-dev-shm-usage"] });
}

/** A tab of its own. What the browser complains about, as breaches of the policy, fails the test that `done` is called in. */
export async function open(browser, address, options = DESKTOP) {
  const context = await browser.newContext({ ...options, acceptDownloads: true });
  const page = await context.newPage();
  const complaints = [];
  // A server that is away is what some tests are about; the browser says so for each request.
  page.on("console", (message) => {
    const expected = /Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text());
    if (message.type() === "error" && !expected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  const done = async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  };
  return { page, done };
}

/** Leaves a picture for people to look at. */
export function picture(page, name, fullPage = true) {
  return page.screenshot({ path: join(process.env.SEXTANT_SCREENSHOTS, `${name}.png`), fullPage });
}

/** What can be judged by a program: names, roles, contrast; and that nothing is wider than the screen. */
export async function accessible(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `wider than the screen by ${wide}`);
  await page.evaluate(axe);
  // What is appearing has not its colours yet.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(said, []);
}
