/**
 * What a transport promises, and endpoints: where one listens or connects, written as a URL.
 *
 * @module
 */

import { FRAMING_NAMES, type FramingName } from "./codec.ts";
import { nearest } from "./nearest.ts";

/**
 * One open stream of bytes to a peer, both ways. The connection above it does the framing, the
 * waiting and the limits; a transport only moves chunks.
 *
 * - Bytes arrive in order and once, or `read()` rejects.
 * - At most one `read()` and one `write()` are under way at a time.
 * - After `close()` a pending call rejects or resolves soon, and nothing else happens.
 */
export interface Transport {
  /** The address of this end, such as `127.0.0.1:1234`. */
  readonly local: string;
  /** The address of the peer. */
  readonly remote: string;
  /** The next chunk, never empty, which then belongs to the caller; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Takes back a chunk that nobody looks at any more, to read into it again. */
  readonly recycle?: (chunk: Uint8Array) => void;
  /** Hands over the start of a chunk; resolves to how many bytes were taken, at least one. */
  write(chunk: Uint8Array): Promise<number>;
  /** Tells the peer that nothing more will be written. */
  closeWrite(): Promise<void>;
  /** Ends both directions at once. Never throws; a second call does nothing. */
  close(): void;
}

/** An open endpoint that peers connect to. */
export interface TransportListener {
  /** Where it listens, with the real port. */
  readonly endpoint: Endpoint;
  /** The next peer. Rejects when accepting failed this time, or after `close()`. */
  accept(): Promise<AcceptedPeer>;
  /** Stops listening. Never throws; a second call does nothing. */
  close(): void;
}

/** A peer that was accepted, before it is made a connection. */
export interface AcceptedPeer {
  /** The peer's host, to count connections by; empty for a peer that is on this machine for sure. */
  readonly hostname: string;
  /** Makes it ready for messages. */
  open(): Transport;
  /** Turns it away. */
  refuse(): void;
}

/** What a kind of transport can do. */
export interface TransportKind<E extends Endpoint = Endpoint> {
  /** Opens an endpoint for peers. Rejects with the system's error. */
  listen(endpoint: E, options: { backlog: number }): Promise<TransportListener>;
  /** Connects to an endpoint. Rejects with the system's error, or the signal's reason. */
  connect(endpoint: E, options: { signal: AbortSignal }): Promise<Transport>;
}

/** Where one listens or connects. */
export type Endpoint = TcpEndpoint | UnixEndpoint | MemoryEndpoint;

/** `memory:NAME`: within this process. */
export interface MemoryEndpoint {
  /** The kind of transport. */
  readonly transport: "memory";
  /** What listeners and those who connect know it by. */
  readonly name: string;
  /** The framing, where the endpoint names it. */
  readonly framing?: FramingName;
}

/** `unix:PATH`, with `?mode=660` for the file's permissions when listening. */
export interface UnixEndpoint {
  /** The kind of transport. */
  readonly transport: "unix";
  /** The socket's file. */
  readonly path: string;
  /** The permission bits of the file, when listening; else what the process's mask leaves. */
  readonly mode?: number;
  /** The framing, where the endpoint names it. */
  readonly framing?: FramingName;
}

/** `tcp://HOST:PORT`. */
export interface TcpEndpoint {
  /** The kind of transport. */
  readonly transport: "tcp";
  /** A host name or address, an IPv6 address without brackets. */
  readonly hostname: string;
  /** The port; 0 lets the system choose when listening. */
  readonly port: number;
  /** The framing, where the endpoint names it. */
  readonly framing?: FramingName;
}

const FORMS = `tcp://HOST:PORT, HOST:PORT or :PORT`;
/** What the systems have room for, less the closing zero: 108 on Linux, 104 on macOS and BSD. */
const MAX_PATH_BYTES = Deno.build.os === "linux" ? 107 : 103;

