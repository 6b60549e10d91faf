/** The recovery page. */

import type { Recovery, RecoveryError } from "../../client/src/regain.js";
import { takeLink, type Link } from "./fragment.js";
import { readCode } from "./code.js";
import { readableOn, textOn } from "./colour.js";
import { lookUp } from "./language.js";
import { isEnd, load, save, type State, type Step } from "./state.js";
import { duration, format, type Texts, type Values } from "./texts.js";

// The token leaves the address bar before anything else happens. The imports above only define things.
const link = takeLink();

const root = document.documentElement;
const setting = (name: string): string => root.dataset[name] ?? "";
const service = setting("serviceName");
const codeLength = Number(setting("codeLength"));
const passwordMinLength = Number(setting("passwordMinLength"));

const element = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;
const input = (id: string): HTMLInputElement => element<HTMLInputElement>(id);

/** The page's own addresses are relative to the script, so that it works below any path. */
const folder = new URL(".", import.meta.url);
const language = lookUp(navigator.languages, Object.keys(TEXTS), setting("language"));

let client: typeof import("../../client/src/regain.js");
let recovery: Recovery;
let texts: Texts;
let state: State = link === undefined ? load() : linkState(link);
let busy = false;

const say = (name: string, values: Values = {}): string =>
  format(texts, name, { service, email: state.email ?? "", ...values });

/** The steps that have a form, and what submitting it does. The steps of a recovery have a number. */
const FORMS = {
  address: { number: 1, submit: submitAddress },
  code: { number: 2, submit: submitCode },
  password: { number: 3, submit: submitPassword },
  "not-me": { number: 0, submit: submitNotMe },
} as const;
type FormStep = keyof typeof FORMS;

/** The forms that have a field, of the same name. */
const FIELDS = ["address", "code", "password"] as const;
type Field = (typeof FIELDS)[number];

/** What is wrong, as the page says it: beside the field if there is one, and in the summary. */
interface Problem {
  text: string;
  field?: Field;
  /** More than one sentence beside the field. */
  details?: string[];
}

function linkState({ token, isNotice }: Link): State {
  return isNotice ? { step: "not-me", token } : { step: "password", token, byLink: true };
}

// --- Showing -----------------------------------------------------------------------------------------------------------

/** Shows the current step. `problem` is what went wrong in it. */
function show(problem?: Problem): void {
  const { step } = state;
  save(state);
  const end = isEnd(step);
  element("title").textContent = say(`${step}-title`);
  element("lead").textContent = lead();
  element("steps").hidden = end || state.byLink === true || step === "not-me";
  for (const [name, { number }] of Object.entries(FORMS)) {
    element(`${name}-form`).hidden = name !== step;
    if (name !== step) continue;
    element("step").textContent = say("step", { number, count: 3 });
    element("steps").dataset["done"] = String(number);
  }
  element("account-row").hidden = state.email === undefined;
  input("account").value = state.email ?? "";
  element("end").hidden = !end;
  element("sign-in").hidden = !(step === "done" || step === "unsure") || setting("signInUrl") === "";
  element("start-again").hidden = ["done", "blocked", "disowned"].includes(step);
  showProblem(problem);
  tick();
}

/** Shows a step that the person has reached, and moves the focus there. */
function enter(step: Step, change: Partial<State> = {}): void {
  const { waitUntil: _, ...rest } = state;
  const { email } = state;
  // At an end nothing is kept but the address, to start again with.
  state = { ...(isEnd(step) ? email === undefined ? {} : { email } : rest), ...change, step };
  hidePassword();
  input("password").value = "";
  if (step !== "password") input("code").value = "";
  announce("");
  show();
  focusStep();
}

/** The field is described by the lead, so that a screen reader reads both. A step without a field has its title to read. */
function focusStep(): void {
  const field = FIELDS.find((name) => name === state.step);
  element(field ?? "title").focus();
}

function lead(): string {
  if (state.step === "spent" && state.waitUntil !== undefined) return say("spent-wait", { time: left(state.waitUntil) });
  return say(`${state.step}-lead`, { count: passwordMinLength });
}

