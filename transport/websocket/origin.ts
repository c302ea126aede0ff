/** Which web pages may connect (RFC 6455, section 10.2). */

import { isLocalhost, withoutPassword } from "../../internal/address.ts";

/**
 * Checks the origins of `WebOptions`.
 *
 * @throws {TypeError} which names the first text that is not an origin.
 */
export function parseOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(origins.map((text) => {
    if (text === "*" || text === "null") return text;
    const origin = originOf(text);
    if (origin === undefined || !/^[^/@]+:\/\/[^/@]+\/?$/.test(text)) {
      throw new TypeError(
        `Cannot use origin "${
          withoutPassword(text)
        }": it must look like https://example.com, or be *`,
      );
    }
    return origin;
  }));
}

/**
 * Whether pages of an origin may connect to a server whose name in their request is `host`. For a
 * peer on this machine the name must be an address or `localhost`. Otherwise an attacker could let
 * a name of its own point to this machine (DNS rebinding), and its page would look like a page of
 * this server.
 */
export function allowsOrigin(
  allowed: ReadonlySet<string>,
  origin: string,
  host: string,
  isLocal: boolean,
): boolean {
  if (allowed.has("*") || allowed.has(origin)) return true;
  const parsed = originOf(origin);
  if (parsed === undefined) return false;
  // Compared as URLs, so that a default port and upper case make no difference.
  const { protocol, hostname } = new URL(parsed);
  if (allowed.has(parsed)) return true;
  const isOwnName = /^(\[.*\]|[\d.]+)$/.test(hostname) || isLocalhost(hostname);
  if (isLocal && !isOwnName) return false;
  return parsed === originOf(`${protocol}//${host}`);
}

function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  return url === null || url.origin === "null" ? undefined : url.origin;
}
