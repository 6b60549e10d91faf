// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { languages } from "../../texts.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "regain-page-"));
after(() => rmSync(scratch, { recursive: true }));

await build({
  entryPoints: ["code", "colour", "language", "texts"].map((name) => join(here, `../src/${name}.ts`)),
  outdir: scratch,
  outExtension: { ".js": ".mjs" },
  format: "esm",
});
const part = (name) => import(join(scratch, `${name}.mjs`));
const { readCode } = await part("code");
const { contrastOf, readableOn, textOn } = await part("colour");
const { lookUp } = await part("language");
const { duration, format } = await part("texts");

test("a code is read out of whatever is around it", () => {
  for (const [text, code, why] of [
    ["123456", "123456", "alone"],
    [" 123 456 ", "123456", "a gap"],
    ["123-456", "123456", "a hyphen"],
    ["1 2 3 4 5 6", "123456", "gaps everywhere"],
    ["123\u200b456\u00a0", "123456", "an invisible character"],
    ["12\ufe0f3\u034f456", "123456", "invisible characters that are combining marks"],
    ["012345", "012345", "a leading zero"],
    ["Your code is 123456.", "123456", "a sentence"],
    ["Hello,\n\n123456\n\nIt works for 10 minutes.", "123456", "a whole mail"],
    ["24 123456", "123456", "a number before it"],
    ["2024-10-11: 123456", "123456", "a date before it"],
    ["\u0661\u0662\u0663\u0664\u0665\u0666", "123456", "Arabic digits"],
    ["\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6", "123456", "Persian digits"],
    ["\uff11\uff12\uff13\uff14\uff15\uff16", "123456", "full-width digits"],
    ["\u{1d7cf}\u{1d7d9}\u{1d7e3}\u{1d7ed}\u{1d7f7}\u{1d7d0}", "111112", "mathematical digits"],
    ["12345", undefined, "too few"],
    ["1234567", undefined, "too many"],
    ["123 4567", undefined, "too many with a gap"],
    ["", undefined, "nothing"],
    ["abcdef", undefined, "letters"],
  ]) {
    assert.equal(readCode(text, 6), code, why);
  }
  assert.equal(readCode("0042", 4), "0042");
});

test("the language is looked up as RFC 4647 describes", () => {
  const available = ["ar", "en", "id", "pt-BR", "zh-Hant"];
  for (const [wanted, found] of [
    [["id-ID", "en"], "id"],
    [["fr-FR", "ar-EG"], "ar"],
    [["EN-gb"], "en"],
    [["in"], "id"],
    [["pt-br"], "pt-BR"],
    [["pt", "en"], "en"],
    [["zh-Hant-TW"], "zh-Hant"],
    [["en-x-private"], "en"],
    [["zh-Hant-x-a-b"], "zh-Hant"],
    [["zh-TW"], "zh-Hant"],
    [["zh-CN", "en"], "en"],
    [["*", "id"], "id"],
    [["not a tag", "id"], "id"],
    [["fr"], "ar"],
    [[], "ar"],
  ]) {
    assert.equal(lookUp(wanted, available, "ar"), found, wanted.join());
  }
  assert.equal(lookUp(["fr"], available, "de"), "en", "a fallback that the page does not have");
  for (const [wanted, found] of [
    ["zh", "zh-Hans"],
    ["zh-US", "zh-Hans"],
    ["zh-ID", "zh-Hans"],
    ["zh-MY", "zh-Hans"],
    ["zh-156", "zh-Hans"],
    ["zh-u-nu-latn", "zh-Hans"],
    ["cmn-Hans-CN", "zh-Hans"],
    ["zh-TW", "id"],
    ["zh-HK", "id"],
    ["cmn-TW", "id"],
    ["zh-Hant-US", "id"],
    ["zh-yue", "id"],
    ["zh-Latn", "id"],
  ]) {
    assert.equal(lookUp([wanted], ["en", "id", "zh-Hans"], "id"), found, `${wanted}, as the mails choose it`);
  }
});

