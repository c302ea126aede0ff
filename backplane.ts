/**
 * How hubs that stand apart, in several processes or in one, act as one. The default joins the hubs
 * of one process that share it; for a single hub it costs nothing.
 *
 * @module
 */

/** What a hub gives a backplane to call. */
export interface BackplanePort {
  /** Hands over a message that another hub published to a room that this one subscribes to. */
  deliver(room: string, message: Uint8Array): void;
  /** Tells that messages may have been lost, in either direction. */
  failed(error: unknown): void;
}

/**
 * One hub's part in a backplane. No method waits or throws for what the network does: what goes
 * wrong is told to `failed()`.
 */
export interface BackplaneLink {
  /** From now on messages of the room are delivered. */
  subscribe(room: string): void;
  /** From now on they are not. */
  unsubscribe(room: string): void;
  /**
   * Hands a message to the other hubs that subscribe to the room, never back to this one. The bytes
   * are asked for only if there may be such hubs, and are not changed afterwards.
   */
  publish(room: string, bytes: () => Uint8Array): void;
  /** Takes no part any more. */
  close(): void;
}

/**
 * What joins hubs. It keeps the order of what one hub publishes to one room, and delivers each message
 * at most once. A hub delivers to its own members first: the messages of two hubs may reach the
 * members of each in different orders.
 */
export interface Backplane {
  /** Takes a hub in. */
  attach(port: BackplanePort): BackplaneLink;
}

/**
 * Joins the hubs of this process that are given the same one.
 *
 * @example Two hubs that act as one
 * ```ts
 * import { Connection, Hub, inProcess } from "@lengthwise/lengthwise";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const backplane = inProcess();
 * using one = new Hub({ backplane });
 * using two = new Hub({ backplane });
 * const [near, far] = memoryPair().map((transport) => new Connection(transport));
 * two.join("news", near);
 * one.broadcast("news", "hello");
 * assertEquals(new TextDecoder().decode(await far.receive()), "hello");
 * await Promise.all([near.close(), far.close()]);
 * ```
 */
export function inProcess(): Backplane {
  return new InProcess();
}

class InProcess implements Backplane {
  /** Those who subscribe, by room. */
  readonly rooms = new Map<string, Set<Link>>();
  /** How many hubs take part. */
  links = 0;

  attach(port: BackplanePort): BackplaneLink {
    return new Link(this, port);
  }
}

class Link implements BackplaneLink {
  readonly #backplane: InProcess;
  readonly #port: BackplanePort;
  readonly #rooms = new Set<string>();
  #state: "open" | "closed" = "open";

  constructor(backplane: InProcess, port: BackplanePort) {
    this.#backplane = backplane;
    this.#port = port;
    backplane.links++;
  }

  subscribe(room: string): void {
    if (this.#state === "closed") return;
    this.#rooms.add(room);
    const { rooms } = this.#backplane;
    const links = rooms.get(room);
    if (links === undefined) rooms.set(room, new Set([this]));
    else links.add(this);
  }

  unsubscribe(room: string): void {
    this.#rooms.delete(room);
    const { rooms } = this.#backplane;
    const links = rooms.get(room);
    if (links?.delete(this) && links.size === 0) rooms.delete(room);
  }

  publish(room: string, bytes: () => Uint8Array): void {
    if (this.#backplane.links === 1 || this.#state === "closed") return;
    const links = this.#backplane.rooms.get(room);
    if (links === undefined) return;
    let message: Uint8Array | undefined;
    for (const link of links) {
      if (link !== this) link.#port.deliver(room, message ??= bytes());
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#backplane.links--;
    for (const room of this.#rooms) this.unsubscribe(room);
  }
}
