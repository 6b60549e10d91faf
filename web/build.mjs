// Builds what is committed: client/dist (the npm package's files) and dist (what the recovery page's function compiles in).
// `node build.mjs --check` builds into a scratch folder instead, and fails if what is committed differs.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { languages } from "./texts.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const TARGET = "es2022";
/** What one visit may load, in bytes. It loads the texts of one language. */
const LARGEST_PAGE = 40_000;

async function buildClient(out) {
  await build({
    absWorkingDir: here,
    entryPoints: ["client/src/regain.ts"],
    outdir: out,
    format: "esm",
    target: TARGET,
    banner: { js: "// @ts-self-types=\"./regain.d.ts\"" },
    logLevel: "warning",
  });
  const tsc = join(here, "node_modules/typescript/bin/tsc");
  const options = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--outDir", out];
  const settings = ["--target", TARGET, "--lib", "es2022,dom", "--module", "es2022", "--moduleResolution", "bundler", "--strict"];
  execFileSync(process.execPath, [tsc, "--ignoreConfig", ...settings, ...options, "client/src/regain.ts"], { cwd: here, stdio: "inherit" });
}

async function buildPage(out) {
  mkdirSync(out, { recursive: true });
  const page = join(here, "page");
  /** The name of each file with its hash, which changes with its content: it can be cached for good. */
  const hashed = {};
  const write = (name, content) => writeFileSync(join(out, name), content);
  const writeHashed = (name, content) => {
    const [stem, extension] = name.split(".");
    hashed[name] = `${stem}-${hash(content)}.${extension}`;
    write(hashed[name], content);
  };

  const texts = languages(join(here, "../locales"));
  for (const [tag, messages] of texts) writeHashed(`${tag}.json`, JSON.stringify(messages));
  const files = Object.fromEntries([...texts.keys()].map((tag) => [tag, hashed[`${tag}.json`]]));
  const options = { absWorkingDir: here, bundle: true, minify: true, format: "esm", target: TARGET, logLevel: "warning", write: false };
  const [app] = (await build({ ...options, entryPoints: ["page/src/app.ts"], define: { TEXTS: JSON.stringify(files) } })).outputFiles;
  writeHashed("app.js", app.text);
  const style = await transform(readFileSync(join(page, "style.css"), "utf8"), { loader: "css", minify: true });
  writeHashed("style.css", style.code);
  writeHashed("icon.svg", readFileSync(join(page, "icon.svg"), "utf8"));

  const [client] = (await build({ ...options, entryPoints: ["client/src/regain.ts"] })).outputFiles;
  write("regain.js", `// @ts-self-types="./regain.d.ts"\n${client.text}`);
  write("regain.d.ts", readFileSync(join(scratch ?? here, "client/dist/regain.d.ts"), "utf8"));

  /** What the page says before its script has picked a language: a paragraph in each. */
  const inAllLanguages = (name) => [...texts].map(([tag, it]) => `<p lang="${tag}" dir="${it.direction}">${it[name]}</p>`).join("\n");
  const parts = { ...hashed, noscript: inAllLanguages("noscript"), incomplete: inAllLanguages("incomplete") };
  const html = readFileSync(join(page, "index.html"), "utf8");
  write("index.html", html.replace(/\[\[([a-z.]+)\]\]/g, (_, name) => parts[name]));

  const names = readdirSync(out).sort();
  const sizes = (names) => names.map((name) => readFileSync(join(out, name)).length);
  const isText = (name) => name.endsWith(".json");
  const others = names.filter((name) => !isText(name) && name !== "regain.d.ts");
  const size = sizes(others).reduce((sum, size) => sum + size, Math.max(...sizes(names.filter(isText))));
  if (size > LARGEST_PAGE) throw new Error(`a visit loads ${size} bytes, and may load ${LARGEST_PAGE}`);
  const file = (name) => `    ("${name}", "${hash(readFileSync(join(out, name)))}", include_str!("${name}")),\n`;
  const list = names.filter((name) => name !== "index.html").map(file).join("");
  write("files.rs", `// Written by web/build.mjs: the name, hash and content of each file below /recover/.\n[\n${list}]\n`);
}

// The page's files come last: they hold the client's types.
const outputs = [["client/dist", buildClient], ["dist", buildPage]];

const scratch = process.argv.includes("--check") ? mkdtempSync(join(tmpdir(), "regain-web-")) : undefined;
let stale = false;
for (const [folder, make] of outputs) {
  const committed = join(here, folder);
  const out = scratch ? join(scratch, folder) : committed;
  rmSync(out, { recursive: true, force: true });
  await make(out);
  if (!scratch) continue;
  const names = new Set([...readdirSync(out), ...readdirSync(committed)]);
  for (const name of [...names].sort()) {
    if (read(join(out, name)) === read(join(committed, name))) continue;
    console.error(`web/${folder}/${name} is not what the sources build to: run \`npm run build\` in web/`);
    stale = true;
  }
}
if (scratch) rmSync(scratch, { recursive: true });
process.exitCode = stale ? 1 : 0;

function hash(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 12);
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