test("any colour becomes readable in both schemes, and so does the text on it", () => {
  for (const colour of ["#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#1d5b54", "#777777", "#123456", "#fedcba"]) {
    for (const ground of ["#ffffff", "#16181d"]) {
      const accent = readableOn(colour, ground);
      assert.match(accent, /^#[0-9a-f]{6}$/);
      assert.ok(contrastOf(accent, ground) >= 4.5, `${colour} on ${ground} became ${accent}`);
      assert.ok(contrastOf(textOn(accent), accent) >= 4.5, `text on ${accent}`);
    }
  }
  assert.equal(readableOn("#1d5b54", "#ffffff"), "#1d5b54", "a readable colour stays");
  assert.equal(contrastOf("#000000", "#ffffff"), 21);
});

test("a duration is told in its largest fitting unit, rounded up", () => {
  for (const [milliseconds, told] of [
    [0, "1 second"],
    [1, "1 second"],
    [1001, "2 seconds"],
    [119_000, "119 seconds"],
    [120_000, "2 minutes"],
    [121_000, "3 minutes"],
    [7_200_000, "2 hours"],
    [86_400_000, "24 hours"],
  ]) {
    assert.equal(duration("en", milliseconds), told);
  }
  assert.equal(duration("id", 45_000), "45 detik");
});

test("values are put in and isolated from the direction of the text around them", () => {
  assert.equal(format({ a: "to {email}, {other}" }, "a", { email: "x@example.com" }), "to \u2068x@example.com\u2069, {other}");
});

test("no language lacks a message, and none has one that the page does not say", () => {
  const all = languages(join(here, "../../../locales"));
  assert.ok(all.size >= 10);
  for (const tag of ["en", "id", "ar"]) assert.ok(all.has(tag), tag);
  assert.equal(all.get("ar").direction, "rtl");
});

test("the page says every message, and no other", () => {
  const source = ["../src/app.ts", "../src/state.ts", "../index.html"].map((file) => readFileSync(join(here, file), "utf8")).join("\n");
  const said = new Set([...source.matchAll(/say\((?!each)[^)"`]*"([a-z-]+)"(?:[^)"]*"([a-z-]+)")?|data-text="([a-z-]+)"/g)].flatMap((it) => it.slice(1)).filter(Boolean));
  // What the script puts together: the title and lead of each step, the reasons, and what any step can fail with.
  for (const name of Object.keys(languages(join(here, "../../../locales")).get("en"))) {
    const part = /^(address|code|password|done|unsure|expired|link|spent|blocked|not-me|disowned|not-me-over)-(title|lead)$|^reason-|^(direction|noscript|incomplete|too-many|unavailable|no-answer|unexpected|password-rejected)$/;
    assert.ok(said.delete(name) || part.test(name), `${name} is never said`);
  }
  assert.deepEqual([...said], [], "said without a text");
});

test("every fault of a language's file is told", () => {
  const folder = join(scratch, "texts");
  mkdirSync(folder);
  writeFileSync(join(folder, "en.ftl"), "direction = ltr\npage-hello = Hello { $name }\npage-bye = Bye\nmail-x = { NUMBER($n) }\n");
  writeFileSync(join(folder, "xx.ftl"), "direction = up\npage-hello = Hello { $nome }\npage-more = More\npage-function = { NUMBER($n) }\n= broken\n");
  const faults = (() => {
    try {
      languages(folder);
    } catch (error) {
      return error.message.split("\n");
    }
  })();
  assert.deepEqual(faults, [
    "xx.ftl: page-function may have variables in braces, and nothing else",
    "xx.ftl: = broken is no plain message",
    "xx.ftl: page-hello has the variables {nome}, not {name}",
    "xx.ftl lacks page-bye",
    "xx.ftl: page-more is no message of the page",
    "xx.ftl: page-function is no message of the page",
    "xx.ftl: direction is ltr or rtl",
  ]);
});
