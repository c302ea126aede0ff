/** The backplane of a thread: its hubs, and the way to the switchboard. */

import { BackplaneError } from "../errors.ts";
import { isText, markText } from "../internal/text_mark.ts";
import { bytesOf, type Down, type Kind, type Published, type Up, Way } from "./items.ts";
import type { Backplane, BackplaneChannels, BackplaneLink, BackplanePort } from "./types.ts";

/** How many bytes of one hub may wait to be passed on. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Who can wait should wait with more than this. More than what is told at once that it was taken. */
const MUCH = 256 * 1024;

/**
 * Connects the hubs of this thread with those of other threads of the same process, by the port that the
 * switchboard's `add()` gave for this thread. Disposing of it closes the port, so that no further hub can
 * be attached.
 *
 * @example One hub over two threads
 * ```ts
 * import { Connection, Hub } from "@lengthwise/lengthwise";
 * import { Switchboard, throughPort } from "@lengthwise/lengthwise/backplane";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * using board = new Switchboard();
 * // Each port would go to a worker, with worker.postMessage(port, [port]).
 * using first = throughPort(board.add().port);
 * using second = throughPort(board.add().port);
 * using one = new Hub({ backplane: first });
 * using two = new Hub({ backplane: second });
 * const [near, far] = memoryPair().map((transport) => new Connection(transport));
 * two.join("news", near);
 * await new Promise((resolve) => setTimeout(resolve)); // The switchboard hears of it.
 * one.broadcast("news", "hello");
 * assertEquals(new TextDecoder().decode(await far.receive()), "hello");
 * await Promise.all([near.close(), far.close()]);
 * ```
 */
export function throughPort(port: MessagePort): Backplane & Disposable {
  return {
    attach(owner) {
      const { port1, port2 } = new MessageChannel();
      port.postMessage(port2, [port2]);
      return new Link(port1, owner);
    },
    [Symbol.dispose]: () => port.close(),
  };
}

class Link implements BackplaneLink {
  readonly channels: BackplaneChannels = {
    maxMessageBytes: MAX_WAITING_BYTES / 8,
    subscribe: (channel, take) => {
      if (this.#state === "closed") return;
      this.#channels.set(channel, take);
      this.#way.tell({ do: "subscribe", kind: "channel", name: channel });
    },
    unsubscribe: (channel) => {
      if (!this.#channels.delete(channel)) return;
      this.#way.tell({ do: "unsubscribe", kind: "channel", name: channel });
    },
    publish: (channel, message) => this.#publish("channel", channel, message),
    isHeard: (channel) => this.#ask(channel),
    room: () => this.#way.waitingBytes > MUCH ? this.#room.promise : undefined,
  };

  readonly #port: MessagePort;
  readonly #owner: BackplanePort;
  readonly #way: Way<Up>;
  readonly #rooms = new Set<string>();
  readonly #channels = new Map<string, (message: Uint8Array) => void>();
  /** Questions that are not answered yet. */
  readonly #questions = new Map<number, (isHeard: boolean | undefined) => void>();
  #asked = 0;
  /** Resolves when little waits again. */
  #room = Promise.withResolvers<void>();
  #state: "open" | "closed" = "open";

  constructor(port: MessagePort, owner: BackplanePort) {
    this.#port = port;
    this.#owner = owner;
    this.#way = new Way<Up>(port, (bytes) => ({ do: "took", bytes }));
    port.onmessage = ({ data }) => {
      for (const item of data as Down[]) this.#take(item);
    };
  }

  subscribe(room: string): void {
    if (this.#state === "closed") return;
    this.#rooms.add(room);
    this.#way.tell({ do: "subscribe", kind: "room", name: room });
  }

  unsubscribe(room: string): void {
    if (!this.#rooms.delete(room)) return;
    this.#way.tell({ do: "unsubscribe", kind: "room", name: room });
  }

  publish(room: string, bytes: () => Uint8Array): void {
    if (this.#state === "open") this.#publish("room", room, bytes());
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#rooms.clear();
    this.#channels.clear();
    for (const answer of this.#questions.values()) answer(undefined);
    this.#room.resolve();
    this.#way.end({ do: "close" });
  }

  #publish(kind: Kind, name: string, message: Uint8Array): void {
    if (this.#state === "closed") return;
    // A copy, because of a part of a larger memory the whole would go.
    const bytes = message.slice();
    const item: Published = { do: "publish", kind, name, bytes, isText: isText(message) };
    const size = bytesOf(item);
    if (this.#way.waitingBytes + size > MAX_WAITING_BYTES) {
      const where = kind === "room" ? ` to room ${JSON.stringify(name)}` : "";
      return this.#owner.failed(
        new BackplaneError(
          `Cannot publish message${where}: ${MAX_WAITING_BYTES} bytes wait for the other threads`,
        ),
      );
    }
    this.#way.waitingBytes += size;
    this.#way.tell(item);
  }

  #ask(name: string): Promise<boolean | undefined> {
    if (this.#state === "closed") return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
    const number = ++this.#asked;
    this.#questions.set(number, resolve);
    this.#way.tell({ do: "ask", number, name });
    return promise;
  }

  #take(item: Down): void {
    if (this.#state === "closed") return;
    switch (item.do) {
      case "publish":
        this.#way.take(bytesOf(item));
        return this.#deliver(item);
      case "lost":
        return this.#owner.failed(
          new BackplaneError(
            `Cannot receive all of other threads: ${item.messages} messages were dropped, because ` +
              "this thread did not take them",
          ),
        );
      case "answer":
        this.#questions.get(item.number)?.(item.isHeard);
        this.#questions.delete(item.number);
        return;
      case "took":
        this.#way.waitingBytes -= item.bytes;
        if (this.#way.waitingBytes > MUCH) return;
        this.#room.resolve();
        this.#room = Promise.withResolvers();
    }
  }

  #deliver({ kind, name, bytes, isText }: Published): void {
    const message = isText ? markText(bytes) : bytes;
    if (kind === "channel") this.#channels.get(name)?.(message);
    else if (this.#rooms.has(name)) this.#owner.deliver(name, message);
  }
}
