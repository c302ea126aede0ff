/**
 * How several hubs, in one process or in many, act as one hub. The default connects the hubs of one
 * process that share it. For a single hub it costs nothing.
 *
 * @module
 */

/** The methods of a hub that a backplane calls. */
export interface BackplanePort {
  /**
   * Brings a message that another hub published to a room. This hub has subscribed to that room.
   */
  deliver(room: string, message: Uint8Array): void;
  /** Says that messages may have been lost, in either direction. */
  failed(error: unknown): void;
}

/**
 * One hub's link to a backplane. No method waits for the network or throws because of it. Failures
 * go to `failed()`.
 */
export interface BackplaneLink {
  /** From now on, messages of the room are delivered. */
  subscribe(room: string): void;
  /** From now on, messages of the room are not delivered any more. */
  unsubscribe(room: string): void;
  /**
   * Sends a message to the other hubs that have subscribed to the room, never back to this one.
   * `bytes` is called only if there may be such hubs. The bytes do not change afterwards. `isText()`
   * of connection.ts tells whether they are a text; a link that carries them elsewhere should say so
   * there, and use `markText()` before it delivers them.
   */
  publish(room: string, bytes: () => Uint8Array): void;
  /** Leaves the backplane. */
  close(): void;
}

/**
 * A backplane connects hubs. It keeps the order of the messages that one hub publishes to one room,
 * and delivers each message at most once. A hub delivers to its own members first. So when two hubs
 * publish at the same time, the members of each may see the two messages in different orders.
 */
export interface Backplane {
  /** Connects a hub. */
  attach(port: BackplanePort): BackplaneLink;
}

/**
 * Connects hubs of this process: those that are given the same backplane.
 *
 * @example Two hubs that act as one
 * ```ts
 * import { Connection, Hub } from "@lengthwise/lengthwise";
 * import { inProcess } from "@lengthwise/lengthwise/backplane";
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
  /** The subscribed links, by room. */
  readonly rooms = new Map<string, Set<Link>>();
  /** How many hubs are connected. */
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
