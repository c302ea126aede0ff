/** The backplane over NATS: rooms and channels, and their messages. */

import { BackplaneError, MessageTooLargeError } from "../errors.ts";
import type { Backplane, BackplaneChannels, BackplaneLink, BackplanePort } from "../backplane.ts";
import { isText, markText } from "../internal/text_mark.ts";
import { Broker } from "./broker.ts";
import { decodeEnvelope, encodeEnvelope, type Envelope, type Kind } from "./envelope.ts";
import { type NatsOptions, type NatsStats, resolveOptions } from "./options.ts";
import { type Pack, Packs, unpack } from "./packs.ts";
import { Subjects } from "./subjects.ts";
import { type Known, Topics } from "./topics.ts";

/** The envelope of a message in a channel, whose name is short, has fewer bytes. */
const MAX_CHANNEL_HEAD_BYTES = 1024;

/** At most so many bytes leave together. */
const MAX_PACK_BYTES = 64 * 1024;
/** A broker that takes no more than this gets one message at a time: rooms may have long names. */
const MIN_PAYLOAD_BYTES = 8 * 1024;

type Taker = (message: Uint8Array) => void;

/** Connects the hubs of many processes over NATS. {@linkcode nats} makes one. */
export class NatsBackplane implements Backplane, AsyncDisposable {
  readonly #broker: Broker;
  readonly #rooms: Topics<Link, Taker>;
  readonly #channels: Topics<Link, Taker>;
  readonly #id = crypto.getRandomValues(new BigUint64Array(1))[0];
  readonly #links = new Set<Link>();
  readonly #packs = new Packs((room, pack) => this.#publishPack(room, pack));
  #number = 0;
  #published = 0;
  #refused = 0;
  #received = 0;
  #repeated = 0;
  #gaps = 0;
  #foreign = 0;

