/** Endpoints in a page: `ws://` and `wss://`. */

import type { Endpoint, WebSocketEndpoint } from "../../transport/endpoint.ts";

const DEFAULT_PORTS = { ws: 80, wss: 443 } as const;
const OPTION = /(?:^|(?<=[?&]))(session|deflate)=([^&]*)&?/g;

/** Parses an endpoint that a page can have. */
export function parseEndpoint(text: string): WebSocketEndpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const transport = url?.protocol.slice(0, -1);
  if (url === undefined || transport !== "ws" && transport !== "wss" || url.username !== "") {
    const shown = text.replace(/\/\/.*@/, "//…@");
    throw new TypeError(
      `Cannot use endpoint "${shown}" in a page: it has WebSockets only, ws://HOST/PATH and wss://HOST/PATH`,
    );
  }
  const own: Record<string, boolean> = {};
  const query = url.search.replace(OPTION, (_, name, value) => {
    if (!/^[01]$/.test(value)) {
      throw new TypeError(`Cannot use endpoint "${text}": ${name} "${value}" must be 0 or 1`);
    }
    own[name] = value === "1";
    return "";
  }).replace(/[?&]$/, "");
  return {
    transport,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || DEFAULT_PORTS[transport]),
    path: url.pathname + query,
    ...own,
  };
}

/** Writes an endpoint as a URL. */
export function formatEndpoint(endpoint: Endpoint): string {
  const { transport, hostname, port, path, session } = endpoint as WebSocketEndpoint;
  const mark = !session ? "" : path.includes("?") ? "&session=1" : "?session=1";
  return `${transport}://${formatAddress(hostname, port)}${path}${mark}`;
}

/** Writes a host and a port as `HOST:PORT`. */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** All endpoints of a page can have sessions. */
export function hasSessions(_: Endpoint): boolean {
  return true;
}

/** WebSockets have their own framing. */
export function hasFraming(_: Endpoint): boolean {
  return false;
}

/** See {@linkcode hasFraming}. */
export function framingOf(_: Endpoint): undefined {}

/** A page cannot listen. */
export function isProxied(_: Endpoint): boolean {
  return false;
}
