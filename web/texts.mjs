// Reads the page's texts out of ../locales: one Fluent file for each language, in which the names of the page's messages begin with
// `page-`. Of Fluent the page uses messages with variables, and nothing else.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FluentParser } from "@fluent/syntax";

/** The language that all others are compared with. */
const SOURCE = "en";
const PREFIX = "page-";
/** The one message that is not the page's alone. */
const DIRECTION = "direction";

/** The messages of each language, by its tag. Throws an error that names every fault of the files. */
export function languages(folder) {
  const faults = [];
  const all = new Map();
  for (const file of readdirSync(folder).filter((it) => it.endsWith(".ftl")).sort()) {
    const tag = file.replace(/\.ftl$/, "");
    all.set(tag, messages(file, readFileSync(join(folder, file), "utf8"), faults));
  }
  const source = all.get(SOURCE);
  for (const [tag, translated] of all) {
    for (const name of Object.keys(source)) {
      if (!(name in translated)) faults.push(`${tag}.ftl lacks ${full(name)}`);
      else if (variables(translated[name]) !== variables(source[name])) {
        faults.push(`${tag}.ftl: ${full(name)} has the variables ${variables(translated[name])}, not ${variables(source[name])}`);
      }
    }
    for (const name of Object.keys(translated)) if (!(name in source)) faults.push(`${tag}.ftl: ${full(name)} is no message of the page`);
    if (!["ltr", "rtl"].includes(translated.direction)) faults.push(`${tag}.ftl: direction is ltr or rtl`);
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return all;
}

function messages(file, text, faults) {
  const found = {};
  for (const entry of new FluentParser().parse(text).body) {
    if (entry.type.endsWith("Comment")) continue;
    const id = entry.id?.name;
    // What is not the page's is checked where it is used.
    if (id !== undefined && id !== DIRECTION && !id.startsWith(PREFIX)) continue;
    const name = id?.replace(PREFIX, "");
    if (entry.type !== "Message" || !entry.value || entry.attributes.length > 0) {
      faults.push(`${file}: ${id ?? entry.content?.trim()} is no plain message`);
      continue;
    }
    if (name in found) faults.push(`${file} has ${id} twice`);
    found[name] = entry.value.elements.map((element) => {
      if (element.type === "TextElement") return element.value;
      if (element.expression.type === "VariableReference") return `{${element.expression.id.name}}`;
      faults.push(`${file}: ${id} may have variables in braces, and nothing else`);
      return "";
    }).join("");
  }
  return found;
}

/** The name that a message has in the file. */
function full(name) {
  return name === DIRECTION ? name : PREFIX + name;
}

function variables(text) {
  return [...new Set(text.match(/\{\w+\}/g))].sort().join(" ") || "none";
}