function showProblem(problem?: Problem): void {
  const title = say(`${state.step}-title`);
  document.title = `${problem ? say("problem-title", { title }) : title} – ${service}`;
  for (const name of FIELDS) {
    const wrong = problem?.field === name;
    const field = input(name);
    const error = element(`${name}-error`);
    error.hidden = !wrong;
    if (wrong) {
      const lines = problem.details ?? [problem.text];
      error.replaceChildren(...(error.tagName === "UL" ? lines.map((line) => item(line)) : lines));
    }
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    const hint = name === "code" ? "code-hint" : "";
    field.setAttribute("aria-describedby", `lead ${hint} ${wrong ? error.id : ""}`.trim());
  }
  const summary = element("summary");
  summary.hidden = problem === undefined;
  if (problem === undefined) return;
  element("problems").replaceChildren(item(problem.text, problem.field));
  summary.focus();
}

/** An item of a list. With a field it is a link to it. */
function item(text: string, field?: Field): HTMLLIElement {
  const line = document.createElement("li");
  if (field === undefined) {
    line.textContent = text;
    return line;
  }
  const link = document.createElement("a");
  link.href = `#${field}`;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    // The address bar stays as it is: its fragment is for tokens.
    event.preventDefault();
    input(field).focus();
  });
  line.append(link);
  return line;
}

/** Has a screen reader say a text without moving the focus. `visible` also shows it to everybody else. */
function announce(text: string, visible = false): void {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("hidden", !visible);
  status.classList.toggle("hint", visible);
}

// --- Waiting -----------------------------------------------------------------------------------------------------------

const left = (until: number): string => duration(language, until - Date.now());
const isAhead = (time: number | undefined): time is number => time !== undefined && time > Date.now();

/** Counts down what cannot be done yet. The counts are not announced each second; their ends are. */
function tick(): void {
  const { step, waitUntil, resendAt } = state;
  const waiting = isAhead(waitUntil);
  const wait = element("wait");
  wait.hidden = !waiting || step === "spent";
  if (waiting) wait.textContent = say("wait", { time: left(waitUntil) });
  if (waiting && step === "spent") element("lead").textContent = lead();
  const resending = isAhead(resendAt);
  element("resend-wait").textContent = resending ? say("resend-wait", { time: left(resendAt) }) : "";
  setDisabled(element("resend"), resending || busy);
  for (const name of Object.keys(FORMS)) {
    setDisabled(element(`${name}-form`).querySelector("[type=submit]") as HTMLElement, waiting || busy);
  }
  if (waitUntil !== undefined && !waiting) {
    delete state.waitUntil;
    save(state);
    if (step in FORMS) announce(say("wait-over"));
    else show();
  }
  if (resendAt !== undefined && !resending) {
    delete state.resendAt;
    save(state);
    if (step === "code") announce(say("resend-ready"));
  }
}

/** A button that cannot be used yet keeps the focus, so it is not disabled outright. */
function setDisabled(button: HTMLElement, disabled: boolean): void {
  button.setAttribute("aria-disabled", String(disabled));
}

// --- Acting ------------------------------------------------------------------------------------------------------------

/** Runs one call, during which nothing else can be started. */
async function call<T>(button: HTMLElement, send: () => Promise<T>, refused: (error: RecoveryError) => void): Promise<T | undefined> {
  busy = true;
  announce("");
  button.classList.add("busy");
  tick();
  // Quick answers are not worth a word.
  const slow = setTimeout(() => announce(say("busy")), 1000);
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof client.RecoveryError)) throw error;
    busy = false;
    refused(error);
    return undefined;
  } finally {
    busy = false;
    clearTimeout(slow);
    if (element("status").textContent === say("busy")) announce("");
    button.classList.remove("busy");
    tick();
  }
}

/**
 * Saves that the outcome of a call is unknown, before the call: a reload would lose its answer. Returns whether the outcome of an
 * earlier call of that kind was unknown.
 */
function expectLoss(kind: "verify" | "resend" | "password"): boolean {
  const before = state.unsure?.[kind] === true;
  state.unsure = { ...state.unsure, [kind]: true };
  save(state);
  return before;
}

