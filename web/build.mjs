// Builds what is committed: client/dist (the npm package's files) and dist (what the recovery page's function serves).
// `node build.mjs --check` builds into a scratch folder instead, and fails if what is committed differs.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const TARGET = "es2022";

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

const outputs = [["client/dist", buildClient]];

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

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
