// Reads the page's texts: one Fluent file for each language. Of Fluent the page uses messages with variables, and nothing else.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FluentParser } from "@fluent/syntax";

/** The language that all others are held against. */
const SOURCE = "en";

/** The messages of each language, by its tag. Throws an error that names every fault of the files. */
export function languages(folder) {
  const faults = [];
  const all = new Map();
  for (const file of readdirSync(folder).sort()) {
    const tag = file.replace(/\.ftl$/, "");
    all.set(tag, messages(file, readFileSync(join(folder, file), "utf8"), faults));
  }
  const source = all.get(SOURCE);
  for (const [tag, translated] of all) {
    for (const name of Object.keys(source)) {
      if (!(name in translated)) faults.push(`${tag}.ftl lacks ${name}`);
      else if (variables(translated[name]) !== variables(source[name])) {
        faults.push(`${tag}.ftl: ${name} has the variables ${variables(translated[name])}, not ${variables(source[name])}`);
      }
    }
    for (const name of Object.keys(translated)) if (!(name in source)) faults.push(`${tag}.ftl: ${name} is no message of the page`);
    if (!["ltr", "rtl"].includes(translated.direction)) faults.push(`${tag}.ftl: direction is ltr or rtl`);
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return all;
}

function messages(file, text, faults) {
  const found = {};
  for (const entry of new FluentParser().parse(text).body) {
    if (entry.type.endsWith("Comment")) continue;
    const name = entry.id?.name;
    if (entry.type !== "Message" || !entry.value || entry.attributes.length > 0) {
      faults.push(`${file}: ${name ?? entry.content?.trim()} is no plain message`);
      continue;
    }
    if (name in found) faults.push(`${file} has ${name} twice`);
    found[name] = entry.value.elements.map((element) => {
      if (element.type === "TextElement") return element.value;
      if (element.expression.type === "VariableReference") return `{${element.expression.id.name}}`;
      faults.push(`${file}: ${name} may have variables in braces, and nothing else`);
      return "";
    }).join("");
  }
  return found;
}

function variables(text) {
  return [...new Set(text.match(/\{\w+\}/g))].sort().join(" ") || "none";
}
