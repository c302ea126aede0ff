/** What a request is about (RFC 9112, section 3.2). */

/** The methods that `Request` can express. */
const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/** Whether a program may be asked with a method. */
export function isMethod(method: string): boolean {
  return METHODS.includes(method);
}

/** The URL of a request; undefined if its target or its host is wrong. */
export function urlOf(target: string, host: string, isSecure: boolean): URL | undefined {
  if (!/^[^\s/?#@\\]+$/.test(host)) return undefined;
  const url = target.startsWith("/")
    ? URL.parse(`${isSecure ? "https" : "http"}://${host}${target}`)
    : /^https?:\/\//i.test(target)
    ? URL.parse(target)
    : null;
  return url ?? undefined;
}
