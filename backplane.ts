/**
 * How several hubs act as one hub. The default connects the hubs of one thread that share it, and costs
 * nothing for a single hub. A {@linkcode Switchboard} connects those of several threads, and `nats()` of
 * `./nats` those of many processes.
 *
 * @module
 */

import type {
  Backplane,
  BackplaneChannels,
  BackplaneLink,
  BackplanePort,
} from "./backplane/types.ts";

export type {
  Backplane,
  BackplaneChannels,
  BackplaneLink,
  BackplanePort,
} from "./backplane/types.ts";
export {
  Switchboard,
  type SwitchboardOptions,
  type SwitchboardStats,
  type SwitchboardThread,
} from "./backplane/switchboard.ts";
export { throughPort } from "./backplane/through_port.ts";

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
  /** Who has subscribed to a channel, and what gets its messages. */
  readonly channels = new Map<string, Map<Channels, (message: Uint8Array) => void>>();
  /** How many hubs are connected. */
  links = 0;

  attach(port: BackplanePort): BackplaneLink {
    return new Link(this, port);
  }
}

class Link implements BackplaneLink {
  readonly channels: Channels;

  readonly #backplane: InProcess;
  readonly #port: BackplanePort;
  readonly #rooms = new Set<string>();
  #state: "open" | "closed" = "open";

  constructor(backplane: InProcess, port: BackplanePort) {
    this.#backplane = backplane;
    this.#port = port;
    this.channels = new Channels(backplane);
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
    this.channels.close();
  }
}

class Channels implements BackplaneChannels {
  readonly maxMessageBytes = Infinity;

  readonly #backplane: InProcess;
  readonly #names = new Set<string>();
  #state: "open" | "closed" = "open";

  constructor(backplane: InProcess) {
    this.#backplane = backplane;
  }

  subscribe(channel: string, take: (message: Uint8Array) => void): void {
    if (this.#state === "closed") return;
    this.#names.add(channel);
    const { channels } = this.#backplane;
    const takers = channels.get(channel);
    if (takers === undefined) channels.set(channel, new Map([[this, take]]));
    else takers.set(this, take);
  }

  unsubscribe(channel: string): void {
    this.#names.delete(channel);
    const { channels } = this.#backplane;
    const takers = channels.get(channel);
    if (takers?.delete(this) && takers.size === 0) channels.delete(channel);
  }

  isHeard(channel: string): Promise<boolean> {
    const takers = this.#backplane.channels.get(channel)?.keys() ?? [];
    return Promise.resolve([...takers].some((link) => link !== this));
  }

  publish(channel: string, message: Uint8Array): void {
    if (this.#state === "closed") return;
    for (const [link, take] of this.#backplane.channels.get(channel) ?? []) {
      if (link !== this) take(message);
    }
  }

  close(): void {
    this.#state = "closed";
    for (const name of this.#names) this.unsubscribe(name);
  }
}