const submitButton = (step: FormStep): HTMLElement => element(`${step}-form`).querySelector("[type=submit]") as HTMLElement;
const resendCooldown = (): number => Date.now() + Number(setting("resendCooldown")) * 1000;

async function submitAddress(): Promise<void> {
  const email = input("address").value.trim();
  if (!/^[^@\s]+@[^@\s]+$/.test(email)) return show({ text: say("address-invalid"), field: "address" });
  // The key is kept until the outcome is known, over a reload, too: the same key never mails twice.
  if (state.email !== email || state.key === undefined) state = { ...state, email, key: client.newIdempotencyKey() };
  save(state);
  const options = { idempotencyKey: state.key as string };
  const answer = await call(submitButton("address"), () => recovery.request(email, options), (error) => {
    if (!error.outcomeUnknown) delete state.key;
    if (error.code === "invalid_request") show({ text: say("address-invalid"), field: "address" });
    else fail(error);
  });
  if (answer === undefined) return;
  delete state.key;
  enter("code", { session: answer.sessionId, resendAt: resendCooldown(), unsure: {} });
}

async function submitCode(): Promise<void> {
  const code = readCode(input("code").value, codeLength);
  if (code === undefined) return show({ text: say("code-malformed", { count: codeLength }), field: "code" });
  const { session = "" } = state;
  const before = expectLoss("verify");
  const answer = await call(submitButton("code"), () => recovery.verify(session, code), (error) => {
    state.unsure = { ...state.unsure, verify: before || error.outcomeUnknown };
    if (error.code === "otp_invalid") show({ text: say(before ? "code-unsure" : "code-wrong"), field: "code" });
    else if (error.code === "otp_expired") show({ text: say("code-expired"), field: "code" });
    else fail(error);
  });
  if (answer !== undefined) enter("password", { token: answer.token, unsure: {} });
}

async function resend(): Promise<void> {
  const { session = "" } = state;
  const before = expectLoss("resend");
  const answer = await call(element("resend"), () => recovery.resend(session), (error) => {
    state.unsure = { ...state.unsure, resend: before || error.outcomeUnknown };
    if (error.code !== "too_many_requests") return fail(error);
    state.resendAt = error.retryAt?.getTime() ?? Date.now() + 1000;
    show(before ? undefined : { text: say("too-many") });
    if (before) announce(say("resend-unsure"), true);
  });
  if (answer === undefined) return;
  enter("code", { session: answer.sessionId, resendAt: resendCooldown(), unsure: {} });
  announce(say("resend-done"), true);
}

async function submitPassword(): Promise<void> {
  const password = input("password").value;
  if (password === "") return show({ text: say("password-missing"), field: "password" });
  // A browser remembers what is typed into a plain text field.
  hidePassword();
  const { token = "" } = state;
  const before = expectLoss("password");
  const answer = await call(submitButton("password"), () => recovery.setPassword(token, password), (error) => {
    state.unsure = { ...state.unsure, password: before || error.outcomeUnknown };
    const { code } = error;
    if (code === "password_rejected") show({ text: say(code.replace("_", "-")), field: "password", details: error.reasons.map(reason) });
    else if (code === "password_required") show({ text: say("password-missing"), field: "password" });
    else if (before && (code === "session_expired" || code === "token_invalid")) enter("unsure");
    else if (state.byLink && (code === "session_expired" || code === "token_invalid")) enter("link");
    else if (code === "token_invalid") {
      enter("code");
      show({ text: say("code-replaced"), field: "code" });
    } else fail(error);
  });
  if (answer === undefined) return;
  delete state.email;
  enter("done");
}

/** Blocks the account. A second use is answered like the first, so a lost answer only needs another press of the button. */
async function submitNotMe(): Promise<void> {
  const { token = "" } = state;
  const block = async (): Promise<boolean> => {
    await recovery.notMe(token);
    return true;
  };
  const blocked = await call(submitButton("not-me"), block, (error) => {
    if (error.code === "session_expired" || error.code === "token_invalid") enter("not-me-over");
    else fail(error);
  });
  if (blocked) enter("disowned");
}

