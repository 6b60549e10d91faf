// Both ways in, from the start to the end, and what a browser adds: reloads, tabs, keys, sizes, languages, colours.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { assertAccessible, heading, LOST, ok, open, plain, problem, refused, SERVICE, steps, stub, useBrowser } from "./kit.js";

useBrowser();
let server;
before(async () => (server = await stub()));
after(() => server.close());
beforeEach(() => Object.assign(server, { answers: [], calls: [], seen: [] }));

const EMAIL = "demo@example.com";
const LANGUAGES = readdirSync(new URL("../../locales", import.meta.url))
  .filter((name) => name.endsWith(".ftl"))
  .map((name) => name.slice(0, -".ftl".length));
const passwordField = (page) => page.getByLabel("New password", { exact: true });

/** The text of the newest mail with a code, once there are more of them than `known`. */
async function codeMail(known = 0) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const mails = await (await fetch(`${SERVICE}/_mail.json?to=${EMAIL}`)).json();
    const coded = mails.filter(({ text }) => /^\d{6}$/m.test(text));
    if (coded.length > known) return coded[0].text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail("no mail came");
}

test("a person recovers with a code of the real service", async (t) => {
  const page = await open(t, `${SERVICE}/recover`);
  await page.getByLabel("Email address").fill(EMAIL);
  await page.getByRole("button", { name: "Send code" }).click();
  await heading(page, "Check your mail");
  assert.match(plain(await page.locator("#lead").textContent()), /demo@example\.com/);
  const mail = await codeMail();

  const wrong = /^\d{6}$/m.exec(mail)[0].replace(/.$/, (digit) => (Number(digit) + 1) % 10);
  await page.getByLabel("Code from the mail").fill(wrong);
  await page.getByRole("button", { name: "Continue" }).click();
  await problem(page, "This code is not right");

  // The whole mail, as somebody pastes it.
  await page.getByLabel("Code from the mail").evaluate((field, text) => {
    field.value = text.replaceAll("\n", " ");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, mail);
  assert.match(await page.getByLabel("Code from the mail").inputValue(), /^\d{6}$/);
  await page.getByRole("button", { name: "Continue" }).click();
  await heading(page, "Choose a new password");
  assert.equal(await page.getByLabel("Account").inputValue(), EMAIL);

  await passwordField(page).fill("password");
  await page.getByRole("button", { name: "Set password" }).click();
  await problem(page, "This password cannot be used");
  await page.locator("#password-error", { hasText: "guessed first" }).waitFor();

  await passwordField(page).fill("copper lantern nineteen");
  await page.getByRole("button", { name: "Set password" }).click();
  await heading(page, "Your password was changed");
  assert.equal(await page.getByRole("link", { name: "Sign in" }).getAttribute("href"), "https://app.example.com/sign-in");
});

test("the link of a mail asks for the new password at once", async (t) => {
  const token = "abcDEFghiJKLmnoPQR";
  const page = await open(t, `${server.url}/recover#t=${token}`);
  await heading(page, "Choose a new password");
  assert.equal(page.url(), `${server.url}/recover`);
  assert.equal(await page.evaluate(() => history.length), 2, "about:blank and the page, once");
  assert.equal(server.calls.length, 0, "opening a link changes nothing");
  assert.equal(await page.locator("#steps").isVisible(), false);
  assert.equal(await page.locator("#account-row").isVisible(), false);

  await page.reload();
  await heading(page, "Choose a new password");
  server.answers.push(ok("user-1"));
  await passwordField(page).fill("copper lantern");
  await page.keyboard.press("Enter");
  await heading(page, "Your password was changed");
  assert.deepEqual(server.calls, [
    { path: "/auth/v1/forgot-password/set-password", body: { token, password: "copper lantern" }, key: undefined },
  ]);
  assert.deepEqual(server.seen.filter((line) => line.includes(token)), [], "no address and no referrer held the token");
  assert.equal(await page.evaluate((token) => JSON.stringify({ ...sessionStorage, ...localStorage }).includes(token), token), false);
});

test("the link of a notice asks first, and blocks the account by keyboard alone", async (t) => {
  const token = "abcdefghijklmnop";
  const page = await open(t, `${server.url}/recover#n=${token}`);
  await heading(page, "Was it not you?");
  assert.equal(page.url(), `${server.url}/recover`);
  assert.equal(server.calls.length, 0, "opening the link changes nothing");
  assert.equal(await page.locator("#steps").isVisible(), false);
  await assertAccessible(page);

  await page.reload();
  await heading(page, "Was it not you?");
  assert.equal(server.calls.length, 0, "nor does a reload");
  // The answer is lost. A second use is answered like the first.
  server.answers.push(LOST, ok("blocked"));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await problem(page, "No answer came");
  await page.getByRole("button", { name: "Block my account" }).press("Enter");
  await heading(page, "Your account is blocked");
  await assertAccessible(page);
  const call = { path: "/recover/not-me", body: { token }, key: undefined };
  assert.deepEqual(server.calls, [call, call]);
  assert.deepEqual(server.seen.filter((line) => line.includes(token)), [], "no address and no referrer held the token");
  assert.equal(await page.evaluate((token) => JSON.stringify({ ...sessionStorage, ...localStorage }).includes(token), token), false);
  assert.equal(await page.getByRole("button", { name: "Start again" }).isVisible(), false);
});

test("a notice's link that is no longer good says so", async (t) => {
  for (const [status, code] of [[401, "token_invalid"], [410, "session_expired"]]) {
    const page = await open(t, `${server.url}/recover#n=abcdef`);
    await heading(page, "Was it not you?");
    server.answers.push(refused(status, code));
    await page.getByRole("button", { name: "Block my account" }).click();
    await heading(page, "This link no longer works");
    await assertAccessible(page);
    await page.getByRole("button", { name: "Start again" }).click();
    await heading(page, "Reset your password");
  }
});

test("a person who did not change the password blocks the account by the mail of the real service", async (t) => {
  const notices = async () => {
    const mails = await (await fetch(`${SERVICE}/_mail.json`)).json();
    return mails.map(({ text }) => /\S+#n=([a-p]+)/.exec(text)?.[1]).filter(Boolean);
  };
  const deadline = Date.now() + 20_000;
  while ((await notices()).length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  const [token] = await notices();
  const page = await open(t, `${SERVICE}/recover#n=${token}`);
  for (const _ of ["first", "second"]) {
    await heading(page, "Was it not you?");
    await page.getByRole("button", { name: "Block my account" }).click();
    await heading(page, "Your account is blocked");
    await page.goto("about:blank");
    await page.goto(`${SERVICE}/recover#n=${token}`);
  }
});

test("the token leaves the address bar before anything is fetched by script", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  const urls = [];
  await page.route(/\.json$|regain\.js$/, async (route) => {
    urls.push(page.url());
    await route.continue();
  });
  await page.goto("about:blank");
  await page.goto(`${server.url}/recover#t=abcDEF`);
  await heading(page, "Choose a new password");
  assert.ok(urls.length > 0);
  // A preload in the HTML may start before the script.
  assert.equal(urls.at(-1), `${server.url}/recover`);
});

test("a link also works in a tab that shows the page already", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.code(page, server);
  await page.evaluate(() => (location.hash = "#t=abcDEF"));
  await heading(page, "Choose a new password");
  assert.equal(new URL(page.url()).hash, "");
  server.answers.push(ok("user-1"));
  await passwordField(page).fill("copper lantern");
  await page.keyboard.press("Enter");
  await heading(page, "Your password was changed");
  assert.equal(server.calls.at(-1).body.token, "abcDEF");
});

test("the mailbox of this machine shows the sender's name as mail programs do", async (t) => {
  for (const [from, shown] of [
    ["=?UTF-8?B?Q2Fmw6k=?= <a@b.example>", "Café <a@b.example>"],
    ["=?UTF-8?B?546L5bCP?= =?UTF-8?B?5piO?= <a@b.example>", "王小明 <a@b.example>"],
    ['"Your Shop" <a@b.example>', '"Your Shop" <a@b.example>'],
  ]) {
    const mail = { to: "ada@example.com", from, subject: "Hello", template: "x", text: "Hello", html: "Hello", sentAt: "2026-01-01T00:00:00Z" };
    const page = await open(t, `${SERVICE}/recover`);
    await page.route("**/_mail.json*", (route) => route.fulfill({ json: [mail] }));
    await page.goto(`${SERVICE}/_mail`);
    await page.getByRole("link", { name: "ada@example.com" }).click();
    await page.locator("#from", { hasText: shown }).waitFor();
  }
});

test("what a mail program or a person has added behind a link's token is no part of it", async (t) => {
  for (const [more, path] of [[".", "/auth/v1/forgot-password/set-password"], ["&utm_source=mail", "/recover/not-me"], ["%3E)", "/recover/not-me"]]) {
    const isNotice = path === "/recover/not-me";
    const page = await open(t, `${server.url}/recover#${isNotice ? "n" : "t"}=abcDEF${more}`);
    await heading(page, isNotice ? "Was it not you?" : "Choose a new password");
    assert.equal(new URL(page.url()).hash, "");
    server.answers.push(ok("user-1"));
    if (!isNotice) await passwordField(page).fill("copper lantern");
    await page.locator("form:visible [type=submit]").press("Enter");
    await heading(page, isNotice ? "Your account is blocked" : "Your password was changed");
    assert.equal(server.calls.at(-1).path, path);
    assert.equal(server.calls.at(-1).body.token, "abcDEF", more);
  }
});

test("each step survives a reload, and a password is never kept", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  const reloaded = async (title) => {
    await page.reload();
    await heading(page, title);
  };
  await steps.code(page, server);
  await reloaded("Check your mail");
  server.answers.push(ok("token-1"));
  await page.getByLabel("Code from the mail").fill("123456");
  await page.keyboard.press("Enter");
  await heading(page, "Choose a new password");
  server.answers.push(refused(422, "password_rejected", { reasons: ["breached"] }));
  await passwordField(page).fill("hunter two hunter");
  await page.keyboard.press("Enter");
  await problem(page, "This password cannot be used");
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie);
  assert.ok(kept.includes("token-1") && !kept.includes("hunter"), kept);
  await reloaded("Choose a new password");
  assert.equal(await passwordField(page).inputValue(), "");
  server.answers.push(ok("user-1"));
  await passwordField(page).fill("copper lantern");
  await page.keyboard.press("Enter");
  await heading(page, "Your password was changed");
  await reloaded("Your password was changed");
  assert.equal(await page.evaluate(() => sessionStorage.regain), '{"step":"done"}');
  await page.goto("about:blank");
  await page.goto(`${server.url}/recover`);
  await heading(page, "Reset your password");
});