/**
 * Reads an endpoint: `tcp://HOST:PORT`, `HOST:PORT`, `:PORT`, `unix:PATH` or `memory:NAME`, with
 * `?framing=NAME`. An empty host is loopback, 127.0.0.1.
 *
 * @throws {TypeError} naming what is wrong and what would be right.
 *
 * @example What an endpoint says
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
  if (/^unix:/i.test(text)) return parseUnix(text);
  if (/^memory:/i.test(text)) return parseMemory(text);
  const scheme = /^([a-z][a-z0-9+.-]*):(?=\/\/)/i.exec(text)?.[1].toLowerCase() ?? "tcp";
  if (scheme !== "tcp") {
    throw new TypeError(
      `Cannot use endpoint "${text}": transport "${scheme}" is unknown; use ${FORMS}, unix:PATH or memory:NAME`,
    );
  }
  const parts =
    /^(?:\w+:\/\/)?(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^\s:\/?#\[\]@]*):(\d{1,5})\/?(?:\?([^#]*))?$/i
      .exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) {
    throw new TypeError(
      `Cannot use endpoint "${text}": it must look like ${FORMS}, PORT up to 65535`,
    );
  }
  const hostname = parts[1].replace(/^\[|\]$/g, "") || "127.0.0.1";
  const { framing } = parseQuery(text, parts[3] ?? "", ["framing"]);
  return { transport: "tcp", hostname, port, ...(framing && { framing }) };
}

function parseUnix(text: string): UnixEndpoint {
  const [, path, query = ""] = /^unix:(?:\/\/(?=\/))?([^?\0]*)(?:\?(.*))?$/is.exec(text) ?? [];
  if (!path) {
    throw new TypeError(`Cannot use endpoint "${text}": it must look like unix:PATH`);
  }
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_PATH_BYTES) {
    throw new TypeError(
      `Cannot use endpoint "${text}": its path has ${bytes} bytes, limit is ${MAX_PATH_BYTES} bytes`,
    );
  }
  return { transport: "unix", path, ...parseQuery(text, query, ["framing", "mode"]) };
}

function parseMemory(text: string): MemoryEndpoint {
  const [, name, query = ""] = /^memory:([\w.-]{1,100})(?:\?(.*))?$/i.exec(text) ?? [];
  if (!name) {
    throw new TypeError(
      `Cannot use endpoint "${text}": it must look like memory:NAME, with 1 to 100 of A-Z a-z 0-9 _ . -`,
    );
  }
  return { transport: "memory", name, ...parseQuery(text, query, ["framing"]) };
}

function parseQuery(
  text: string,
  query: string,
  names: readonly string[],
): Pick<UnixEndpoint, "framing" | "mode"> {
  const options: { framing?: FramingName; mode?: number } = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.includes(name)) {
      throw new TypeError(
        `Cannot use endpoint "${text}": option "${name}" is unknown; use ${names.join(" or ")}`,
      );
    }
    if (name === "mode") {
      if (!/^[0-7]{3}$/.test(value)) {
        throw new TypeError(
          `Cannot use endpoint "${text}": mode "${value}" must be three octal digits, such as 660`,
        );
      }
      options.mode = Number.parseInt(value, 8);
      continue;
    }
    if (!FRAMING_NAMES.includes(value as FramingName)) {
      throw new TypeError(
        `Cannot use endpoint "${text}": framing "${value}" is unknown, the nearest is "${
          nearest(value, FRAMING_NAMES)
        }"`,
      );
    }
    options.framing = value as FramingName;
  }
  return options;
}

/** Writes an endpoint as a URL, the opposite of {@linkcode parseEndpoint}. */
export function formatEndpoint(endpoint: Endpoint): string {
  const query = endpoint.framing === undefined ? "" : `?framing=${endpoint.framing}`;
  if (endpoint.transport === "unix") return `unix:${endpoint.path}${query}`;
  if (endpoint.transport === "memory") return `memory:${endpoint.name}${query}`;
  return `${endpoint.transport}://${formatAddress(endpoint.hostname, endpoint.port)}${query}`;
}

/** Writes a host and a port, an IPv6 address in brackets. */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
