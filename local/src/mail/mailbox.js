// Shows the mail of /_mail.json, and looks for more every second. What a mail contains is only ever
// set as text, or as the document of a sandboxed frame.
"use strict";

const element = (id) => document.getElementById(id);
const list = element("list");
const seen = new Set();
let mails = [];
let version = null;
let view = "html";
let shown = null;

// A mail's number counts from the oldest one, so that it stays the same when more arrive.
function chosen() {
  const number = Number.parseInt(location.hash.slice(1), 10);
  return mails.find((mail) => mail.number === number);
}

function visible() {
  const wanted = element("filter").value.trim().toLowerCase();
  return mails.filter((mail) => mail.to.toLowerCase().includes(wanted));
}

// The code stands alone on a line of the text part.
function codeOf(mail) {
  const line = mail.text.split("\n").find((line) => /^\d{4,10}$/.test(line.trim()));
  return line ? line.trim() : "";
}

// A name beyond ASCII comes as encoded words (RFC 2047), which mail programs decode. White space between two of them is not shown.
function decoded(header) {
  const words = header.replace(/\?=\s+=\?/g, "?==?");
  return words.replace(/=\?UTF-8\?B\?([^?]*)\?=/gi, (_, word) => {
    const octets = Uint8Array.from(atob(word), (octet) => octet.charCodeAt(0));
    return new TextDecoder().decode(octets);
  });
}

function time(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const clock = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return today ? clock : `${at.toLocaleDateString()} ${clock}`;
}

function part(kind, name, text) {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

function row(mail) {
  const link = document.createElement("a");
  link.href = `#${mail.number}`;
  const when = part("time", "when", time(mail.sentAt));
  when.dateTime = mail.sentAt;
  link.append(part("span", "to", mail.to), when, part("span", "subject", mail.subject));
  link.append(part("span", "code", codeOf(mail)));
  const item = document.createElement("li");
  item.dataset.number = mail.number;
  item.append(link);
  return item;
}

// Rows that are there already stay as they are: nothing flickers, and the focus is kept.
function showList() {
  const rows = new Map([...list.children].map((item) => [Number(item.dataset.number), item]));
  const open = chosen();
  const wanted = visible();
  let before = null;
  for (const mail of wanted) {
    const item = rows.get(mail.number) ?? row(mail);
    rows.delete(mail.number);
    const place = before ? before.nextElementSibling : list.firstElementChild;
    if (item !== place) list.insertBefore(item, place);
    const link = item.firstElementChild;
    link.className = seen.has(mail.number) ? "row" : "row unread";
    if (mail === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    before = item;
  }
  for (const item of rows.values()) item.remove();

  const filtered = wanted.length !== mails.length;
  element("count").textContent = filtered ? `${wanted.length} of ${mails.length}` : `${mails.length || ""}`;
  element("none").hidden = wanted.length > 0;
  element("none").textContent = mails.length > 0
    ? "No mail to this recipient."
    : "No mail yet.\nAsk for a code and it shows up here by itself.";
}

function showMail() {
  const mail = chosen();
  document.querySelector("main").classList.toggle("reading", Boolean(mail));
  element("mail").hidden = !mail;
  element("choose").hidden = Boolean(mail) || mails.length === 0;
  if (!mail || mail === shown) return;
  shown = mail;
  seen.add(mail.number);
  for (const name of ["subject", "to", "template", "text"]) element(name).textContent = mail[name];
  element("from").textContent = decoded(mail.from);
  element("sent").textContent = new Date(mail.sentAt).toLocaleString();
  element("sent").dateTime = mail.sentAt;
  element("html").srcdoc = mail.html;
  const code = codeOf(mail);
  element("copy").hidden = code === "";
  element("copy").textContent = `Copy code ${code}`;
}

function showView() {
  for (const name of ["html", "text"]) {
    element(name).hidden = name !== view;
    element(`tab-${name}`).setAttribute("aria-selected", String(name === view));
  }
}

function show() {
  showMail();
  showList();
}

async function refresh() {
  try {
    const headers = version ? { "If-None-Match": version } : {};
    const answer = await fetch("/_mail.json", { headers, cache: "no-store" });
    if (answer.status === 200) {
      const found = await answer.json();
      const first = version === null;
      version = answer.headers.get("ETag");
      // A restart of the service begins a new mailbox; what was read there is not read here.
      if (found.length < mails.length) { seen.clear(); shown = null; mails = []; }
      const known = new Map(mails.map((mail) => [mail.number, mail]));
      mails = found.map((mail, index) => known.get(found.length - index) ?? { ...mail, number: found.length - index });
      if (first) mails.forEach((mail) => seen.add(mail.number));
      show();
    }
    element("state").className = "state";
    element("state").textContent = "Live";
  } catch {
    element("state").className = "state lost";
    element("state").textContent = "Not reachable";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}

element("filter").addEventListener("input", showList);
addEventListener("hashchange", show);
for (const name of ["html", "text"]) {
  element(`tab-${name}`).addEventListener("click", () => { view = name; showView(); });
}

// Browsers give a page the clipboard on https and on this machine only. Elsewhere the older command does it,
// and where that is gone, too, the code is at least selected.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    field.className = "unseen";
    document.body.append(field);
    field.select();
    let copied = false;
    try { copied = document.execCommand("copy"); } catch { /* not there */ }
    field.remove();
    return copied;
  }
}

element("copy").addEventListener("click", async () => {
  const mail = shown;
  const copied = await copy(codeOf(mail));
  if (mail !== shown) return;
  element("copy").focus();
  if (copied) {
    element("copy").textContent = "Copied";
  } else {
    view = "text";
    showView();
    const text = element("text").firstChild;
    const start = text.data.indexOf(`\n${codeOf(mail)}`) + 1;
    getSelection().setBaseAndExtent(text, start, text, start + codeOf(mail).length);
    element("copy").textContent = "Selected: press Ctrl+C or ⌘C";
  }
});

showView();
refresh();