test("a second tab begins on its own and leaves the first one alone", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.code(page, server);
  const second = await page.context().newPage();
  await second.goto(`${server.url}/recover`);
  await heading(second, "Reset your password");
  server.answers.push(ok("session-2"));
  await second.getByLabel("Email address").fill("ada@example.com");
  await second.keyboard.press("Enter");
  await heading(second, "Check your mail");
  server.answers.push(ok("token-1"));
  await page.getByLabel("Code from the mail").fill("123456");
  await page.getByLabel("Code from the mail").press("Enter");
  await heading(page, "Choose a new password");
  assert.equal(server.calls.at(-1).body.session_id, "session-1");
});

test("another address can be used, and a link given up", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.code(page, server);
  await page.getByRole("button", { name: "Use another address" }).click();
  await heading(page, "Reset your password");
  assert.equal(await page.getByLabel("Email address").inputValue(), "ada@example.com");
  await steps.link(page, server);
  await page.getByRole("button", { name: "Start again" }).click();
  await heading(page, "Reset your password");
});

test("one press is one call, and a second one meanwhile is none", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.code(page, server);
  let answered;
  const held = new Promise((resolve) => (answered = resolve));
  await page.route("**/verify-otp", async (route) => {
    await held;
    await route.continue();
  });
  server.answers.push(ok("token-1"));
  await page.getByLabel("Code from the mail").fill("123456");
  await page.keyboard.press("Enter");
  const button = page.getByRole("button", { name: "Continue" });
  await page.locator("#code-form [type=submit].busy").waitFor();
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  await page.keyboard.press("Enter");
  answered();
  await heading(page, "Choose a new password");
  assert.equal(server.calls.filter(({ path }) => path.endsWith("verify-otp")).length, 1);
});

