/** One connection of a capture: its bytes become messages. */

import type { Decoder, Framing } from "../../../codec.ts";
import { inOf, outOf } from "../../../codec/internal.ts";
import { ProtocolError } from "../../../errors.ts";
import type { Stream, StreamEvent } from "../../capture/streams.ts";
import { messageOf } from "../../shared/report.ts";
import type { Direction } from "../relay/join.ts";

/** Why messages of a direction are missing: they are not in the capture, or the framing is wrong. */
export type Problem = "missing" | "wrong";

/** Who hears what was on the connection. */
export interface Listener {
  /** A message was whole at this time. */
  message(direction: Direction, time: number, message: Uint8Array): void;
  /** A direction has ended in order. */
  ended(direction: Direction, time: number): void;
  /** Something is not told as it was; why, in words. */
  problem(direction: Direction, time: number, kind: Problem, why: string): void;
}

/** The bytes of unfinished messages, in all connections together. */
export interface Unfinished {
  bytes: number;
}

/** So many bytes of unfinished messages are held, in all connections together. */
const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024;
/** Behind a hole, these go on at their next mark. */
const MARKED = /^(?:none|line|delimiter|slip)\b/;
/** More messages than any framing counts before it changes. */
const LATER = 1e6;

/** Decodes both directions of one connection. */
export class Conversation {
  /** How it has ended. */
  end: "closed" | "reset" | "open" = "open";
  readonly #ways: Record<StreamEvent["from"], Way>;

  /** Makes the decoders. `framing` is that of the client's end. */
  constructor(stream: Stream, framing: Framing, listener: Listener, unfinished: Unfinished) {
    const way = (direction: Direction, framing: Framing) =>
      new Way(direction, stream.begins ? framing : framing.after?.(LATER) ?? framing, {
        listener,
        unfinished,
        begins: stream.begins,
      });
    this.#ways = { client: way(">", outOf(framing)), server: way("<", inOf(framing)) };
  }

  /** How many messages there were from the client, and from the server. */
  get counts(): { readonly there: number; readonly back: number } {
    return { there: this.#ways.client.count, back: this.#ways.server.count };
  }

  /** Takes what happened. */
  take({ from, time, bytes, missing, end, isLast }: StreamEvent): void {
    const ways = Object.values(this.#ways);
    if (isLast) {
      for (const way of ways) way.release();
      return;
    }
    const way = this.#ways[from];
    if (bytes !== undefined) way.decode(bytes, time);
    else if (missing !== undefined) way.miss(missing, time);
    else if (end === "reset") this.end = "reset";
    else {
      way.close(time);
      if (this.end === "open" && ways.every(({ isOver }) => isOver)) this.end = "closed";
    }
  }
}

/** What both directions need. */
interface Surroundings {
  readonly listener: Listener;
  readonly unfinished: Unfinished;
  /** Whether the capture has the first bytes. */
  readonly begins: boolean;
}

/** One direction. */
class Way {
  /** How many messages there were. */
  count = 0;
  /** `cut` behind a hole: what comes up to the next mark is the rest of a message. */
  #state: "open" | "cut" | "lost" | "over" = "open";
  #decoder: Decoder;
  #held = 0;
  #bytes = 0;
  readonly #direction: Direction;
  readonly #framing: Framing;
  readonly #around: Surroundings;

  constructor(direction: Direction, framing: Framing, around: Surroundings) {
    this.#direction = direction;
    this.#framing = framing;
    this.#around = around;
    this.#decoder = framing.decoder();
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  decode(bytes: Uint8Array, time: number): void {
    if (this.#state === "lost" || this.#state === "over") return;
    const before = this.#bytes;
    this.#bytes += bytes.length;
    this.#emit(time, (messages) => this.#decoder.decode(bytes, messages), () => {
      const part = this.#around.begins ? "" : ", of which the capture has only a later part";
      return ` in ${this.#framing.name}, at byte ${before} to ${this.#bytes} of this direction${part}`;
    });
    this.#hold(this.#decoder.pendingBytes);
    if (this.#around.unfinished.bytes <= MAX_UNFINISHED_BYTES) return;
    this.#lose(time, "missing", "too much waits for the ends of messages, so this one is given up");
  }

  miss(bytes: number, time: number): void {
    if (this.#state === "lost" || this.#state === "over") return;
    this.#bytes += bytes;
    const gap = `${bytes} bytes are not in the capture, behind message ${this.count}`;
    if (!MARKED.test(this.#framing.name)) {
      return this.#lose(time, "missing", `${gap}; what follows cannot be told in messages`);
    }
    this.#hold(0);
    this.#decoder = this.#framing.decoder();
    this.#state = this.#framing.keepsBoundaries ? "cut" : "open";
    this.#around.listener.problem(this.#direction, time, "missing", gap);
  }

  /** The direction has ended in order. */
  close(time: number): void {
    if (this.#state !== "lost") {
      this.#emit(time, (messages) => this.#decoder.end(messages), () => "");
      this.#around.listener.ended(this.#direction, time);
    }
    this.release();
    this.#state = "over";
  }

  /** Nothing more comes. */
  release(): void {
    this.#hold(0);
  }

  #emit(time: number, decode: (messages: Uint8Array[]) => void, where: () => string): void {
    const { listener } = this.#around;
    const messages: Uint8Array[] = [];
    let failure: ProtocolError | undefined;
    try {
      decode(messages);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      failure = error;
    }
    if (this.#state === "cut" && messages.length > 0) {
      messages.shift(); // The rest of the message that was cut.
      this.#state = "open";
    }
    for (const message of messages) {
      this.count++;
      listener.message(this.#direction, time, message);
    }
    if (failure !== undefined) this.#lose(time, "wrong", messageOf(failure) + where());
  }

  #lose(time: number, kind: Problem, why: string): void {
    this.#hold(0);
    this.#state = "lost";
    this.#decoder = this.#framing.decoder(); // What the old one holds is free.
    this.#around.listener.problem(this.#direction, time, kind, why);
  }

  #hold(bytes: number): void {
    this.#around.unfinished.bytes += bytes - this.#held;
    this.#held = bytes;
  }
}
