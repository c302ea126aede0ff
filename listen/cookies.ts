/** The cookies of a request (RFC 6265, section 5.4). */

/** Reads the field `Cookie`. Of several with one name, the first one counts: it has the longest path. */
export function cookiesOf(headers: Headers): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at < 0) continue;
    const name = pair.slice(0, at).trim();
    if (!cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim().replace(/^"(.*)"$/, "$1"));
  }
  return cookies;
}
