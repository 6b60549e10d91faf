// The common parts of the tests: a browser, and a server in front of the service that answers calls of the API as a test sets it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

/** The URL of the service, as `cargo run` prints it. */
export const SERVICE = process.env.REGAIN_URL;
assert.ok(SERVICE, "REGAIN_URL names no running service: use scripts/test-page");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const ok = (data) => ({ status: 200, body: { status_code: 200, data, message: "" } });
export const refused = (status, error, more = {}) => ({
  status,
  headers: more.retryAfter === undefined ? {} : { "Retry-After": String(more.retryAfter) },
  body: { status_code: status, data: null, message: "", error, ...(more.reasons ? { reasons: more.reasons } : {}) },
});
/** The call arrives, and its answer is lost. */
export const LOST = "lost";

/**
 * A server that passes requests for the page on to the service, and answers each call of the API with the next of `answers`.
 * If an answer is a function, it is called, and the request stays without an answer. The server keeps all `calls`, and in `seen`
 * the URL and referrer of every request.
 */
export async function stub() {
  const it = { answers: [], calls: [], seen: [] };
  const server = createServer((request, response) => {
    it.seen.push(`${request.url} ${request.headers.referer ?? ""}`);
    if (request.method === "GET") {
      const options = { headers: request.headers };
      forward(new URL(request.url, SERVICE), options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }).end();
      return;
    }
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const key = request.headers["idempotency-key"];
      it.calls.push({ path: request.url, body: JSON.parse(text), key });
      const answer = it.answers.shift() ?? { status: 599, body: { message: "the test has no answer for this call" } };
      if (typeof answer === "function") return answer();
      if (answer === LOST) {
        // It breaks off in the middle: a browser repeats a call by itself if a connection ends before the answer begins.
        response.writeHead(200, { "Content-Length": 100 });
        response.write("{", () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.status, { "Content-Type": "application/json", ...answer.headers });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  it.url = `http://127.0.0.1:${server.address().port}`;
  it.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return it;
}

let browser;
const violations = [];

/** Starts a browser before the file's tests and ends it after them. */
export function useBrowser() {
  before(async () => {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    browser = await chromium.launch({ executablePath, args });
  });
  after(() => browser.close());
}

/** A tab of its own. After the test, nothing may have offended the content security policy or thrown an error. */
export async function open(t, url, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 400, height: 800 }, ...options });
  await context.exposeFunction("reportViolation", (what) => violations.push(what));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => violations.push(error.message));
  t.after(async () => {
    await context.close();
    assert.deepEqual(violations, []);
  });
  page.setDefaultTimeout(10_000);
  if (options.clock) await page.clock.install();
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.locator("#content").waitFor();
  return page;
}

/** The heading of the step, once the page shows it. */
export async function heading(page, text) {
  await page.locator("h1", { hasText: text }).waitFor();
}

/** The problem that the page tells, once it does. */
export async function problem(page, text) {
  await page.locator("#summary li", { hasText: text }).waitFor();
}

export const plain = (text) => text.replace(/[\u2068\u2069]/g, "");

/** Goes to a step by way of the stub. */
export const steps = {
  async code(page, server) {
    server.answers.push(ok("session-1"));
    await page.getByLabel("Email address").fill("ada@example.com");
    await page.keyboard.press("Enter");
    await heading(page, "Check your mail");
  },
  async password(page, server) {
    await steps.code(page, server);
    server.answers.push(ok("token-1"));
    await page.getByLabel("Code from the mail").fill("123456");
    await page.keyboard.press("Enter");
    await heading(page, "Choose a new password");
  },
  async link(page, server) {
    await page.goto(`${server.url}/recover#t=abcDEF`);
    await heading(page, "Choose a new password");
  },
};

/** No rule of axe finds anything, best practices included. */
export async function assertAccessible(page, where) {
  const found = await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map((it) => it.html).join(" ")))`);
  assert.deepEqual(found, [], where);
}