function reason(slug: string): string {
  const name = `reason-${slug}`;
  return say(name in texts ? name : "reason-other", { count: passwordMinLength });
}

/** The failures that mean the same in every step. */
function fail(error: RecoveryError): void {
  const waitUntil = error.retryAt?.getTime();
  switch (error.code) {
    case "session_not_found":
    case "session_expired":
      return enter("expired");
    case "attempts_exceeded":
      return enter("spent", waitUntil === undefined ? {} : { waitUntil });
    case "user_blocked":
      return enter("blocked");
  }
  if (waitUntil !== undefined) state.waitUntil = waitUntil;
  const text = {
    too_many_requests: "too-many",
    service_unavailable: "unavailable",
    internal_error: "unavailable",
    no_answer: "no-answer",
  } as Partial<Record<string, string>>;
  show({ text: say(text[error.code] ?? "unexpected") });
}

function startAgain(): void {
  const { email, key } = state;
  input("address").value = email ?? "";
  state = { step: "address", ...(key === undefined ? {} : { key }) };
  enter("address", email === undefined ? {} : { email });
}

// --- The password's visibility ------------------------------------------------------------------------------------------

function hidePassword(): void {
  setPasswordShown(false);
}

function setPasswordShown(shown: boolean): void {
  input("password").type = shown ? "text" : "password";
  const button = element("show");
  button.textContent = say(shown ? "password-hide" : "password-show");
  button.setAttribute("aria-label", say(shown ? "password-hide-label" : "password-show-label"));
}

// --- Starting -----------------------------------------------------------------------------------------------------------

function wire(): void {
  for (const [name, { submit }] of Object.entries(FORMS)) {
    element(`${name}-form`).addEventListener("submit", (event) => {
      event.preventDefault();
      if (!busy && !isAhead(state.waitUntil)) void submit();
    });
  }
  element("resend").addEventListener("click", () => {
    if (!busy && !isAhead(state.resendAt)) void resend();
  });
  for (const button of document.querySelectorAll(".start-again")) {
    button.addEventListener("click", () => {
      if (!busy) startAgain();
    });
  }
  element("show").addEventListener("click", () => {
    const shown = input("password").type === "password";
    setPasswordShown(shown);
    announce(say(shown ? "password-shown" : "password-hidden"));
  });
  // A code that was pasted with anything around it is left alone.
  input("code").addEventListener("input", () => {
    const { value } = input("code");
    const code = readCode(value, codeLength);
    if (code !== undefined && code !== value) input("code").value = code;
  });
  // The link of a mail, opened in a tab that shows the page already.
  addEventListener("hashchange", () => {
    const link = takeLink();
    if (link === undefined) return;
    state = linkState(link);
    enter(state.step);
  });
  setInterval(tick, 1000);
}

function paint(): void {
  const colour = setting("brandColor");
  const schemes = { light: "#ffffff", dark: "#16181d" };
  for (const [scheme, ground] of Object.entries(schemes)) {
    const accent = readableOn(colour, ground);
    root.style.setProperty(`--accent-${scheme}`, accent);
    root.style.setProperty(`--on-accent-${scheme}`, textOn(accent));
  }
}

async function start(): Promise<void> {
  paint();
  save(state);
  const response = fetch(new URL(TEXTS[language] as string, folder));
  client = await import(new URL("regain.js", folder).href);
  texts = (await (await response).json()) as Texts;
  recovery = client.createRecovery({ baseUrl: new URL("..", folder) });
  root.lang = language;
  root.dir = say("direction");
  for (const each of document.querySelectorAll<HTMLElement>("[data-text]")) each.textContent = say(each.dataset["text"] as string);
  element("code-hint").textContent = say("code-hint", { count: codeLength });
  element<HTMLAnchorElement>("sign-in").href = setting("signInUrl");
  input("address").value = state.email ?? "";
  input("password").setAttribute("passwordrules", `minlength: ${passwordMinLength}; maxlength: 256;`);
  hidePassword();
  wire();
  element("content").hidden = false;
  show();
  focusStep();
}

start().catch(() => {
  // Until then the style sheet waits for the script.
  element("incomplete").style.animation = "none";
});