test("a whole recovery needs no mouse", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  assert.equal(await focused(), "address");
  await press("Tab");
  assert.equal(await focused(), "Send code");
  await press("Enter");
  await problem(page, "Enter an email address");
  await press("Tab", "Enter");
  assert.equal(await focused(), "address", "the summary links to the field");
  server.answers.push(ok("session-1"));
  await page.keyboard.type("ada@example.com");
  await press("Enter");
  await heading(page, "Check your mail");
  assert.equal(await focused(), "code");
  server.answers.push(ok("token-1"));
  await page.keyboard.type("123456");
  await press("Tab", "Space");
  await heading(page, "Choose a new password");
  assert.equal(await focused(), "password");
  await page.keyboard.type("copper lantern");
  await press("Tab");
  assert.equal(await focused(), "show");
  await press("Space");
  assert.equal(await passwordField(page).getAttribute("type"), "text");
  assert.equal(await page.locator("#status").textContent(), "Your password is visible.");
  server.answers.push(ok("user-1"));
  await press("Tab", "Enter");
  await heading(page, "Your password was changed");
  assert.equal(await focused(), "title");
  assert.equal(server.calls.at(-1).body.password, "copper lantern");
  await press("Tab");
  assert.equal(await focused(), "sign-in");
});

test("what has the focus can be seen to have it", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.password(page, server);
  for (let stop = 0; stop < 4; stop += 1) {
    await page.keyboard.press("Tab");
    const outlined = await page.evaluate(() => {
      const outline = (it) => parseFloat(getComputedStyle(it).outlineWidth) * (getComputedStyle(it).outlineStyle !== "none");
      const it = document.activeElement;
      return it === document.body || outline(it) >= 2 || outline(it.parentElement) >= 2;
    });
    assert.ok(outlined, `stop ${stop}`);
  }
});

