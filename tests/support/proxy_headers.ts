/** Headers of the PROXY protocol, and a proxy that sends what it is told before what it passes on. */

import { crc32c } from "../../transport/proxied/crc32c.ts";
import { parseEndpoint, type TcpEndpoint } from "../../transport.ts";
import { ascii } from "./raw.ts";

/** What to say in a header of version 2. */
export interface Version2 {
  /** Version and command; PROXY by default. */
  readonly command?: number;
  /** Family and protocol; TCP over IPv4 by default. */
  readonly family?: number;
  /** The ends; 192.0.2.7:50000 and 198.51.100.1:443 by default. */
  readonly ends?: readonly number[];
  /** Types, and their values. */
  readonly extensions?: readonly (readonly [type: number, value: readonly number[]])[];
  /** How many bytes it says that follow. */
  readonly length?: number;
  /** Adds a right checksum. */
  readonly sum?: boolean;
}

const START = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
/** 192.0.2.7:50000 and 198.51.100.1:443. */
const ENDS_IPV4 = [192, 0, 2, 7, 198, 51, 100, 1, 195, 80, 1, 187];
/** [2001:db8::7]:50000 and [2001:db8::1]:443. */
export const ENDS_IPV6: readonly number[] = [
  ...[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[195, 80, 1, 187],
];

/** A header of version 2. */
export function version2(wanted: Version2 = {}): Uint8Array {
  const { command = 0x21, family = 0x11, ends = ENDS_IPV4, extensions = [], sum = false } = wanted;
  const all = sum ? [...extensions, [3, [0, 0, 0, 0]] as const] : extensions;
  const more = all.flatMap((
    [type, value],
  ) => [type, value.length >> 8, value.length & 255, ...value]);
  const { length = ends.length + more.length } = wanted;
  const header = Uint8Array.from([
    ...START,
    command,
    family,
    length >> 8,
    length & 255,
    ...ends,
    ...more,
  ]);
  if (sum) new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
}

/** A header of version 1: this line. */
export function version1(line = "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443"): Uint8Array {
  return ascii(`${line}\r\n`);
}

/** Passes on what comes to a TCP port, behind a header. */
export class HeaderProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: TcpEndpoint;
  readonly #headers: () => Uint8Array;
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #done: Promise<void>;

  /** Each connection gets the header that the function gives. */
  constructor(endpoint: string, header: Uint8Array | (() => Uint8Array)) {
    this.#target = parseEndpoint(endpoint) as TcpEndpoint;
    this.#headers = typeof header === "function" ? header : () => header;
    this.#done = this.#run();
  }

  /** The endpoint to connect to instead of the target's. */
  at(endpoint: string): string {
    const { port } = this.#target;
    return endpoint.replace(`:${port}`, `:${this.#listener.addr.port}`).replace(/[?&]proxy=1/, "");
  }

  async #run(): Promise<void> {
    const passing: Promise<unknown>[] = [];
    try {
      for await (const conn of this.#listener) passing.push(this.#pass(conn));
    } catch {
      // The listener was closed.
    }
    await Promise.allSettled(passing);
  }

  async #pass(from: Deno.TcpConn): Promise<void> {
    const to = await Deno.connect({ hostname: this.#target.hostname, port: this.#target.port });
    this.#conns.add(from).add(to);
    await to.write(this.#headers());
    const pipe = (a: Deno.TcpConn, b: Deno.TcpConn) =>
      a.readable.pipeTo(b.writable).catch(() => {});
    await Promise.all([pipe(from, to), pipe(to, from)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // It was closed before.
      }
    }
    await this.#done;
  }
}
