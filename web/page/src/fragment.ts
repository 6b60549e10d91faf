/** Takes the token of a mail's link out of the address bar. */

const LINK = /^#t=(.+)$/s;

/** The token of a mail's link that the page was opened with. It leaves the address bar and the history entry. */
export function takeToken(): string | undefined {
  const token = LINK.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return token;
}