test("a shown password is hidden again before it is sent", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  await steps.password(page, server);
  await page.getByRole("button", { name: "Show password" }).click();
  await passwordField(page).fill("copper lantern");
  server.answers.push(LOST);
  await passwordField(page).press("Enter");
  await problem(page, "No answer came");
  assert.equal(await passwordField(page).getAttribute("type"), "password");
});

test("the fields are what browsers and password managers fill in", async (t) => {
  const page = await open(t, `${server.url}/recover`);
  const attributes = (id) => page.locator(id).evaluate(({ type, autocomplete, inputMode, maxLength }) => ({ type, autocomplete, inputMode, maxLength }));
  assert.deepEqual(await attributes("#address"), { type: "email", autocomplete: "username", inputMode: "", maxLength: -1 });
  assert.deepEqual(await attributes("#code"), { type: "text", autocomplete: "one-time-code", inputMode: "numeric", maxLength: -1 });
  assert.deepEqual(await attributes("#password"), { type: "password", autocomplete: "new-password", inputMode: "", maxLength: -1 });
  assert.equal((await attributes("#account")).autocomplete, "username");
});

/** Walks through every state of the page and calls `look` in each. */
async function tour(page, look) {
  const texts = async () => page.locator("h1").textContent();
  const fill = async (id, text) => {
    await page.locator(id).fill(text);
    await page.locator(id).press("Enter");
  };
  const next = async (answer, id, text, shown) => {
    server.answers.push(answer);
    await fill(id, text);
    await page.locator(shown).waitFor();
    await look(`${await texts()} ${shown}`);
  };
  await look(await texts());
  await fill("#address", "ada");
  await look("address with an error");
  await next(ok("session-1"), "#address", "ada.augusta.king.countess.of.lovelace@subdomain.example.com", "#code");
  await next(refused(401, "otp_invalid"), "#code", "654321", "#code-error");
  await next(ok("token-1"), "#code", "123456", "#password");
  await page.locator("#show").click();
  await look("a shown password");
  await next(refused(422, "password_rejected", { reasons: ["too_common", "contains_profile"] }), "#password", "x", "#password-error");
  await next(refused(503, "service_unavailable", { retryAfter: 30 }), "#password", "x", "#wait");
  for (const end of ["done", "unsure", "expired", "link", "spent", "blocked"]) {
    await page.evaluate((step) => (sessionStorage.regain = JSON.stringify({ step, email: "ada@example.com" })), end);
    await page.reload();
    await page.locator("#content").waitFor();
    await look(end);
  }
}

