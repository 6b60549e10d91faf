// The client against the service itself. REGAIN_URL names a running `cargo run` with its demo users; without it, these tests are skipped.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRecovery, newIdempotencyKey, RecoveryError } from "../dist/regain.js";

const baseUrl = process.env.REGAIN_URL;
const skip = baseUrl ? false : "REGAIN_URL names no running service";
const EMAIL = "demo@example.com";

/** The codes that were mailed, newest first. */
async function codes() {
  const mails = await (await fetch(`${baseUrl}/_mail.json?to=${encodeURIComponent(EMAIL)}`)).json();
  return mails.map(({ text }) => /^[0-9]{4,10}$/m.exec(text)?.[0]).filter(Boolean);
}

async function nextCode(known) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const all = await codes();
    if (all.length > known) return all[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail("no mail came");
}

async function failure(promise) {
  const error = await promise.then(() => assert.fail("it succeeded"), (error) => error);
  assert.ok(error instanceof RecoveryError, String(error));
  return error;
}

test("a person recovers, and is told what is wrong on the way", { skip }, async () => {
  const recovery = createRecovery({ baseUrl, language: "en" });
  const known = (await codes()).length;

  const idempotencyKey = newIdempotencyKey();
  const { sessionId } = await recovery.request(EMAIL, { idempotencyKey });
  assert.deepEqual(await recovery.request(EMAIL, { idempotencyKey }), { sessionId }, "the same key, the same session");
  const early = await failure(recovery.resend(sessionId));
  assert.equal(early.code, "too_many_requests");
  assert.ok(early.retryAfter > 0 && early.retryAfter <= 60, String(early.retryAfter));

  const code = await nextCode(known);
  const wrong = String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0");
  assert.equal((await failure(recovery.verify(sessionId, wrong))).code, "otp_invalid");
  const { token } = await recovery.verify(sessionId, code);
  assert.equal((await failure(recovery.verify(sessionId, code))).code, "otp_invalid", "a code works once");

  const rejected = await failure(recovery.setPassword(token, "password"));
  assert.equal(rejected.code, "password_rejected");
  assert.ok(rejected.reasons.includes("too_common"), rejected.reasons.join());
  const { userId } = await recovery.setPassword(token, `copper lantern ${newIdempotencyKey()}`);
  assert.ok(userId);
  assert.equal((await failure(recovery.setPassword(token, "another copper lantern"))).code, "session_expired");
});

test("what the service does not know is refused by its own words", { skip }, async () => {
  const recovery = createRecovery({ baseUrl });
  assert.equal((await failure(recovery.request("no address"))).field, "email");
  assert.equal((await failure(recovery.verify(newIdempotencyKey(), "123456"))).code, "session_not_found");
  assert.equal((await failure(recovery.setPassword("nothing", "copper lantern 27"))).code, "token_invalid");
  assert.equal((await failure(recovery.setPassword("nothing", ""))).code, "password_required");
});
