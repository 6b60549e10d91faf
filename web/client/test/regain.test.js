// The client against a small HTTP server that answers as it is told.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { createRecovery, newIdempotencyKey, RecoveryError } from "../dist/regain.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let server;
let baseUrl;
let calls;
/** What the server does with the calls, in order; the last one repeats. */
let script;

const ok = (data) => ({ status: 200, body: { status_code: 200, data, message: "" } });
const refused = (status, error, more = {}, headers = {}) => ({
  status,
  headers: { "X-Request-Id": "req-1", ...headers },
  body: { status_code: status, data: null, message: `told: ${error}`, error, ...more },
});
const HANG_UP = "hang up";
const SAY_NOTHING = "say nothing";

before(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      calls.push({ method: request.method, path: request.url, headers: request.headers, body: JSON.parse(body) });
      const step = script.length > 1 ? script.shift() : script[0];
      if (step === HANG_UP) return request.socket.destroy();
      if (step === SAY_NOTHING) return;
      response.writeHead(step.status, { "Content-Type": "application/json", ...step.headers });
      response.end(typeof step.body === "string" ? step.body : JSON.stringify(step.body));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  calls = [];
});

const client = (options = {}) => createRecovery({ baseUrl, ...options });

/** The error that a call ends in. */
async function failure(promise) {
  const error = await promise.then(
    (value) => assert.fail(`it succeeded with ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.ok(error instanceof RecoveryError, String(error));
  return error;
}

test("each method posts its body to its path and returns the data", async () => {
  script = [ok("one"), ok("two"), ok("three"), ok("four")];
  const recovery = client();
  assert.deepEqual(await recovery.request("a@example.com"), { sessionId: "one" });
  assert.deepEqual(await recovery.verify("s", "012345"), { token: "two" });
  assert.deepEqual(await recovery.resend("s"), { sessionId: "three" });
  assert.deepEqual(await recovery.setPassword("t", "a new password"), { userId: "four" });
  assert.deepEqual(
    calls.map(({ method, path, body }) => [method, path, body]),
    [
      ["POST", "/auth/v1/forgot-password", { email: "a@example.com" }],
      ["POST", "/auth/v1/forgot-password/verify-otp", { session_id: "s", otp: "012345" }],
      ["POST", "/auth/v1/forgot-password/resend-otp", { session_id: "s" }],
      ["POST", "/auth/v1/forgot-password/set-password", { token: "t", password: "a new password" }],
    ],
  );
});

test("only a request carries an idempotency key", async () => {
  script = [ok("x")];
  const recovery = client();
  await recovery.request("a@example.com");
  await recovery.verify("s", "1");
  await recovery.resend("s");
  await recovery.setPassword("t", "p");
  const keys = calls.map(({ headers }) => headers["idempotency-key"]);
  assert.match(keys[0], UUID);
  assert.deepEqual(keys.slice(1), [undefined, undefined, undefined]);
});

test("a base URL with a path keeps it, with or without a slash at the end", async () => {
  script = [ok("x")];
  for (const path of ["/stage", "/stage/"]) await createRecovery({ baseUrl: baseUrl + path }).verify("s", "1");
  for (const { path } of calls) assert.equal(path, "/stage/auth/v1/forgot-password/verify-otp");
});

test("language and device become headers", async () => {
  script = [ok("x")];
  await client({ language: "id", device: "kiosk" }).resend("s");
  assert.equal(calls[0].headers["accept-language"], "id");
  assert.equal(calls[0].headers["x-agent"], "kiosk");
});

test("every refusal of the service becomes an error with its code, status, message and request id", async () => {
  for (const [status, code] of [
    [400, "invalid_request"],
    [400, "password_required"],
    [401, "otp_invalid"],
    [410, "otp_expired"],
    [401, "token_invalid"],
    [403, "user_blocked"],
    [404, "session_not_found"],
    [410, "session_expired"],
    [422, "password_rejected"],
    [429, "attempts_exceeded"],
    [429, "too_many_requests"],
    [503, "service_unavailable"],
    [500, "internal_error"],
  ]) {
    script = [refused(status, code)];
    const error = await failure(client().setPassword("t", "p"));
    assert.equal(error.code, code);
    assert.equal(error.status, status);
    assert.equal(error.message, `told: ${code}`);
    assert.equal(error.requestId, "req-1");
    assert.equal(error.outcomeUnknown, status >= 500, code);
  }
});

test("an error names the field, and the reasons against a password", async () => {
  script = [refused(400, "invalid_request", { field: "email" })];
  assert.equal((await failure(client().request("x"))).field, "email");
  script = [refused(422, "password_rejected", { reasons: ["too_short", "breached"] })];
  assert.deepEqual((await failure(client().setPassword("t", "p"))).reasons, ["too_short", "breached"]);
});

test("Retry-After is read as seconds and as a date", async () => {
  script = [refused(429, "too_many_requests", {}, { "Retry-After": "42" })];
  const started = Date.now();
  const error = await failure(client().request("a@example.com"));
  assert.equal(error.retryAfter, 42);
  assert.ok(error.retryAt.getTime() >= started + 42_000 && error.retryAt.getTime() <= Date.now() + 42_000);

  script = [refused(429, "too_many_requests", {}, { "Retry-After": new Date(Date.now() + 100_000).toUTCString() })];
  const { retryAfter } = await failure(client().resend("s"));
  assert.ok(retryAfter > 95 && retryAfter <= 100, String(retryAfter));

  script = [refused(429, "attempts_exceeded")];
  const none = await failure(client().verify("s", "1"));
  assert.deepEqual([none.retryAfter, none.retryAt], [undefined, undefined]);
});

test("what the gateway answers itself becomes an error of the same kinds", async () => {
  for (const [status, body, code, outcomeUnknown] of [
    [429, { message: "Too Many Requests" }, "too_many_requests", false],
    [503, { message: "Service Unavailable" }, "service_unavailable", true],
    [500, { message: "Internal Server Error" }, "internal_error", true],
    [502, "<html>", "service_unavailable", true],
    [404, { message: "Not Found" }, "unexpected_answer", false],
    [403, { message: "Forbidden" }, "unexpected_answer", false],
    [403, { error: "Forbidden" }, "unexpected_answer", false],
    [503, { error: "Unavailable", status_code: "503" }, "service_unavailable", true],
    [200, "<html>a captive portal</html>", "unexpected_answer", true],
    [200, { data: null }, "unexpected_answer", true],
    [200, [], "unexpected_answer", true],
  ]) {
    script = [{ status, body }];
    const error = await failure(client().verify("s", "1"));
    assert.deepEqual([error.code, error.status, error.outcomeUnknown], [code, status, outcomeUnknown]);
  }
});

test("a request is repeated with the same key until an answer comes", async () => {
  script = [HANG_UP, refused(503, "service_unavailable", {}, { "Retry-After": "0" }), ok("s")];
  assert.deepEqual(await client().request("a@example.com"), { sessionId: "s" });
  assert.equal(calls.length, 3);
  assert.equal(new Set(calls.map(({ headers }) => headers["idempotency-key"])).size, 1);
});

test("a request gives up after three attempts, and goes on with the same key when it is called again", async () => {
  script = [HANG_UP];
  const recovery = client();
  const error = await failure(recovery.request("a@example.com"));
  assert.deepEqual([error.code, error.outcomeUnknown, error.status], ["no_answer", true, undefined]);
  assert.equal(calls.length, 3);
  script = [ok("s")];
  await recovery.request("a@example.com");
  await recovery.request("a@example.com");
  const keys = calls.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(new Set(keys.slice(0, 4)).size, 1, "the outcome was unknown until the fourth call");
  assert.notEqual(keys[4], keys[3], "another request has another key");
});

test("the key of one address is not used for another", async () => {
  script = [HANG_UP, HANG_UP, HANG_UP, ok("s")];
  const recovery = client();
  await failure(recovery.request("a@example.com"));
  await recovery.request("b@example.com");
  assert.notEqual(calls[3].headers["idempotency-key"], calls[2].headers["idempotency-key"]);
});

test("a caller's own key is sent as it is", async () => {
  script = [ok("s")];
  const idempotencyKey = newIdempotencyKey();
  assert.match(idempotencyKey, UUID);
  await client().request("a@example.com", { idempotencyKey });
  assert.equal(calls[0].headers["idempotency-key"], idempotencyKey);
});

test("a request that was refused is not repeated", async () => {
  script = [refused(429, "too_many_requests", {}, { "Retry-After": "1" })];
  await failure(client().request("a@example.com"));
  assert.equal(calls.length, 1);
});

test("a request does not wait longer than some seconds by itself", async () => {
  script = [refused(503, "service_unavailable", {}, { "Retry-After": "60" })];
  assert.equal((await failure(client().request("a@example.com"))).retryAfter, 60);
  assert.equal(calls.length, 1);
});

test("verify, resend and setPassword are never repeated", async () => {
  for (const step of [HANG_UP, refused(503, "service_unavailable", {}, { "Retry-After": "0" })]) {
    script = [step];
    for (const call of [
      (recovery) => recovery.verify("s", "1"),
      (recovery) => recovery.resend("s"),
      (recovery) => recovery.setPassword("t", "p"),
    ]) {
      calls = [];
      const error = await failure(call(client()));
      assert.equal(error.outcomeUnknown, true);
      assert.equal(calls.length, 1);
    }
  }
});

test("an answer that takes too long is no answer", async () => {
  script = [SAY_NOTHING];
  const error = await failure(client({ timeout: 50 }).verify("s", "1"));
  assert.equal(error.code, "no_answer");
  assert.equal(calls.length, 1);
});

test("an aborted call throws the reason of its signal", async () => {
  script = [SAY_NOTHING];
  const aborter = new AbortController();
  const verified = client().verify("s", "1", { signal: aborter.signal });
  aborter.abort(new Error("the person left"));
  await assert.rejects(verified, /the person left/);
  await assert.rejects(client().resend("s", { signal: AbortSignal.abort(new Error("already")) }), /already/);
});

test("an abort also ends the wait between two attempts", async () => {
  script = [refused(503, "service_unavailable", {}, { "Retry-After": "5" })];
  const aborter = new AbortController();
  const answered = [];
  const requested = client({
    fetch: async (...call) => {
      const response = await fetch(...call);
      answered.push(response.status);
      setTimeout(() => aborter.abort(new Error("the person left")), 0);
      return response;
    },
  }).request("a@example.com", { signal: aborter.signal });
  await assert.rejects(requested, /the person left/);
  assert.deepEqual(answered, [503]);
});

test("no call sends cookies, follows a redirect or names the page it comes from", async () => {
  const seen = [];
  const recovery = client({
    fetch: async (_, init) => {
      seen.push([init.credentials, init.redirect, init.referrerPolicy]);
      return Response.json({ data: "x" });
    },
  });
  await recovery.request("a@example.com");
  await recovery.setPassword("t", "p");
  assert.deepEqual(seen, Array(2).fill(["omit", "error", "no-referrer"]));
});

test("a person disowns a change by the token of its notice", async () => {
  script = [ok("blocked")];
  const recovery = createRecovery({ baseUrl: `${baseUrl}/below` });
  assert.equal(await recovery.notMe("abcp"), undefined);
  assert.deepEqual(calls.map(({ method, path, body }) => ({ method, path, body })), [
    { method: "POST", path: "/below/recover/not-me", body: { token: "abcp" } },
  ]);
  for (const [status, code] of [[401, "token_invalid"], [410, "session_expired"], [503, "service_unavailable"]]) {
    calls = [];
    script = [refused(status, code)];
    const error = await recovery.notMe("abcp").then(() => assert.fail("it succeeded"), (error) => error);
    assert.ok(error instanceof RecoveryError);
    assert.equal(error.code, code);
    assert.equal(calls.length, 1, "it is not retried");
  }
});
