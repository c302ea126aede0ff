/** Endpoints: where to listen or to connect, written as a URL. */

import type { FramingText } from "../codec.ts";
import { os } from "../internal/runtime/os.ts";
import { parseQuery, wrong } from "./endpoint/query.ts";

/** Where to listen or to connect. */
export type Endpoint =
  | TcpEndpoint
  | TlsEndpoint
  | UnixEndpoint
  | UdpEndpoint
  | WebSocketEndpoint
  | MemoryEndpoint;

/** The members of all endpoints with a host. */
export interface HostEndpoint {
  /** A host name or address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** The port. When listening, 0 lets the system choose a port. */
  readonly port: number;
}

/** The members of all endpoints that carry a stream of bytes. */
export interface StreamEndpoint {
  /** The framing in canonical form, if the endpoint names one. */
  readonly framing?: FramingText;
  /** Whether connections are sessions, if the endpoint says so. */
  readonly session?: boolean;
}

/** What endpoints have that a proxy may stand before. */
export interface ProxiedEndpoint {
  /**
   * When listening: whether a proxy stands before it, and each connection begins with a header of the
   * PROXY protocol. Without the option `proxies` of `listen()` no proxy is trusted.
   */
  readonly proxy?: boolean;
}

/** `tcp://HOST:PORT`. */
export interface TcpEndpoint extends HostEndpoint, StreamEndpoint, ProxiedEndpoint {
  /** The kind of transport. */
  readonly transport: "tcp";
}

/** `tls://HOST:PORT`. */
export interface TlsEndpoint extends HostEndpoint, StreamEndpoint, ProxiedEndpoint {
  /** The kind of transport. */
  readonly transport: "tls";
}

/**
 * `unix:PATH`, with `?mode=660` for the file's permissions when listening. On Linux `unix:@NAME` is an
 * abstract socket, which has a name but no file, and which everybody on the machine may connect to.
 */
export interface UnixEndpoint extends StreamEndpoint {
  /** The kind of transport. */
  readonly transport: "unix";
  /** The socket's file; a name without a file where it begins with `@`. */
  readonly path: string;
  /** The permission bits of the file, when listening. By default the process's umask decides. */
  readonly mode?: number;
}

/**
 * `udp://HOST:PORT`: each message is one datagram. `?group=ADDRESS` makes a listener join a
 * multicast group. `?ttl=N` sets how many networks far multicast datagrams go. `?broadcast=1`
 * permits sending to a broadcast address. `?framing=line` ends each datagram with a newline.
 */
export interface UdpEndpoint extends HostEndpoint {
  /** The kind of transport. */
  readonly transport: "udp";
  /** The multicast group to join when listening, on the interface that has the host's address. */
  readonly group?: string;
  /** How many networks far multicast datagrams go, 1 to 255, IPv4 only; 1 by default. */
  readonly ttl?: number;
  /** `line` ends each datagram with a newline, for a peer that is a person with nc. */
  readonly framing?: "line";
  /** Whether the host may be a broadcast address, when connecting. */
  readonly broadcast?: boolean;
}

/** `ws://HOST:PORT/PATH` and `wss://HOST:PORT/PATH`: each message is one WebSocket message. */
export interface WebSocketEndpoint extends HostEndpoint, ProxiedEndpoint {
  /** The kind of transport; `wss` is over TLS. */
  readonly transport: "ws" | "wss";
  /** The path with the query; `/` by default. */
  readonly path: string;
  /** Whether connections are sessions, if the endpoint says so. */
  readonly session?: boolean;
  /** Whether messages are compressed, where the other end does that too. */
  readonly deflate?: boolean;
}

/** `memory:NAME`: inside this process. */
export interface MemoryEndpoint extends StreamEndpoint {
  /** The kind of transport. */
  readonly transport: "memory";
  /** The name, which the listener and those who connect share. */
  readonly name: string;
}

const FORMS = "tcp://HOST:PORT, HOST:PORT or :PORT";
const HOST = String.raw`(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^\s:\/?#\[\]@]*)`;
const HOST_AND_PORT = new RegExp(
  String.raw`^(?:\w+:\/\/)?${HOST}:(\d{1,5})\/?(?:\?([^#]*))?$`,
  "i",
);
const WEB = new RegExp(String.raw`^\w+:\/\/${HOST}(?::(\d{1,5}))?((?:[\/?][!-~]*)?)$`, "i");
/**
 * The longest path: the system's limit of 108 bytes on Linux, 104 on macOS and BSD, less a zero
 * byte.
 */
const MAX_PATH_BYTES = os === "linux" ? 107 : 103;

