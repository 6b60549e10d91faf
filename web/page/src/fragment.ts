/** Takes the token of a mail's link out of the address bar. */

const LINK = /^#([tn])=(.+)$/s;

/** A mail's link: that of a code, or that of the notice of a changed password. */
export interface Link {
  token: string;
  isNotice: boolean;
}

/** The mail's link that the page was opened with. Its token leaves the address bar and the history entry. */
export function takeLink(): Link | undefined {
  const [, kind, rest] = LINK.exec(location.hash) ?? [];
  if (rest === undefined) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  // A token is letters only. Mail programs and people add to a link: a full stop, a bracket, `&utm_source=mail`.
  const [token = rest] = /^[a-z]+/i.exec(rest) ?? [];
  return { token, isNotice: kind === "n" };
}
