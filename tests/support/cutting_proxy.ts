/** A TCP proxy that cuts its connections, at places that a seed decides. */

import { delay } from "@std/async/delay";
import { writeAll } from "../../internal/bytes.ts";

/** How a proxy cuts. */
export interface CuttingOptions {
  /** The port on loopback that it leads to. */
  readonly port: number;
  /** The same seed, the same places. */
  readonly seed: number;
  /** How often it cuts; then it lets everything through. */
  readonly cuts: number;
  /** How many bytes, both ways together, a connection carries before it is cut, on average. */
  readonly meanBytes: number;
  /** The share of cuts that nobody is told of: what is sent from then on vanishes. */
  readonly darkShare?: number;
  /** The share of chunks that are cut up, and held up for a moment of at most `maxDelay` each. */
  readonly chopShare?: number;
  /** In milliseconds. */
  readonly maxDelay?: number;
}

/** One connection through a proxy. */
interface Link {
  /** Bytes that it still carries. */
  bytes: number;
  /** Whether all that is sent vanishes. */
  isDark: boolean;
}

/** Someone who waits until so much was carried. */
interface Watcher {
  readonly bytes: number;
  readonly reached: PromiseWithResolvers<void>;
}

/** Carries bytes until it cuts: what was read and not written then is lost, in the middle of anything. */
export class CuttingProxy implements AsyncDisposable {
  /** Cuts so far, dark ones included. */
  cuts = 0;
  /** Cuts that nobody was told of. */
  darkCuts = 0;
  /** Bytes carried so far. */
  bytes = 0;
  /** Called with each chunk that is carried. */
  onChunk: ((chunk: Uint8Array) => void) | undefined;

  readonly #options: Required<CuttingOptions>;
  readonly #random: () => number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #links = new Set<Link>();
  readonly #served: Promise<void>;
  readonly #delays = new AbortController();
  #state: "open" | "shut" = "open";
  #port: number;
  #watchers: Watcher[] = [];

  constructor(options: CuttingOptions) {
    this.#options = { darkShare: 0, chopShare: 0, maxDelay: 0, ...options };
    this.#random = randomOf(options.seed);
    this.#port = options.port;
    this.#served = this.#serve();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Resolves when so many bytes more were carried. */
  carried(bytes: number): Promise<void> {
    const reached = Promise.withResolvers<void>();
    this.#watchers.push({ bytes: this.bytes + bytes, reached });
    return reached.promise;
  }

  /** Leads new connections to another port. */
  lead(port: number): void {
    this.#port = port;
  }

  /** Cuts all connections now. */
  cut(): void {
    for (const conn of this.#conns) this.#close(conn);
  }

  /** Lets what is sent on all connections vanish from now on. */
  darken(): void {
    for (const link of this.#links) link.isDark = true;
  }

  /** Cuts all connections, and takes none until `open()`. */
  shut(): void {
    this.#state = "shut";
    this.cut();
  }

  /** Takes connections again. */
  open(): void {
    this.#state = "open";
  }

  async #serve(): Promise<void> {
    const links = new Set<Promise<void>>();
    try {
      for (;;) {
        const link = this.#link(this.#keep(await this.#listener.accept()));
        links.add(link);
        link.then(() => links.delete(link));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(links);
  }

  async #link(near: Deno.Conn): Promise<void> {
    const { meanBytes } = this.#options;
    if (this.#state === "shut") return this.#close(near);
    const link = { bytes: Math.ceil(2 * meanBytes * this.#random()), isDark: false };
    this.#links.add(link);
    let far: Deno.Conn | undefined;
    try {
      far = this.#keep(await Deno.connect({ hostname: "127.0.0.1", port: this.#port }));
      if (this.#conns.has(near)) {
        await Promise.all([this.#carry(near, far, link), this.#carry(far, near, link)]);
      }
    } catch {
      // One of the ends has gone, or the link was cut: that is what it is for.
    }
    this.#links.delete(link);
    this.#close(near);
    if (far !== undefined) this.#close(far);
  }

  /** Carries one way, to the end of that or until both ways together have had their bytes. */
  async #carry(from: Deno.Conn, to: Deno.Conn, link: Link): Promise<void> {
    const chunk = new Uint8Array(16 * 1024);
    try {
      for (let read; (read = await from.read(chunk)) !== null;) {
        if (link.isDark) continue;
        const isCut = read >= link.bytes && this.cuts < this.#options.cuts;
        const length = isCut ? link.bytes : read;
        link.bytes -= length;
        if (isCut) this.cuts++;
        await this.#pass(to, chunk.subarray(0, length));
        if (!isCut) continue;
        if (this.#options.darkShare <= this.#random()) throw new Error(`cut ${this.cuts}`);
        link.isDark = true;
        this.darkCuts++;
      }
      await (to as Deno.TcpConn).closeWrite();
    } catch (error) {
      this.#close(from);
      this.#close(to);
      throw error;
    }
  }

  async #pass(to: Deno.Conn, chunk: Uint8Array): Promise<void> {
    const { chopShare, maxDelay } = this.#options;
    const isChopped = chopShare > 0 && this.#random() < chopShare;
    for (let at = 0; at < chunk.length;) {
      const end = isChopped ? at + Math.ceil(this.#random() * (chunk.length - at)) : chunk.length;
      if (isChopped) await delay(this.#random() * maxDelay, { signal: this.#delays.signal });
      await writeAll(to, chunk.subarray(at, end));
      at = end;
    }
    this.bytes += chunk.length;
    this.onChunk?.(chunk);
    this.#watchers = this.#watchers.filter(({ bytes, reached }) => {
      if (this.bytes < bytes) return true;
      reached.resolve();
      return false;
    });
  }

  #keep(conn: Deno.Conn): Deno.Conn {
    this.#conns.add(conn);
    return conn;
  }

  #close(conn: Deno.Conn): void {
    if (this.#conns.delete(conn)) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#delays.abort();
    this.cut();
    await this.#served;
  }
}

/** Numbers from 0 to below 1, by the algorithm that is called mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let value = Math.imul(state ^ state >>> 15, state | 1);
    value ^= value + Math.imul(value ^ value >>> 7, value | 61);
    return ((value ^ value >>> 14) >>> 0) / 2 ** 32;
  };
}
