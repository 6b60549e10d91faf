// Every refusal of the API, in the step in which it can come, and what the page makes of it.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { heading, LOST, ok, open, plain, problem, refused, steps, stub, useBrowser } from "./kit.js";

useBrowser();
let server;
before(async () => (server = await stub()));
after(() => server.close());
beforeEach(() => Object.assign(server, { answers: [], calls: [], seen: [] }));

const START_AGAIN = "Start again";

/** Submits what the step asks for. */
const submit = {
  address: (page) => page.getByLabel("Email address").fill("ada@example.com").then(() => page.keyboard.press("Enter")),
  code: (page) => page.getByLabel("Code from the mail").fill("654321").then(() => page.keyboard.press("Enter")),
  password: (page) => page.getByLabel("New password", { exact: true }).fill("copper lantern").then(() => page.keyboard.press("Enter")),
};
submit.link = submit.password;

/** Whether an element has the size of a text. One that is only for screen readers is clipped to a dot. */
const isSeen = async (element) => {
  const { width, height } = await element.boundingBox();
  return width > 100 && height > 10;
};

/** Step, answer, what the summary says, and whether the field is marked. */
const PROBLEMS = [
  ["address", refused(400, "invalid_request"), "Enter an email address", true],
  ["address", refused(429, "too_many_requests", { retryAfter: 40 }), "too many requests", false],
  ["address", refused(403, undefined), "Something went wrong", false],
  ["code", refused(401, "otp_invalid"), "This code is not right", true],
  ["code", refused(410, "otp_expired"), "This code has expired", true],
  ["code", refused(503, "service_unavailable", { retryAfter: 2 }), "not available", false],
  ["code", refused(500, "internal_error"), "not available", false],
  ["code", LOST, "No answer came", false],
  ["password", refused(422, "password_rejected", { reasons: ["too_short"] }), "This password cannot be used", true],
  ["password", refused(400, "password_required"), "Enter a new password", true],
  ["password", refused(503, "service_unavailable", { retryAfter: 2 }), "not available", false],
  ["password", refused(429, "too_many_requests", { retryAfter: 30 }), "too many requests", false],
  ["password", LOST, "No answer came", false],
  ["link", refused(422, "password_rejected", { reasons: ["breached"] }), "This password cannot be used", true],
  ["link", refused(503, "service_unavailable"), "not available", false],
];

for (const [step, answer, told, marksField] of PROBLEMS) {
  const name = answer === LOST ? "a lost answer" : `${answer.status} ${answer.body.error ?? "of the gateway"}`;
  test(`${step}: ${name} is told in the summary, and the step stays`, async (t) => {
    const page = await open(t, `${server.url}/recover`);
    if (step !== "address") await steps[step](page, server);
    const title = await page.locator("h1").textContent();
    server.answers.push(answer);
    await submit[step](page);
    await problem(page, told);
    assert.equal(await page.locator("h1").textContent(), title);
    assert.equal(await page.evaluate(() => document.activeElement.id), "summary");
    assert.match(await page.title(), /^Problem: /);
    const field = page.locator(`#${step === "link" ? "password" : step}`);
    assert.equal(await field.getAttribute("aria-invalid"), marksField ? "true" : null);
    if (!marksField) return;
    const described = (await field.getAttribute("aria-describedby")).split(" ");
    const error = page.locator(".error:visible");
    assert.ok(described.includes(await error.getAttribute("id")), "the field is described by its error");
    await page.locator("#summary a").click();
    assert.equal(await page.evaluate(() => document.activeElement.id), await field.getAttribute("id"));
    assert.equal(new URL(page.url()).hash, "", "the address bar stays as it is");
  });
}

/** Step, answer, the end it leads to, and what can be done there. */
const ENDS = [
  ["code", refused(404, "session_not_found"), "This recovery has ended", START_AGAIN],
  ["code", refused(410, "session_expired"), "This recovery has ended", START_AGAIN],
  ["code", refused(429, "attempts_exceeded"), "Too many wrong codes", START_AGAIN],
  ["code", refused(403, "user_blocked"), "This account is blocked", undefined],
  ["password", refused(410, "session_expired"), "This recovery has ended", START_AGAIN],
  ["password", refused(403, "user_blocked"), "This account is blocked", undefined],
  ["link", refused(410, "session_expired"), "This link no longer works", START_AGAIN],
  ["link", refused(401, "token_invalid"), "This link no longer works", START_AGAIN],
  ["link", refused(403, "user_blocked"), "This account is blocked", undefined],
];

for (const [step, answer, title, next] of ENDS) {
  test(`${step}: ${answer.body.error} ends in "${title}"`, async (t) => {
    const page = await open(t, `${server.url}/recover`);
    await steps[step](page, server);
    server.answers.push(answer);
    await submit[step](page);
    await heading(page, title);
    assert.equal(await page.evaluate(() => document.activeElement.id), "title");
    const kept = await page.evaluate(() => JSON.parse(sessionStorage.regain));
    assert.deepEqual(Object.keys(kept).filter((name) => !["step", "email", "waitUntil"].includes(name)), []);
    const button = page.locator("#start-again");
    assert.equal(await button.isVisible(), next !== undefined);
    if (next === undefined) return;
    await button.click();
    await heading(page, "Reset your password");
    assert.equal(await page.getByLabel("Email address").inputValue(), step === "link" ? "" : "ada@example.com");
  });
}

