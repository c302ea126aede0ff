/** The streams between this server and the others of its cluster. */

import type { BackplaneChannels } from "../backplane.ts";
import { SessionCode } from "../session.ts";
import { refusal } from "../session/internal.ts";
import type { TransportAbilities } from "../transport.ts";
import {
  decodeOpening,
  decodeStreamMessage,
  encodeOpening,
  encodeStreamMessage,
  Kind,
  newStreamId,
  type Opening,
} from "./messages.ts";
import { RelayStream } from "./stream.ts";

/** How many carriers of other servers are carried here, and to here: of each so many. */
const MAX_STREAMS = 1_000;
/** What a message of the backplane has beside the bytes of a stream. */
const HEAD_BYTES = 32;

/** A stream, and to whom it goes. */
interface Way {
  readonly stream: RelayStream;
  readonly to: string;
  readonly isOwn: boolean;
}

/** Gets the carriers that other servers bring. */
export type TakeCarrier = (stream: RelayStream, opening: Opening) => void;

/** Where a server hears what others say about streams. */
export function channelOf(tag: string): string {
  return `session.${tag}`;
}

/** Opens streams, takes streams in, and brings what comes to them. */
export class Relay {
  /** Messages that are not of its kind, or of no stream that is there; those of streams that broke too. */
  foreign = 0;

  readonly #channels: BackplaneChannels;
  readonly #tag: string;
  readonly #take: TakeCarrier;
  readonly #ways = new Map<string, Way>();
  #state: "open" | "closed" = "open";

  /** Listens from now on. */
  constructor(channels: BackplaneChannels, tag: string, take: TakeCarrier) {
    this.#channels = channels;
    this.#tag = tag;
    this.#take = take;
    channels.subscribe(channelOf(tag), (bytes) => this.#hear(bytes));
  }

  /** How many streams this server has opened, and how many others. */
  get counts(): { readonly own: number; readonly others: number } {
    let own = 0;
    for (const { isOwn } of this.#ways.values()) if (isOwn) own++;
    return { own, others: this.#ways.size - own };
  }

  /** To which servers there are streams. */
  get destinations(): ReadonlySet<string> {
    return new Set([...this.#ways.values()].map(({ to }) => to));
  }

  /**
   * Opens a stream to another server.
   *
   * @throws {SessionProtocolError} if it cannot be.
   */
  open(to: string, opening: Omit<Opening, "from">): RelayStream {
    if (this.#state === "closed") throw refusal("the server is closing", SessionCode.CLOSING);
    if (this.counts.own >= MAX_STREAMS) {
      throw refusal("too many carriers go to other servers", SessionCode.FULL);
    }
    let bytes: Uint8Array;
    try {
      bytes = encodeOpening({ ...opening, from: this.#tag });
    } catch (cause) {
      throw refusal(
        `its user cannot be told to another server: ${(cause as Error).message}`,
        SessionCode.DENIED,
      );
    }
    const id = newStreamId();
    const stream = this.#add(id, to, true, opening.remote);
    this.#say(to, Kind.OPEN, id, 0, bytes);
    return stream;
  }

  /** The streams to a server break, because it has gone. */
  lost(tag: string): void {
    for (const { stream, to } of [...this.#ways.values()]) if (to === tag) stream.break();
  }

  /** All streams break, because any of them may have lost messages. */
  breakAll(): void {
    for (const { stream } of [...this.#ways.values()]) stream.close();
  }

  /** Closes all streams, and listens no more. */
  close(): void {
    if (this.#state === "closed") return;
    this.breakAll();
    this.#state = "closed";
    this.#channels.unsubscribe(channelOf(this.#tag));
  }

  #add(
    id: string,
    to: string,
    isOwn: boolean,
    remote: string,
    abilities?: TransportAbilities,
  ): RelayStream {
    const owner = {
      maxBytes: this.#channels.maxMessageBytes - HEAD_BYTES,
      say: (kind: Kind, number: number, body?: Uint8Array) => this.#say(to, kind, id, number, body),
      room: () => this.#channels.room?.(),
      over: () => void this.#ways.delete(id),
    };
    const stream = new RelayStream(owner, remote, abilities);
    this.#ways.set(id, { stream, to, isOwn });
    return stream;
  }

  #say(to: string, kind: Kind, stream: string, number: number, body?: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#channels.publish(channelOf(to), encodeStreamMessage(kind, stream, number, body));
  }

  /** Something has come, from anybody. */
  #hear(bytes: Uint8Array): void {
    const message = decodeStreamMessage(bytes);
    if (message === undefined) {
      this.foreign++;
      return;
    }
    const { kind, stream: id, number, body } = message;
    if (kind === Kind.OPEN) return this.#opened(id, body);
    const way = this.#ways.get(id);
    if (way === undefined) this.foreign++;
    else way.stream.hear(kind, number, body);
  }

  #opened(id: string, body: Uint8Array): void {
    const opening = decodeOpening(body);
    if (opening === undefined || opening.from === this.#tag || this.#ways.has(id)) {
      this.foreign++;
      return;
    }
    const { from, remote, peer } = opening;
    if (this.counts.others >= MAX_STREAMS) return this.#say(from, Kind.ABORT, id, 0);
    this.#take(this.#add(id, from, false, remote, { peer }), opening);
  }
}
