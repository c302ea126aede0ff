/** The connection to the broker: what waits for it, and whether it is there. */

import type { NatsConnection, RequestError } from "@nats-io/nats-core";
import { BackplaneError } from "../errors.ts";
import { reasonOf } from "../internal/reason.ts";
import { connectToNats } from "./connecting.ts";
import type { ResolvedNatsOptions } from "./options.ts";
import type { Subscribed } from "./subjects.ts";
import { Window } from "./window.ts";

/** How long somebody who listens would have to answer a look, which nobody does, in milliseconds. */
const LOOK_TIME = 1_000;
const NOTHING = new Uint8Array(0);
/** How long `close()` waits for what is on its way, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/** The owner of a broker's connection. It is told of losses. */
export interface BrokerOwner {
  /** Messages may have been lost, in either direction. */
  failed(error: BackplaneError): void;
}

/**
 * Publishes in order, and again after the broker was away, whatever it may not have got. Hubs drop what
 * comes twice by the numbers of the messages.
 */
export class Broker {
  /** How often it was reached again. */
  reconnects = 0;
  /** How many messages were dropped, because too much waits. */
  dropped = 0;
  /** The last time from a question to its answer, in milliseconds. */
  roundTripTime: number | undefined;

  readonly #nats: NatsConnection;
  readonly #owner: BrokerOwner;
  readonly #window: Window;
  readonly #maxWaitingBytes: number;
  #state: "connected" | "away" | "closed" = "connected";
  /** How often the broker was lost. What was asked before a loss has no answer that counts. */
  #losses = 0;
  /** After how many losses the question was asked that waits for an answer. */
  #flushing: number | undefined;
  /** How many messages were dropped since the broker was lost. */
  #droppedAway = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** Resolved when there is room again. */
  #roomy: PromiseWithResolvers<void> | undefined;

  private constructor(nats: NatsConnection, maxWaitingBytes: number, owner: BrokerOwner) {
    this.#nats = nats;
    this.#owner = owner;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#window = new Window(maxWaitingBytes);
    this.#watch();
  }

  /**
   * Connects to the first broker that answers.
   *
   * @throws {ConnectError} if none does, or it refuses who asks.
   */
  static async connect(options: ResolvedNatsOptions, owner: BrokerOwner): Promise<Broker> {
    // Hubs of this process hear each other without the broker.
    const nats = await connectToNats(options, { noEcho: true });
    return new Broker(nats, options.maxWaitingBytes, owner);
  }

  /** Whether it is there. */
  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** Its address. */
  get server(): string {
    return this.#nats.getServer();
  }

  /** How many bytes are not known to have reached it. */
  get waitingBytes(): number {
    return this.#window.bytes;
  }

  /** The largest message that it takes, in bytes. */
  get maxBytes(): number {
    return this.#nats.info?.max_payload ?? 1024 * 1024;
  }

  /** Subscribes to a subject, also when the broker was away. */
  subscribe(subject: string, take: (bytes: Uint8Array) => void): Subscribed {
    return this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) return take(message.data);
        this.#owner.failed(
          new BackplaneError(`Cannot receive from NATS: ${reasonOf(error)}`, { cause: error }),
        );
      },
    });
  }

  /**
   * Whether anybody has subscribed to a subject, in any process. The broker says at once if nobody has. If
   * somebody has, nothing comes for a second. Resolves to undefined if the broker is away.
   */
  async isHeard(subject: string): Promise<boolean | undefined> {
    if (this.#state !== "connected") return undefined;
    try {
      await this.#nats.request(subject, NOTHING, { timeout: LOOK_TIME });
      return true; // Nobody should answer, but somebody is there.
    } catch (error) {
      if (this.#state !== "connected") return undefined;
      const { name, isNoResponders } = error as Partial<RequestError>;
      if (name === "TimeoutError") return true;
      return isNoResponders?.call(error) ? false : undefined;
    }
  }

  /** Resolves when less waits than a quarter of what may wait; undefined if that is so already. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom || this.#state === "closed") return undefined;
    return (this.#roomy ??= Promise.withResolvers<void>()).promise;
  }

  get #hasRoom(): boolean {
    return this.#window.bytes < this.#maxWaitingBytes / 4;
  }

  /**
   * Publishes so many messages in one now, or when the broker is back. Returns false if too much waits
   * already.
   */
  publish(subject: string, bytes: Uint8Array, count = 1): boolean {
    if (this.#state === "closed") return false;
    if (!this.#window.add({ subject, bytes })) {
      this.dropped += count;
      this.#droppedAway += count;
      if (this.#droppedAway === count) {
        this.#owner.failed(
          new BackplaneError(
            `Cannot publish to NATS: ${this.#window.bytes} bytes wait already, limit is ` +
              `${this.#maxWaitingBytes} bytes`,
          ),
        );
      }
      return false;
    }
    if (this.#state === "connected") {
      this.#nats.publish(subject, bytes);
      this.#flush();
    }
    return true;
  }

  /** Waits for what is on its way, but not for long, and closes. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    if (this.#state === "connected" && !this.#window.isEmpty) {
      this.#drained = Promise.withResolvers();
      const timer = setTimeout(this.#drained.resolve, CLOSE_TIMEOUT);
      await this.#drained.promise;
      clearTimeout(timer);
    }
    this.#state = "closed";
    this.#makeRoom();
    await this.#nats.close();
  }

  /** Asks again and again what has arrived, as long as something waits. One question at a time. */
  async #flush(): Promise<void> {
    const losses = this.#losses;
    if (this.#flushing === losses) return;
    this.#flushing = losses;
    // What else is published in this turn of the event loop is asked for, too.
    await Promise.resolve();
    while (!this.#window.isEmpty && this.#state === "connected") {
      const { taken } = this.#window;
      const start = performance.now();
      // After a loss everything is sent again, and asked for anew. This question may never be answered.
      const isAnswered = await this.#nats.flush().then(() => true, () => false);
      if (!isAnswered || losses !== this.#losses) return;
      this.roundTripTime = performance.now() - start;
      this.#window.arrived(taken);
      if (this.#hasRoom) this.#makeRoom();
    }
    this.#flushing = undefined;
    this.#drained?.resolve();
  }

  /** Follows what happens to the connection, until it is closed. */
  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (this.#state === "closed") return;
      if (status.type === "disconnect") this.#lost();
      else if (status.type === "reconnect") this.#back();
      // A broker that will go says so before it does: another one takes its place without a gap.
      else if (status.type === "ldm" && this.#nats.getServers().length > 1) this.#nats.reconnect();
    }
  }

  #makeRoom(): void {
    this.#roomy?.resolve();
    this.#roomy = undefined;
  }

  #lost(): void {
    if (this.#state !== "connected") return;
    this.#state = "away";
    this.#losses++;
    this.#drained?.resolve();
    this.#owner.failed(
      new BackplaneError(
        `Cannot reach NATS at ${this.server}: messages of other hubs are missed until it is back`,
      ),
    );
  }

  #back(): void {
    this.#state = "connected";
    this.reconnects++;
    for (const { subject, bytes } of this.#window) this.#nats.publish(subject, bytes);
    if (!this.#window.isEmpty) this.#flush();
    const dropped = this.#droppedAway;
    this.#droppedAway = 0;
    if (dropped === 0) return;
    this.#owner.failed(
      new BackplaneError(`Cannot publish ${dropped} messages to NATS: it was away for too long`),
    );
  }
}
