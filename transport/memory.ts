/** Transports inside one process: `memory:NAME`, and linked pairs. */

import { errors } from "../internal/runtime/errors.ts";
import { attempt } from "../internal/handled.ts";
import { Deque } from "@std/data-structures";
import type { MemoryEndpoint, Transport, TransportAbilities } from "../transport.ts";
import type { AcceptedPeer, TransportKind, TransportListener } from "./kind.ts";

/** How much one direction holds before its writer waits, like the buffers of a socket. */
const MAX_PIPE_BYTES = 64 * 1024;

const NONE: TransportAbilities = {};

const listeners = new Map<string, MemoryListener>();
let lastPair = 0;

/** Connections without a network. They need no permission and leave nothing to clean up. */
export const memory: TransportKind<MemoryEndpoint> = {
  listen(endpoint, { backlog }) {
    return attempt(() => {
      if (listeners.has(endpoint.name)) {
        throw new errors.AlreadyExists("another server listens there");
      }
      const listener = new MemoryListener(endpoint, backlog);
      listeners.set(endpoint.name, listener);
      return listener;
    });
  },
  connect({ name }, { signal }) {
    return attempt(() => {
      signal.throwIfAborted();
      const [near, far] = memoryPair(name);
      const listener = listeners.get(name);
      if (listener === undefined || !listener.enqueue(far)) {
        throw new errors.ConnectionRefused();
      }
      return near;
    });
  },
};

/**
 * Two linked transports, for tests of programs that use connections: each one reads what the other one
 * writes. Each direction holds 64 KiB.
 *
 * @example A connection's two ends without a socket
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = memoryPair().map((transport) => new Connection(transport));
 * await a.send("hello");
 * assertEquals(new TextDecoder().decode(await b.receive()), "hello");
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function memoryPair(name = "pair"): [Transport, Transport] {
  const there = new Pipe();
  const back = new Pipe();
  const number = ++lastPair;
  const [near, far] = [`memory:${name}#${number}`, `memory:${name}`];
  return [new MemoryTransport(back, there, near, far), new MemoryTransport(there, back, far, near)];
}

class MemoryTransport implements Transport {
  readonly abilities: TransportAbilities = NONE;
  readonly #in: Pipe;
  readonly #out: Pipe;

  constructor(input: Pipe, output: Pipe, readonly local: string, readonly remote: string) {
    this.#in = input;
    this.#out = output;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#in.read();
  }

  write(chunk: Uint8Array): Promise<number> {
    return this.#out.write(chunk);
  }

  closeWrite(): Promise<void> {
    this.#out.end();
    return Promise.resolve();
  }

  close(): void {
    this.#out.end();
    this.#in.break();
  }
}

/** One direction: a bounded queue of chunks. */
class Pipe {
  readonly #chunks = new Deque<Uint8Array>();
  #bytes = 0;
  #state: "open" | "ended" | "broken" = "open";
  #change = Promise.withResolvers<void>();

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#state === "broken") throw new errors.Interrupted("operation canceled");
      const chunk = this.#chunks.popFront();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#changed();
        return chunk;
      }
      if (this.#state === "ended") return undefined;
      await this.#change.promise;
    }
  }

  async write(chunk: Uint8Array): Promise<number> {
    while (this.#state === "open" && this.#bytes >= MAX_PIPE_BYTES) await this.#change.promise;
    if (this.#state !== "open") throw new errors.BrokenPipe("broken pipe");
    const taken = chunk.slice(0, MAX_PIPE_BYTES - this.#bytes);
    this.#chunks.pushBack(taken);
    this.#bytes += taken.length;
    this.#changed();
    return taken.length;
  }

  /** Nothing more will be written. What was written may still be read. */
  end(): void {
    if (this.#state === "open") this.#state = "ended";
    this.#changed();
  }

  /** Nobody will read any more. */
  break(): void {
    this.#state = "broken";
    this.#chunks.clear();
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}

class MemoryListener implements TransportListener {
  readonly #backlog: number;
  readonly #waiting = new Deque<Transport>();
  #accepting: PromiseWithResolvers<void> | undefined;

  constructor(readonly endpoint: MemoryEndpoint, backlog: number) {
    this.#backlog = backlog;
  }

  /** Queues a peer. Returns false if too many peers wait already. */
  enqueue(transport: Transport): boolean {
    if (this.#waiting.length >= this.#backlog) return false;
    this.#waiting.pushBack(transport);
    this.#accepting?.resolve();
    return true;
  }

  async accept(): Promise<AcceptedPeer> {
    while (this.#waiting.isEmpty()) {
      if (listeners.get(this.endpoint.name) !== this) {
        throw new errors.BadResource("listener has been closed");
      }
      this.#accepting = Promise.withResolvers<void>();
      await this.#accepting.promise;
    }
    const transport = this.#waiting.popFront()!;
    return { hostname: "", open: () => transport, refuse: () => transport.close() };
  }

  close(): void {
    if (listeners.get(this.endpoint.name) !== this) return;
    listeners.delete(this.endpoint.name);
    for (const transport of this.#waiting) transport.close();
    this.#waiting.clear();
    this.#accepting?.resolve();
  }
}