for (const [name, options] of Object.entries({
  "light, at 320 px": { viewport: { width: 320, height: 640 } },
  "dark, at 1440 px": { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  "right to left, dark, at 320 px": { viewport: { width: 320, height: 640 }, colorScheme: "dark", locale: "ar" },
  "right to left, at 768 px": { viewport: { width: 768, height: 1024 }, locale: "ar-EG" },
  "Indonesian, at 320 px": { viewport: { width: 320, height: 640 }, locale: "id-ID" },
  "forced colours": { forcedColors: "active" },
})) {
  test(`no state of the page is inaccessible or too wide: ${name}`, async (t) => {
    const page = await open(t, `${server.url}/recover`, options);
    await tour(page, async (where) => {
      await assertAccessible(page, where);
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(tooWide <= 0, `${where} is ${tooWide} px too wide`);
    });
  });
}

test("what can be pressed is large enough", async (t) => {
  const page = await open(t, `${server.url}/recover`, { viewport: { width: 320, height: 640 } });
  await tour(page, async (where) => {
    const small = await page.locator("button:visible, input:visible:not([readonly]), a.button:visible").evaluateAll((all) =>
      all.filter((it) => Math.min(it.getBoundingClientRect().height, it.getBoundingClientRect().width) < 24).map((it) => it.outerHTML));
    assert.deepEqual(small, [], where);
  });
});

test("text can be spaced as WCAG 1.4.12 allows, and enlarged to twice its size", async (t) => {
  const page = await open(t, `${server.url}/recover`, { viewport: { width: 640, height: 640 } });
  await tour(page, async (where) => {
    const tooWide = await page.evaluate(() => {
      const { style } = document.documentElement;
      Object.assign(style, { fontSize: "200%", lineHeight: "1.5", letterSpacing: ".12em", wordSpacing: ".16em" });
      return document.documentElement.scrollWidth - document.documentElement.clientWidth;
    });
    assert.ok(tooWide <= 0, `${where} is ${tooWide} px too wide`);
  });
});

test("the language is the browser's, or else the service's", async (t) => {
  for (const [locale, lang, dir, title] of [
    ["en-US", "en", "ltr", "Reset your password"],
    ["id-ID", "id", "ltr", "Atur ulang kata sandi"],
    ["ar-EG", "ar", "rtl", "إعادة تعيين كلمة المرور"],
    ["zh-CN", "zh-Hans", "ltr", "重置密码"],
    ["pt-BR", "pt", "ltr", "Redefinir sua senha"],
    ["zh-US", "zh-Hans", "ltr", "重置密码"],
    ["zh-TW", "id", "ltr", "Atur ulang kata sandi"],
    // No language has this tag.
    ["qaa", "id", "ltr", "Atur ulang kata sandi"],
  ]) {
    const page = await open(t, `${server.url}/recover`, { locale });
    await heading(page, title);
    const { lang: isLang, dir: isDir } = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir }));
    assert.deepEqual([isLang, isDir], [lang, dir], locale);
  }
});

test("in every language the first step fits the narrowest screen and has no finding of axe", async (t) => {
  for (const locale of LANGUAGES) {
    const page = await open(t, `${server.url}/recover`, { locale, viewport: { width: 320, height: 640 } });
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale);
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(tooWide <= 0, `${locale} is ${tooWide} px too wide`);
    await assertAccessible(page, locale);
  }
});

test("without script the page says what it needs", async (t) => {
  const page = await open(t, `${server.url}/recover`, { javaScriptEnabled: false });
  // Playwright's search by text leaves <noscript> out.
  for (const [language, text] of [["en", /^This page needs JavaScript/], ["id", /^Halaman ini memerlukan JavaScript/]]) {
    const line = page.locator(`noscript p[lang=${language}]`);
    assert.ok(await line.isVisible(), language);
    assert.match(await line.textContent(), text);
  }
  assert.equal(await page.locator("form:visible").count(), 0);
  const incomplete = await page.locator("#incomplete").evaluate((it) => getComputedStyle(it).display);
  assert.equal(incomplete, "none", "it is not going to say that its script is missing");
});

test("a visit loads each file once, from the page's own origin, in under 40 KB", async (t) => {
  const files = [];
  const page = await open(t, "about:blank", { javaScriptEnabled: false });
  const context = await page.context().browser().newContext({ locale: "hi" });
  t.after(() => context.close());
  const visit = await context.newPage();
  visit.on("response", async (response) => files.push([response.url(), (await response.body()).length]));
  await visit.goto(`${server.url}/recover`);
  await visit.locator("#content").waitFor();
  await visit.waitForLoadState("networkidle");
  const urls = files.map(([url]) => url);
  assert.equal(new Set(urls).size, urls.length, urls.join("\n"));
  assert.ok(urls.includes(`${server.url}/recover/regain.js`), "the page uses the client that it offers");
  for (const url of urls) assert.equal(new URL(url).origin, server.url);
  const size = files.reduce((sum, [, length]) => sum + length, 0);
  assert.ok(size < 40_000, `${size} bytes`);
});
