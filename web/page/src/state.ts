/** Where the person is in the recovery. It survives a reload, belongs to one tab, and never holds a password. */

export type Step = "address" | "code" | "password" | "done" | "unsure" | "expired" | "link" | "spent" | "blocked" | "not-me" | "disowned" | "not-me-over";

export interface State {
  step: Step;
  /** The address as typed. */
  email?: string;
  /** The idempotency key of the request for that address whose outcome is unknown. */
  key?: string;
  session?: string;
  /** The reset token, or the token of a mail's link. */
  token?: string;
  /** The token came with a mail's link. */
  byLink?: boolean;
  /** When another code may be asked for, in milliseconds since 1970. */
  resendAt?: number;
  /** When the step's own action may be tried again, in milliseconds since 1970. */
  waitUntil?: number;
  /** The kinds of calls of which one has an unknown outcome. A call is one of them until its answer is read. */
  unsure?: { verify?: boolean; resend?: boolean; password?: boolean };
}

const KEY = "regain";
const ENDS: readonly Step[] = ["done", "unsure", "expired", "link", "spent", "blocked", "disowned", "not-me-over"];

export const isEnd = (step: Step): boolean => ENDS.includes(step);

/** What was saved in this tab. An end is shown again after a reload, but not to somebody who comes back later. */
export function load(): State {
  try {
    const state = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as State | null;
    const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    if (state && !(isEnd(state.step) && visit?.type === "navigate")) return state;
  } catch {
    // The browser allows no storage, or the entry is not ours: start anew.
  }
  return { step: "address" };
}

/** Saves the state, if the browser allows it. */
export function save(state: State): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Without storage the page works until it is reloaded.
  }
}
