/** Proxies for connections, written as URLs. */

import { withoutLineEnd } from "../internal/text.ts";
import { formatAddress } from "./endpoint.ts";

/** A host and port to connect to. */
export interface DialTarget {
  /** A host name or address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A proxy, as {@linkcode parseProxy} reads it. */
export interface Proxy {
  /** Its protocol: SOCKS 5 (RFC 1928), or CONNECT of HTTP (RFC 9110, section 9.3.6). */
  readonly protocol: "socks5" | "http";
  /** Its host name or address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** User and password, for proxies that require them. */
  readonly credentials?: ProxyCredentials;
  /** The proxy as a URL without the credentials, for messages. */
  readonly name: string;
}

/** User and password for a proxy. */
export interface ProxyCredentials {
  /** The user's name. */
  readonly username: string;
  /** The password, which may be empty. */
  readonly password: string;
}

const FORMS = "socks5://[USER:PASSWORD@]HOST[:PORT] or http://[USER:PASSWORD@]HOST[:PORT]";
const PROTOCOLS: Record<string, { protocol: Proxy["protocol"]; port: number }> = {
  socks5: { protocol: "socks5", port: 1080 },
  socks5h: { protocol: "socks5", port: 1080 },
  socks: { protocol: "socks5", port: 1080 }, // So GNOME writes it.
  http: { protocol: "http", port: 80 },
};
const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[^\s:\/?#\[\]@]+)(?::(\d{1,5}))?$/i;

/**
 * Reads a proxy: `socks5://[USER:PASSWORD@]HOST[:PORT]`, port 1080 by default, or
 * `http://[USER:PASSWORD@]HOST[:PORT]`, port 80 by default. `socks5h` and `socks` mean the same as `socks5`: the
 * proxy looks up the names either way, so that no look-up leaves this machine. User and password
 * may be percent-encoded.
 *
 * @throws {TypeError} which names what is wrong, but never the password.
 */
export function parseProxy(url: string): Proxy {
  const text = url.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) throw wrong("", `it must look like ${FORMS}`);
  if (!Object.hasOwn(PROTOCOLS, scheme)) throw wrong(scheme, `it must look like ${FORMS}`);
  const { protocol, port: usualPort } = PROTOCOLS[scheme];
  const rest = text.slice(scheme.length + "://".length).replace(/\/$/, "");
  const at = rest.lastIndexOf("@");
  const [, host, portText] = HOST_AND_PORT.exec(rest.slice(at + 1)) ?? [];
  const port = Number(portText ?? usualPort);
  // The error does not repeat a wrong host: it may be a misplaced password.
  if (host === undefined) throw wrong(scheme, `HOST[:PORT] is missing or wrong, use ${FORMS}`);
  if (port < 1 || port > 65_535) throw wrong(scheme, "the port must be from 1 to 65535");
  const hostname = host.replace(/^\[|\]$/g, "");
  if (host !== hostname && !URL.canParse(`http://${host}`)) {
    throw wrong(scheme, "the host is no IPv6 address");
  }
  return {
    protocol,
    hostname,
    port,
    ...(at >= 0 && { credentials: credentialsFrom(rest.slice(0, at), scheme, protocol) }),
    name: `${protocol}://${formatAddress(hostname, port)}`,
  };
}

function credentialsFrom(
  text: string,
  scheme: string,
  protocol: Proxy["protocol"],
): ProxyCredentials {
  const [, user, encoded = ""] = /^([^:]*)(?::(.*))?$/s.exec(text)!;
  const username = decode(user, "user", scheme);
  // Encoded together with the line end of the file that it came from.
  const password = withoutLineEnd(decode(encoded, "password", scheme));
  if (username === "") throw wrong(scheme, "the user is empty");
  if (protocol === "http" && username.includes(":")) {
    throw wrong(scheme, 'the user must be without ":", which HTTP ends it with');
  }
  for (const [what, value] of [["user", username], ["password", password]]) {
    if (protocol === "socks5" && new TextEncoder().encode(value).length > 255) {
      throw wrong(scheme, `the ${what} is longer than the 255 bytes that SOCKS has room for`);
    }
  }
  return { username, password };
}

function decode(text: string, what: string, scheme: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The cause would repeat the password.
    throw wrong(scheme, `the ${what} is not percent-encoded UTF-8; write "%" as "%25"`);
  }
}

function wrong(scheme: string, what: string): TypeError {
  return new TypeError(`Cannot use proxy${scheme === "" ? "" : ` ${scheme}://…`}: ${what}`);
}
