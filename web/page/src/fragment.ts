/** Takes the token of a mail's link out of the address bar. */

const LINK = /^#([tn])=(.+)$/s;

/** A mail's link: that of a code, or that of the notice of a changed password. */
export interface Link {
  token: string;
  isNotice: boolean;
}

/** The mail's link that the page was opened with. Its token leaves the address bar and the history entry. */
export function takeLink(): Link | undefined {
  const [, kind, token] = LINK.exec(location.hash) ?? [];
  if (token === undefined) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return { token, isNotice: kind === "n" };
}