/**
 * Parses an endpoint: `tcp://HOST:PORT`, `HOST:PORT`, `:PORT`, `tls://HOST:PORT`, `unix:PATH`,
 * `udp://HOST:PORT`, `ws://HOST:PORT/PATH`, `wss://HOST:PORT/PATH` or `memory:NAME`. Endpoints that
 * carry a stream of bytes may have `?framing=NAME`, also with parameters, such as
 * `?framing=length(bytes:4,offset:1)`. An empty host means 127.0.0.1, which is loopback.
 *
 * @throws {TypeError} which names what is wrong and what would be right.
 *
 * @example The parts of an endpoint
 * ```ts
 * import { parseEndpoint } from "@lengthwise/lengthwise/transport";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEndpoint(":1234?framing=u32le"), {
 *   transport: "tcp",
 *   hostname: "127.0.0.1",
 *   port: 1234,
 *   framing: "u32le",
 * });
 * ```
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^(?:([a-z][a-z0-9+.-]*):(?=\/\/)|(unix|memory):)/i.exec(text);
  const transport = (scheme?.[1] ?? scheme?.[2] ?? "tcp").toLowerCase();
  switch (transport) {
    case "unix":
      return parseUnix(text);
    case "memory":
      return parseMemory(text);
    case "ws":
    case "wss":
      return parseWebSocket(text, transport);
    case "tcp":
    case "tls": {
      const { query, ...host } = parseHost(text);
      const options = parseQuery(text, query, ["framing", "session", "proxy"]);
      return { transport, ...host, ...options } as TcpEndpoint | TlsEndpoint;
    }
    case "udp": {
      const { query, ...host } = parseHost(text);
      const names = ["group", "ttl", "broadcast", "framing"] as const;
      const { framing, ...options } = parseQuery(text, query, names);
      if (framing !== undefined && framing !== "line") {
        throw wrong(
          text,
          "a datagram is a message; its framing can only be line, or none be given",
        );
      }
      return { transport, ...host, ...options, ...(framing && { framing }) };
    }
  }
  throw wrong(
    text,
    `transport "${transport}" is unknown; use ${FORMS}, tls://, udp://, ws://, wss://, unix:PATH or memory:NAME`,
  );
}

function parseHost(text: string): HostEndpoint & { query: string } {
  const parts = HOST_AND_PORT.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) {
    const meant = /^\d{1,5}$/.test(text) && Number(text) <= 65_535
      ? `; did you mean :${text}?`
      : "";
    throw wrong(text, `it must look like ${FORMS}, PORT up to 65535${meant}`);
  }
  return { hostname: bareHostname(parts[1]), port, query: parts[3] ?? "" };
}

function bareHostname(text: string): string {
  return text.replace(/^\[|\]$/g, "") || "127.0.0.1";
}

function parseWebSocket(text: string, transport: "ws" | "wss"): WebSocketEndpoint {
  const parts = WEB.exec(text);
  const port = Number(parts?.[2] ?? (transport === "ws" ? 80 : 443));
  if (parts === null || port > 65_535) {
    throw wrong(text, `it must look like ${transport}://HOST:PORT/PATH, PORT up to 65535`);
  }
  const url = parts[3].startsWith("/") ? parts[3] : `/${parts[3]}`;
  if (/[?&]framing=/.test(url)) {
    throw wrong(text, "WebSocket has its own framing, a WebSocket message is a message");
  }
  return { transport, hostname: bareHostname(parts[1]), port, ...takeOwn(text, url) };
}

/** The options of a WebSocket's endpoint. The rest of its query is for the server. */
const WEB_OPTIONS = ["session", "proxy", "deflate"] as const;

/** Takes the options out of the query. */
function takeOwn(
  text: string,
  url: string,
): { path: string } & Pick<WebSocketEndpoint, (typeof WEB_OPTIONS)[number]> {
  const [path, query] = url.split(/\?(.*)/s);
  const pairs = query?.split("&") ?? [];
  const own = WEB_OPTIONS.map((name) => pairs.find((pair) => pair.startsWith(`${name}=`)));
  const rest = pairs.filter((pair) => !own.includes(pair)).join("&");
  const options = own.filter((pair) => pair !== undefined).join("&");
  if (options === "") return { path: url };
  return {
    path: rest === "" ? path : `${path}?${rest}`,
    ...parseQuery(text, options, WEB_OPTIONS),
  };
}