  private constructor(broker: Broker, cluster: string) {
    this.#broker = broker;
    const make = (kind: "room" | "channel"): Topics<Link, Taker> => {
      const topics: Topics<Link, Taker> = new Topics(
        new Subjects(cluster, kind),
        (subject) => broker.subscribe(subject, (bytes) => this.#take(bytes, topics)),
      );
      return topics;
    };
    this.#rooms = make("room");
    this.#channels = make("channel");
  }

  /**
   * See {@linkcode nats}.
   *
   * @internal
   */
  static async connect(options: NatsOptions): Promise<NatsBackplane> {
    const resolved = resolveOptions(options);
    let backplane: NatsBackplane | undefined;
    const broker = await Broker.connect(resolved, {
      failed: (error) => {
        if (backplane !== undefined) backplane.#tell(error);
      },
    });
    return backplane = new NatsBackplane(broker, resolved.cluster);
  }

  /** Counts as of now. */
  get stats(): NatsStats {
    const { isConnected, server, reconnects, waitingBytes, roundTripTime, dropped } = this.#broker;
    return {
      isConnected,
      server,
      published: this.#published,
      received: this.#received,
      repeated: this.#repeated,
      dropped: dropped + this.#refused,
      gaps: this.#gaps,
      foreign: this.#foreign,
      reconnects,
      waitingBytes,
      subscriptions: this.#rooms.subscriptions + this.#channels.subscriptions,
      roundTripTime,
    };
  }

  /** Connects a hub. Hubs of this process hear each other without the broker. */
  attach(port: BackplanePort): BackplaneLink {
    const link = new Link(this, port);
    this.#links.add(link);
    return link;
  }

  /** Publishes what waits, for at most 5 s, and leaves the broker. */
  async close(): Promise<void> {
    this.#packs.flushAll();
    await this.#broker.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  get maxChannelBytes(): number {
    return this.#broker.maxBytes - MAX_CHANNEL_HEAD_BYTES;
  }

  /** @internal */
  async isHeard(channel: string, from: Link): Promise<boolean | undefined> {
    for (const link of this.#channels.takers(channel).keys()) if (link !== from) return true;
    return await this.#broker.isHeard(this.#channels.subject(channel));
  }

  /** @internal */
  room(): Promise<void> | undefined {
    return this.#broker.room();
  }

  /** @internal */
  subscribe(room: string, link: Link): void {
    this.#rooms.subscribe(room, link, (message) => link.port.deliver(room, message));
  }

  /** @internal */
  unsubscribe(room: string, link: Link): void {
    this.#rooms.unsubscribe(room, link);
  }

  /** @internal */
  subscribeChannel(channel: string, link: Link, take: Taker): void {
    this.#channels.subscribe(channel, link, take);
  }

  /** @internal */
  unsubscribeChannel(channel: string, link: Link): void {
    this.#channels.unsubscribe(channel, link);
  }

  /** @internal */
  leave(link: Link): void {
    this.#links.delete(link);
  }

  /** @internal */
  publish(room: string, message: Uint8Array, from: Link): void {
    for (const [link, take] of this.#rooms.takers(room)) if (link !== from) take(message);
    if (!this.#packs.takes(room, message, this.#maxPackBytes)) {
      this.#publish(this.#rooms, room, message, from);
    }
  }

  /** One message at a time is kept for a broker that is away, so that as many as possible are. */
  get #maxPackBytes(): number {
    const { maxBytes, isConnected } = this.#broker;
    return isConnected && maxBytes >= MIN_PAYLOAD_BYTES
      ? Math.min(MAX_PACK_BYTES, maxBytes / 2)
      : 0;
  }

  /** @internal */
  publishToChannel(channel: string, message: Uint8Array, from: Link): void {
    for (const [link, take] of this.#channels.takers(channel)) if (link !== from) take(message);
    this.#publish(this.#channels, channel, message, from);
  }

  #publish(topics: Topics<Link, Taker>, name: string, message: Uint8Array, from: Link): void {
    const known = topics.known(name);
    const number = ++this.#number;
    const envelope = this.#envelope(known, number, isText(message) ? "text" : "bytes", message);
    const most = this.#broker.maxBytes;
    if (envelope.length > most) {
      this.#refused++;
      const limit = most - (envelope.length - message.length);
      from.port.failed(
        new MessageTooLargeError("send", message.length, limit, "the broker takes no more"),
      );
      return;
    }
    this.#published++;
    this.#send(known, number, envelope);
  }

  #publishPack(room: string, pack: Pack): void {
    const known = this.#rooms.known(room);
    const number = ++this.#number;
    this.#published += pack.count;
    this.#send(known, number, this.#envelope(known, number, "pack", pack.bytes), pack.count);
  }

  #envelope(known: Known, number: number, kind: Kind, message: Uint8Array): Uint8Array {
    const { last: previous, encodedName } = known;
    return encodeEnvelope({ publisher: this.#id, number, previous, kind, message }, encodedName);
  }

  #send(known: Known, number: number, envelope: Uint8Array, count?: number): void {
    // A message that is dropped leaves a gap, which the next one tells.
    known.last = number;
    this.#broker.publish(known.subject, envelope, count);
  }

  /** Something came from the broker. It may be from anybody. */
  #take(bytes: Uint8Array, topics: Topics<Link, Taker>): void {
    if (bytes.length === 0 && topics === this.#channels) return; // Who looks whether we are there.
    const envelope = decodeEnvelope(bytes);
    const messages = envelope === undefined ? undefined : messagesOf(envelope);
    if (envelope === undefined || messages === undefined) {
      this.#foreign++;
      return;
    }
    const { publisher, room } = envelope;
    const takers = topics.takers(room);
    if (takers.size === 0 || publisher === this.#id) return;
    const arrival = topics.arrived(envelope);
    if (arrival === "again") {
      this.#repeated += messages.length;
      return;
    }
    this.#received += messages.length;
    if (arrival === "after a gap") {
      this.#gaps++;
      // Who uses a channel notices by itself.
      if (topics === this.#rooms) this.#tellGap(room, takers.keys());
    }
    for (const message of messages) for (const take of takers.values()) take(message);
  }

  #tellGap(room: string, links: Iterable<Link>): void {
    const error = new BackplaneError(
      `Cannot receive all of room ${JSON.stringify(room)}: messages of another hub are missing`,
    );
    for (const { port } of links) port.failed(error);
  }

  #tell(error: BackplaneError): void {
    for (const { port } of this.#links) port.failed(error);
  }
}

/** The messages in an envelope; undefined if it has none that can be read. */
function messagesOf({ kind, message }: Envelope): Uint8Array[] | undefined {
  if (kind === "pack") return unpack(message);
  return [kind === "text" ? markText(message) : message];
}

/** One hub's link. */
class Link implements BackplaneLink {
  readonly channels: BackplaneChannels;

  readonly #rooms = new Set<string>();
  readonly #channels = new Set<string>();
  #backplane: NatsBackplane | undefined;

  constructor(backplane: NatsBackplane, readonly port: BackplanePort) {
    this.#backplane = backplane;
    this.channels = {
      get maxMessageBytes() {
        return backplane.maxChannelBytes;
      },
      subscribe: (channel, take) => {
        if (this.#backplane === undefined) return;
        this.#channels.add(channel);
        this.#backplane.subscribeChannel(channel, this, take);
      },
      isHeard: (channel) => this.#backplane?.isHeard(channel, this) ?? Promise.resolve(undefined),
      room: () => this.#backplane?.room(),
      unsubscribe: (channel) => {
        this.#channels.delete(channel);
        this.#backplane?.unsubscribeChannel(channel, this);
      },
      publish: (channel, message) => this.#backplane?.publishToChannel(channel, message, this),
    };
  }

  subscribe(room: string): void {
    if (this.#backplane === undefined) return;
    this.#rooms.add(room);
    this.#backplane.subscribe(room, this);
  }

  unsubscribe(room: string): void {
    this.#rooms.delete(room);
    this.#backplane?.unsubscribe(room, this);
  }

  publish(room: string, bytes: () => Uint8Array): void {
    this.#backplane?.publish(room, bytes(), this);
  }

  close(): void {
    for (const room of this.#rooms) this.#backplane?.unsubscribe(room, this);
    for (const channel of this.#channels) this.#backplane?.unsubscribeChannel(channel, this);
    this.#rooms.clear();
    this.#channels.clear();
    this.#backplane?.leave(this);
    this.#backplane = undefined;
  }
}
