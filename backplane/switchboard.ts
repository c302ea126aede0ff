/** Where the backplane of several threads passes messages on. */

import { bytesOf, type Down, type Kind, type Published, type Up, Way } from "./items.ts";

/** A thread at a switchboard, seen from the one that has the switchboard. */
export interface SwitchboardThread {
  /** For the thread: {@linkcode throughPort} takes it. Hand it over with `postMessage(…, [port])`. */
  readonly port: MessagePort;
  /** The thread has ended: its hubs have subscribed to nothing any more. */
  remove(): void;
}

/** Options of a switchboard. */
export interface SwitchboardOptions {
  /**
   * How many bytes of messages may wait for one hub, and how many of one hub may wait to be passed on.
   * Beyond this they are dropped, and both `Hub`s tell their `onError`.
   *
   * @default 8_388_608
   */
  maxWaitingBytes?: number;
}

/** What a switchboard counts. */
export interface SwitchboardStats {
  /** Threads that were added and not removed. */
  readonly threads: number;
  /** Rooms and channels of hubs: a room that is in three hubs counts three times. */
  readonly subscriptions: number;
  /** Messages that were dropped, because a hub did not take them. */
  readonly dropped: number;
}

/** The links that have subscribed to a name. */
type Topics = Map<string, Set<SwitchedLink>>;

/**
 * Passes messages on between the hubs of several threads. One thread has it, most often the one that
 * starts the others; it needs no hub of its own.
 *
 * - **Order and loss** are those of every backplane. A thread that does not take its messages, because
 *   its JavaScript is busy, loses those above `maxWaitingBytes`, and its hubs are told.
 * - **A thread that ends** is to be removed. Nothing tells of it by itself.
 */
export class Switchboard implements Disposable {
  readonly #maxWaitingBytes: number;
  readonly #topics: Readonly<Record<Kind, Topics>> = { room: new Map(), channel: new Map() };
  readonly #threads = new Set<SwitchboardThread>();
  #dropped = 0;

  /** A switchboard without threads. */
  constructor({ maxWaitingBytes = 8 * 1024 * 1024 }: SwitchboardOptions = {}) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** Counts as of now. */
  get stats(): SwitchboardStats {
    let subscriptions = 0;
    for (const topics of Object.values(this.#topics)) {
      for (const links of topics.values()) subscriptions += links.size;
    }
    return { threads: this.#threads.size, subscriptions, dropped: this.#dropped };
  }

  /** One more thread. */
  add(): SwitchboardThread {
    const { port1, port2 } = new MessageChannel();
    const links = new Set<SwitchedLink>();
    // Each hub of the thread sends a port of its own.
    port1.onmessage = ({ data }) => links.add(new SwitchedLink(this, data));
    const thread: SwitchboardThread = {
      port: port2,
      remove: () => {
        if (!this.#threads.delete(thread)) return;
        port1.close();
        for (const link of links) link.close();
      },
    };
    this.#threads.add(thread);
    return thread;
  }

  /** Removes all threads. */
  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.remove();
  }

  /** @internal */
  subscribe(kind: Kind, name: string, link: SwitchedLink): void {
    const links = this.#topics[kind].get(name);
    if (links === undefined) this.#topics[kind].set(name, new Set([link]));
    else links.add(link);
  }

  /** @internal */
  unsubscribe(kind: Kind, name: string, link: SwitchedLink): void {
    const links = this.#topics[kind].get(name);
    if (links?.delete(link) && links.size === 0) this.#topics[kind].delete(name);
  }

  /** @internal */
  isHeard(channel: string, by: SwitchedLink): boolean {
    const links = this.#topics.channel.get(channel);
    return links !== undefined && links.size > (links.has(by) ? 1 : 0);
  }

  /** @internal */
  publish(message: Published, from: SwitchedLink): void {
    const { kind, name } = message;
    for (const link of this.#topics[kind].get(name) ?? []) {
      if (link !== from && !link.deliver(message, this.#maxWaitingBytes)) this.#dropped++;
    }
  }
}

/** One hub of a thread, seen from the switchboard. */
class SwitchedLink {
  readonly #board: Switchboard;
  readonly #port: MessagePort;
  readonly #way: Way<Down>;
  readonly #names: Readonly<Record<Kind, Set<string>>> = { room: new Set(), channel: new Set() };
  /** How many messages were dropped since the last one that went. */
  #lost = 0;

  constructor(board: Switchboard, port: MessagePort) {
    this.#board = board;
    this.#port = port;
    this.#way = new Way<Down>(port, (bytes) => ({ do: "took", bytes }));
    port.onmessage = ({ data }) => {
      for (const item of data as Up[]) this.#take(item);
    };
  }

  /** Passes a message on. Returns false if too much waits. */
  deliver(message: Published, maxWaitingBytes: number): boolean {
    const bytes = bytesOf(message);
    if (this.#way.waitingBytes + bytes > maxWaitingBytes) {
      this.#lost++;
      return false;
    }
    if (this.#lost > 0) this.#way.tell({ do: "lost", messages: this.#lost });
    this.#lost = 0;
    this.#way.waitingBytes += bytes;
    this.#way.tell(message);
    return true;
  }

  close(): void {
    for (const kind of ["room", "channel"] as const) {
      for (const name of this.#names[kind]) this.#board.unsubscribe(kind, name, this);
      this.#names[kind].clear();
    }
    this.#port.close();
  }

  #take(item: Up): void {
    switch (item.do) {
      case "subscribe":
        this.#names[item.kind].add(item.name);
        return this.#board.subscribe(item.kind, item.name, this);
      case "unsubscribe":
        this.#names[item.kind].delete(item.name);
        return this.#board.unsubscribe(item.kind, item.name, this);
      case "publish":
        this.#board.publish(item, this);
        return this.#way.take(bytesOf(item));
      case "ask": {
        const { number, name } = item;
        const isHeard = this.#board.isHeard(name, this);
        return this.#way.tell({ do: "answer", number, isHeard });
      }
      case "took":
        this.#way.waitingBytes -= item.bytes;
        return;
      case "close":
        return this.close();
    }
  }
}
