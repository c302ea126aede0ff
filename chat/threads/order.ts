/** The one order of a chat of several threads. */

import type { Down, Known, Up } from "./items.ts";

/** A thread of the chat, seen from the one that has the order. */
export interface ChatThreadPlace {
  /** For the thread: {@linkcode chatThread} takes it. Hand it over with `postMessage(…, [port])`. */
  readonly port: MessagePort;
  /** The thread has ended: its members are gone for the others. */
  remove(): void;
}

/** Options of {@linkcode ChatOrder}. */
export interface ChatOrderOptions {
  /**
   * How many bytes of what happens may wait for one thread. One that takes none of it for so long cannot
   * go on.
   *
   * @default 67_108_864
   */
  maxWaitingBytes?: number;
}

type Entry = Extract<Down, { do: "entry" }>;

/**
 * Puts what happens in the chats of several threads into one order, in which it happens in all of them.
 * One thread has it, most often the one that starts the others. It knows nothing of what happens, and
 * keeps nothing: a thread that comes later gets what the others know from one of them.
 */
export class ChatOrder implements Disposable {
  readonly #maxWaitingBytes: number;
  readonly #threads = new Set<Thread>();
  #seq = 0;

  /** An order without threads. */
  constructor({ maxWaitingBytes = 64 * 1024 * 1024 }: ChatOrderOptions = {}) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /**
   * One more thread. `onStuck` is called when it cannot go on, because it does not take what happens: end
   * it then, and remove it.
   */
  add(onStuck: () => void = () => {}): ChatThreadPlace {
    const { port1, port2 } = new MessageChannel();
    const thread = new Thread(port1, this.#maxWaitingBytes, onStuck);
    this.#threads.add(thread);
    port1.onmessage = ({ data }) => this.#take(thread, data as Up);
    return { port: port2, remove: () => this.#remove(thread) };
  }

  /** Removes all threads. */
  [Symbol.dispose](): void {
    for (const { port } of this.#threads) port.close();
    this.#threads.clear();
  }

  #take(thread: Thread, item: Up): void {
    switch (item.do) {
      case "load":
        return this.#load(thread);
      case "read":
        return thread.read(item.after, item.server);
      case "append": {
        const entry: Entry = {
          do: "entry",
          seq: ++this.#seq,
          time: Date.now(),
          bytes: item.bytes,
        };
        for (const each of this.#threads) each.entry(entry);
        return;
      }
      case "beat":
        for (const each of this.#threads) if (each.state === "reading") each.tell(item as Down);
        return;
      case "written":
        return thread.asking.shift()?.tell({ do: "loaded", known: item.known });
      case "took":
        thread.waitingBytes -= item.bytes;
    }
  }

  /** Asks one that knows all to tell it. What happens from now on is kept until that is there. */
  #load(thread: Thread): void {
    thread.state = "loading";
    thread.kept = [];
    const other = this.#threads.values().find(({ state }) => state === "reading");
    const known: Known = { at: this.#seq };
    if (other === undefined) return thread.tell({ do: "loaded", known });
    other.asking.push(thread);
    other.tell({ do: "write" });
  }

  #remove(thread: Thread): void {
    if (!this.#threads.delete(thread)) return;
    const { port, server, asking } = thread;
    port.close();
    if (server !== undefined) {
      for (const each of this.#threads) {
        if (each.state === "reading") each.tell({ do: "gone", server });
      }
    }
    for (const each of asking) if (this.#threads.has(each)) this.#load(each);
  }
}

/** One thread. */
class Thread {
  readonly port: MessagePort;
  state: "new" | "loading" | "reading" | "stuck" = "new";
  /** The name of its server in the chat, as soon as it takes part. */
  server: string | undefined;
  /** Entries for it while it does not read yet. */
  kept: Entry[] = [];
  /** Those that wait for what it knows, in the order in which it was asked. */
  readonly asking: Thread[] = [];
  /** Bytes of entries that it has not taken yet. */
  waitingBytes = 0;
  readonly #maxWaitingBytes: number;
  readonly #onStuck: () => void;

  constructor(port: MessagePort, maxWaitingBytes: number, onStuck: () => void) {
    this.port = port;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#onStuck = onStuck;
  }

  tell(item: Down): void {
    this.port.postMessage(item);
  }

  read(after: number, server: string): void {
    this.state = "reading";
    this.server = server;
    for (const entry of this.kept) if (entry.seq > after) this.tell(entry);
    this.kept = [];
  }

  entry(entry: Entry): void {
    if (this.state === "new" || this.state === "stuck") return;
    this.waitingBytes += entry.bytes.length;
    if (this.waitingBytes > this.#maxWaitingBytes) {
      this.state = "stuck";
      this.kept = [];
      return this.#onStuck();
    }
    if (this.state === "loading") this.kept.push(entry);
    else this.tell(entry);
  }
}
