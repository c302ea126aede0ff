/** One connection of a recording that is played again: what it sends, and what it gets. */

import type { Connection } from "../../../connection.ts";
import { isProtocolError } from "../../shared/program.ts";
import { within } from "../../shared/within.ts";

/** What came is held until the recording says what should come, up to so many bytes. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

/** How long a peer may take to end, when the recording has, in milliseconds. */
const LINGER = 1_000;

/** How an answer differs from the recorded one. */
export interface Difference {
  /** The number of the connection. */
  readonly id: number;
  /** The number of the answer, from 1. */
  readonly answer: number;
  /** Undefined if there was none. */
  readonly recorded: Uint8Array | undefined;
  /** Undefined if none came. */
  readonly came: Uint8Array | undefined;
}

/** Who hears of an actor. */
export interface Audience {
  /** Called with each answer. */
  heard(id: number, message: Uint8Array): void | Promise<void>;
  /** Whether two answers are the same. */
  isSame(recorded: Uint8Array, came: Uint8Array): boolean;
  /** Called for each answer that is not the recorded one. */
  differs(difference: Difference): void;
}

/**
 * A connection that is played. What should come and what comes are compared one by one, whichever is
 * known first.
 */
export class Actor {
  readonly id: number;
  readonly connection: Connection;
  /** What broke it off before it was to end, or what the peer did wrong. */
  failure: unknown;
  readonly #audience: Audience;
  /** What should come, and has not. */
  #wanted: Uint8Array[] = [];
  /** What has come, and the recording has not said yet. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #count = 0;
  #state: "open" | "ending" | "ended" = "open";
  #change = Promise.withResolvers<void>();
  readonly #hearing: Promise<void>;

  /** Begins to listen to the peer. */
  constructor(id: number, connection: Connection, audience: Audience) {
    this.id = id;
    this.connection = connection;
    this.#audience = audience;
    this.#hearing = this.#hear();
  }

  /** Whether everything that should have come is there, or nothing more can come. */
  get isSettled(): boolean {
    return this.#wanted.length === 0 || this.#state === "ended";
  }

  /** Resolves when nothing more comes. */
  get over(): Promise<void> {
    return this.#hearing;
  }

  /** Resolves when something has changed. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  /** Sends a message. Who has ended with answers missing, has broken the connection off. */
  async send(message: Uint8Array): Promise<void> {
    if (this.#state === "ended" && this.#wanted.length > 0) {
      this.failure ??= new Error("the peer ended before it had answered, and before all was sent");
    }
    await this.connection.send(message);
  }

  /** The recording says what should come. */
  expect(message: Uint8Array): void {
    const came = this.#held.shift();
    if (came === undefined) {
      this.#wanted.push(message);
      return;
    }
    this.#heldBytes -= came.length;
    this.#compare(message, came);
    this.#notify();
  }

  /** What should have come and has not is not waited for any more. */
  giveUp(): void {
    for (const recorded of this.#wanted.splice(0)) this.#compare(recorded, undefined);
  }

  /** The connection is over. What still comes is heard, and what came too much is told. */
  async end(): Promise<void> {
    if (this.#state === "open") this.#state = "ending";
    await this.connection.closeWrite();
    await within(LINGER, this.#hearing);
    await this.connection.close();
    await this.#hearing;
    this.giveUp();
    for (const came of this.#held.splice(0)) this.#compare(undefined, came);
  }

  async #hear(): Promise<void> {
    try {
      for await (const message of this.connection) {
        await this.#audience.heard(this.id, message);
        const recorded = this.#wanted.shift();
        if (recorded !== undefined) this.#compare(recorded, message);
        else {
          this.#held.push(message);
          this.#heldBytes += message.length;
        }
        this.#notify();
        while (this.#heldBytes > MAX_HELD_BYTES && this.connection.state === "open") {
          await Promise.race([this.changed, this.connection.closed]);
        }
      }
    } catch (error) {
      if (this.#state === "open" || isProtocolError(error)) this.failure = error;
    } finally {
      this.#state = "ended";
      this.#notify();
    }
  }

  #compare(recorded: Uint8Array | undefined, came: Uint8Array | undefined): void {
    const answer = ++this.#count;
    const isSame = recorded !== undefined && came !== undefined &&
      this.#audience.isSame(recorded, came);
    if (!isSame) this.#audience.differs({ id: this.id, answer, recorded, came });
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