function parseUnix(text: string): UnixEndpoint {
  const [, path, query = ""] = /^unix:(?:\/\/(?=\/))?([^?\0]*)(?:\?(.*))?$/is.exec(text) ?? [];
  if (!path) throw wrong(text, "it must look like unix:PATH");
  const options = parseQuery(text, query, ["framing", "session", "mode"]);
  if (path.startsWith("@")) checkAbstract(text, path, options.mode);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_PATH_BYTES) {
    throw wrong(text, `its path has ${bytes} bytes, limit is ${MAX_PATH_BYTES} bytes`);
  }
  return { transport: "unix", path, ...options };
}

/** A name in the system's own list and not in a folder, which only Linux has: unix(7). */
function checkAbstract(text: string, path: string, mode: number | undefined): void {
  if (path === "@") throw wrong(text, "it must look like unix:@NAME, or unix:PATH");
  if (os !== "linux") {
    throw wrong(text, `only Linux has names without a file; a file of that name is unix:./${path}`);
  }
  if (mode !== undefined) {
    throw wrong(text, `it has no file, and so no mode; a file of that name is unix:./${path}`);
  }
}

function parseMemory(text: string): MemoryEndpoint {
  const [, name, query = ""] = /^memory:([\w.-]{1,100})(?:\?(.*))?$/i.exec(text) ?? [];
  if (!name) {
    throw wrong(text, "it must look like memory:NAME, with 1 to 100 of A-Z a-z 0-9 _ . -");
  }
  return { transport: "memory", name, ...parseQuery(text, query, ["framing", "session"]) };
}

/** Writes an endpoint as a URL; the reverse of {@linkcode parseEndpoint}. */
export function formatEndpoint(endpoint: Endpoint): string {
  const { transport } = endpoint;
  if (transport === "ws" || transport === "wss") {
    const { hostname, port, path } = endpoint;
    const own = WEB_OPTIONS.filter((name) => endpoint[name]).map((name) => `${name}=1`).join("&");
    const mark = own === "" ? "" : path.includes("?") ? "&" : "?";
    return `${transport}://${formatAddress(hostname, port)}${path}${mark}${own}`;
  }
  const query = formatQuery(endpoint as Exclude<Endpoint, WebSocketEndpoint>);
  if (transport === "unix") return `unix:${endpoint.path}${query}`;
  if (transport === "memory") return `memory:${endpoint.name}${query}`;
  return `${transport}://${formatAddress(endpoint.hostname, endpoint.port)}${query}`;
}

function formatQuery(endpoint: Exclude<Endpoint, WebSocketEndpoint>): string {
  const options: Record<string, string | number | boolean | undefined> =
    endpoint.transport === "udp"
      ? {
        group: endpoint.group,
        ttl: endpoint.ttl,
        broadcast: endpoint.broadcast ? 1 : undefined,
        framing: endpoint.framing,
      }
      : {
        framing: endpoint.framing,
        session: endpoint.session ? 1 : undefined,
        proxy: isProxied(endpoint) ? 1 : undefined,
      };
  const pairs = Object.entries(options).filter(([_, value]) => value !== undefined);
  return pairs.length === 0 ? "" : `?${pairs.map(([name, value]) => `${name}=${value}`).join("&")}`;
}

/** The same endpoint with another framing, or with none. Unchanged if it cannot have a framing. */
export function withFraming(endpoint: Endpoint, framing: FramingText | undefined): Endpoint {
  return hasFraming(endpoint) ? { ...endpoint, framing } : endpoint;
}

/** The same endpoint with or without sessions. Unchanged if it cannot have sessions. */
export function withSession(endpoint: Endpoint, session: boolean): Endpoint {
  return hasSessions(endpoint) ? { ...endpoint, session } : endpoint;
}

/** Whether an endpoint can have sessions. All can but UDP, which has no connections to resume. */
export function hasSessions(endpoint: Endpoint): endpoint is Exclude<Endpoint, UdpEndpoint> {
  return endpoint.transport !== "udp";
}

/** Whether each connection to an endpoint begins with a header of the PROXY protocol. */
export function isProxied(endpoint: Endpoint): boolean {
  return "proxy" in endpoint && endpoint.proxy === true;
}

/** The framing that an endpoint names; undefined if it names none. */
export function framingOf(endpoint: Endpoint): FramingText | undefined {
  return hasFraming(endpoint) ? endpoint.framing : undefined;
}

/** Writes a host and a port as `HOST:PORT`, with brackets around an IPv6 address. */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether a framing can be chosen for an endpoint: whether it carries a stream of bytes. */
export function hasFraming(
  endpoint: Endpoint,
): endpoint is Exclude<Endpoint, UdpEndpoint | WebSocketEndpoint> {
  return !["udp", "ws", "wss"].includes(endpoint.transport);
}
