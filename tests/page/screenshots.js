// Takes the pictures of the documentation: `scripts/screenshots` starts the service for it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";

const service = process.env.REGAIN_URL;
const folder = process.argv[2];
assert.ok(service && folder, "use scripts/screenshots");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A page of the service in a window of that size. */
async function open(path, width, height) {
  const context = await browser.newContext({ viewport: { width, height }, locale: "en", colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(service + path);
  return page;
}

async function take(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", caret: "hide" });
  await page.context().close();
}

/** Asks for a code, as an app does. */
async function ask(email) {
  const answer = await fetch(`${service}/auth/v1/forgot-password`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": "en" },
    body: JSON.stringify({ email }),
  });
  assert.equal(answer.status, 200);
}

await ask("siti@example.com");

const page = await open("/recover", 720, 540);
await page.getByRole("textbox").fill("demo@example.com");
await page.keyboard.press("Enter");
await page.locator("[autocomplete=one-time-code]").waitFor({ state: "visible" });
await take(page, "page");

const mailbox = await open("/_mail", 840, 480);
const mail = mailbox.getByRole("link", { name: "demo@example.com" });
await mail.first().click();
await mailbox.frameLocator("#html").locator("body").waitFor();
await take(mailbox, "mailbox");

await browser.close();