test("every reason against a password is said beside the field", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.password(page, server);
  const reasons = ["too_short", "too_long", "too_common", "breached", "contains_address", "contains_service_name", "contains_profile", "a_new_one"];
  server.answers.push(refused(422, "password_rejected", { reasons }));
  await submit.password(page);
  await problem(page, "This password cannot be used");
  const told = (await page.locator("#password-error li").allTextContents()).map(plain);
  assert.equal(told.length, reasons.length);
  assert.equal(new Set(told).size, reasons.length);
  assert.match(told[0], /Minimum length: 8 characters/);
  assert.match(told[5], /Regain/);
});

test("a reset token that a newer code replaced leads back to the code", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.password(page, server);
  server.answers.push(refused(401, "token_invalid"));
  await submit.password(page);
  await heading(page, "Check your mail");
  await problem(page, "replaced by a newer one");
  server.answers.push(ok("token-2"), ok("user"));
  await submit.code(page);
  await heading(page, "Choose a new password");
  await submit.password(page);
  await heading(page, "Your password was changed");
  assert.equal(server.calls.at(-1).body.token, "token-2");
});

test("what is missing is told without a call", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  for (const address of ["", "ada", "ada@", "a b@example.com"]) {
    await page.getByLabel("Email address").fill(address);
    await page.keyboard.press("Enter");
    await problem(page, "Enter an email address");
  }
  assert.equal(server.calls.length, 0);
  await steps.password(page, server);
  const before = server.calls.length;
  await page.getByLabel("New password", { exact: true }).press("Enter");
  await problem(page, "Enter a new password");
  assert.equal(server.calls.length, before);
});

// --- Waiting -----------------------------------------------------------------------------------------------------------

test("Retry-After is counted down, and nothing is sent before it is over", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  server.answers.push(refused(429, "too_many_requests", { retryAfter: 42 }));
  await submit.address(page);
  const wait = page.locator("#wait");
  await wait.filter({ hasText: "42 seconds" }).waitFor();
  await page.clock.runFor(2000);
  await wait.filter({ hasText: "40 seconds" }).waitFor();
  const button = page.getByRole("button", { name: "Send code" });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  await button.click({ force: true });
  assert.equal(server.calls.length, 1);
  await page.reload();
  await wait.filter({ hasText: /seconds/ }).waitFor();
  await page.clock.runFor(41_000);
  await wait.waitFor({ state: "hidden" });
  assert.equal(plain(await page.locator("#status").textContent()), "You can try again now.");
  server.answers.push(ok("session-1"));
  await submit.address(page);
  await heading(page, "Check your mail");
});

test("long waits are told in minutes and hours", async (t) => {
  for (const [retryAfter, told] of [[600, "10 minutes"], [40_000, "12 hours"]]) {
    const page = await open(t, `${server.url}/recover`, { clock: true });
    server.answers.push(refused(429, "too_many_requests", { retryAfter }));
    await submit.address(page);
    await page.locator("#wait", { hasText: told }).waitFor();
  }
});

test("guesses that are spent for the day are told with when to come back", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  await steps.code(page, server);
  server.answers.push(refused(429, "attempts_exceeded", { retryAfter: 7200 }));
  await submit.code(page);
  await heading(page, "Too many wrong codes");
  assert.match(plain(await page.locator("#lead").textContent()), /try again in 2 hours/);
  await page.clock.runFor(7_201_000);
  await page.locator("#lead", { hasText: "Start again to get a new one" }).waitFor();
});

test("a new code can be sent once the cooldown is over", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  await steps.code(page, server);
  const button = page.getByRole("button", { name: "Send a new code" });
  const hint = page.locator("#resend-wait");
  await hint.filter({ hasText: "60 seconds" }).waitFor();
  await button.click({ force: true });
  assert.equal(server.calls.length, 1, "not yet");
  await page.clock.runFor(61_000);
  assert.equal(await hint.textContent(), "");
  assert.equal(plain(await page.locator("#status").textContent()), "You can send a new code now.");
  server.answers.push(refused(429, "too_many_requests", { retryAfter: 90 }));
  await button.click();
  await problem(page, "too many requests");
  await hint.filter({ hasText: "90 seconds" }).waitFor();
  await page.clock.runFor(91_000);
  server.answers.push(ok("session-1"));
  await button.click();
  const sent = page.locator("#status", { hasText: "We have sent a new code" });
  await sent.waitFor();
  assert.ok(await isSeen(sent), "the text is not for screen readers alone");
  assert.deepEqual(server.calls.at(-1).body, { session_id: "session-1" });
});

// --- Lost answers --------------------------------------------------------------------------------------------------------

test("a request whose answer was lost is repeated with the same key, over a reload, too", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  server.answers.push(LOST, LOST, LOST);
  await submit.address(page);
  await problem(page, "No answer came");
  await page.reload();
  await page.locator("#content").waitFor();
  assert.equal(await page.getByLabel("Email address").inputValue(), "ada@example.com");
  server.answers.push(ok("session-1"));
  await submit.address(page);
  await heading(page, "Check your mail");
  assert.equal(server.calls.length, 4);
  assert.equal(new Set(server.calls.map(({ key }) => key)).size, 1);
  assert.match(server.calls[0].key, /^[0-9a-f-]{36}$/);
});

test("a code that fails after its answer was lost is called uncertain, and a new code is the way on", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  await steps.code(page, server);
  server.answers.push(LOST);
  await submit.code(page);
  await problem(page, "No answer came");
  server.answers.push(refused(401, "otp_invalid"));
  await submit.code(page);
  await problem(page, "used by an attempt whose answer was lost");
  await page.clock.runFor(61_000);
  server.answers.push(ok("session-1"));
  await page.getByRole("button", { name: "Send a new code" }).click();
  await page.locator("#status", { hasText: "We have sent a new code" }).waitFor();
  server.answers.push(refused(401, "otp_invalid"));
  await submit.code(page);
  await problem(page, "This code is not right");
});

test("a resend that is throttled after its answer was lost was probably sent", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  await steps.code(page, server);
  await page.clock.runFor(61_000);
  const button = page.getByRole("button", { name: "Send a new code" });
  server.answers.push(LOST);
  await button.click();
  await problem(page, "No answer came");
  server.answers.push(refused(429, "too_many_requests", { retryAfter: 55 }));
  await button.click();
  const sent = page.locator("#status", { hasText: "A new code was probably sent already" });
  await sent.waitFor();
  assert.ok(await isSeen(sent), "the text is not for screen readers alone");
  assert.equal(await page.locator("#summary").isVisible(), false);
});

/** Submits a step, and loads the page anew while the service has the call and has not answered yet. */
async function reloadDuringCall(page, start) {
  const arrived = new Promise((resolve) => server.answers.push(resolve));
  await start();
  await arrived;
  await page.reload();
  await page.locator("#content").waitFor();
}

test("a code that fails after a reload during its call is called uncertain", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.code(page, server);
  await reloadDuringCall(page, () => submit.code(page));
  server.answers.push(refused(401, "otp_invalid"));
  await submit.code(page);
  await problem(page, "used by an attempt whose answer was lost");
});

test("a resend that is throttled after a reload during its call was probably sent", async (t) => {
  const page = await open(t, `${server.url}/recover`, { clock: true });
  await steps.code(page, server);
  await page.clock.runFor(61_000);
  const button = page.getByRole("button", { name: "Send a new code" });
  await reloadDuringCall(page, () => button.click());
  server.answers.push(refused(429, "too_many_requests", { retryAfter: 55 }));
  await button.click();
  await page.locator("#status", { hasText: "A new code was probably sent already" }).waitFor();
});

test("a password that is refused as used after a reload during its call was probably set", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.password(page, server);
  await reloadDuringCall(page, () => submit.password(page));
  server.answers.push(refused(410, "session_expired"));
  await submit.password(page);
  await heading(page, "Your password was probably changed");
});

for (const step of ["password", "link"]) {
  test(`${step}: a password that is refused as used after its answer was lost was probably set`, async (t) => {
    const page = await open(t, `${server.url}/recover`);
    await steps[step](page, server);
    server.answers.push(LOST);
    await submit[step](page);
    await problem(page, "No answer came");
    server.answers.push(refused(410, "session_expired"));
    await submit[step](page);
    await heading(page, "Your password was probably changed");
    assert.equal(await page.locator("#sign-in").getAttribute("href"), "https://app.example.com/sign-in");
    assert.ok(await page.locator("#start-again").isVisible());
  });
}

test("a page that cannot load its parts says so", async (t) => {
  const context = await open(t, `${server.url}/recover`).then((page) => page.context());
  const page = await context.newPage();
  await page.route("**/regain.js", (route) => route.abort());
  await page.goto(`${server.url}/recover#t=abcDEF`);
  await page.getByText("This page could not be loaded").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the token has left the address bar nevertheless");
});

test("a page whose script does not load says so after some seconds, in every language", async (t) => {
  const context = await open(t, `${server.url}/recover`).then((page) => page.context());
  const page = await context.newPage();
  await page.route("**/app-*.js", (route) => route.abort());
  await page.goto(`${server.url}/recover`);
  const line = (language) => page.locator(`#incomplete p[lang=${language}]`);
  assert.equal(await line("en").isVisible(), false, "a slow connection is given time");
  await line("en").filter({ hasText: "This page could not be loaded" }).waitFor({ timeout: 30_000 });
  for (const language of ["ar", "id"]) assert.ok(await line(language).isVisible(), language);
});
