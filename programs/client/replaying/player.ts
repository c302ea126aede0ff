/** Plays a recording: sends what one side sent, in the recorded order, and hears what comes back. */

import { delay } from "@std/async/delay";
import type { Connection } from "../../../connection.ts";
import type { Entry } from "../recording/format.ts";
import { messageOf } from "../recording/format.ts";
import type { Read } from "../recording/reader.ts";
import type { Direction } from "../relay/join.ts";
import { isProtocolError } from "../../shared/program.ts";
import { within } from "../../shared/within.ts";
import { Actor, type Audience } from "./actor.ts";

/** How to play. */
export interface PlayerOptions {
  /** Which direction is sent; the other one is heard. */
  readonly direction: Direction;
  /** The connection for the next one that the recording opens. */
  next(): Promise<Connection>;
  /** How much faster than recorded; `Infinity` waits for nothing but answers. */
  readonly speed: number;
  /** Waits before each message is sent, in the place of the recorded times. */
  readonly step?: (id: number, message: Uint8Array) => Promise<void>;
  /** How long an answer may take, in milliseconds, before it is passed over. */
  readonly timeout: number;
  /** Called with each message before it is sent. */
  sent(id: number, message: Uint8Array): void | Promise<void>;
  /** Who hears the answers. */
  readonly audience: Audience;
  /** Aborted to stop. */
  readonly stopped: AbortSignal;
}

/** Plays a recording once. */
export class Player {
  /** How many messages were sent. */
  sent = 0;
  /** The first connection that was lost too early, or whose peer broke the framing. */
  failure: { readonly id: number; readonly error: unknown } | undefined;
  readonly #options: PlayerOptions;
  /** The connections that are open, by their number in the part of the recording. */
  readonly #actors = new Map<number, Actor>();
  /** How many connections there were. */
  #count = 0;
  /** When the recorded time `#from` is played, on the clock of `performance.now()`. */
  #start: number | undefined;
  #from = 0;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  /**
   * Plays to the end. A message is sent when its time has come and everything that came before it in the
   * recording is there, on all connections.
   *
   * @throws {Error} for a recording that contradicts itself, and for a peer that is lost too early.
   */
  async play(recording: AsyncIterable<Read>): Promise<void> {
    try {
      for await (const { entry, number } of recording) {
        this.#options.stopped.throwIfAborted();
        await this.#take(entry, number);
      }
      await this.#settle();
      for (const actor of this.#actors.values()) await this.#end(actor);
    } catch (error) {
      const actors = [...this.#actors.values()];
      const lost = actors.find(({ failure }) => failure !== undefined)?.failure;
      for (const { connection } of actors) connection.abort(error);
      await Promise.all(actors.map(({ over }) => over));
      // Who broke the framing, or was lost, is the reason why nothing can be sent any more.
      throw actors.find(({ failure }) => isProtocolError(failure))?.failure ?? lost ?? error;
    }
  }

  async #take(entry: Entry, number: number): Promise<void> {
    if (entry.type === "recording") {
      await this.#settle();
      for (const actor of this.#actors.values()) await this.#end(actor);
      this.#actors.clear();
      this.#start = undefined; // What lies between two parts is not played.
      return;
    }
    if (entry.type === "open") {
      if (this.#actors.has(entry.id)) throw wrong(number, entry.id, "is open already");
      await this.#turn(entry.time);
      const id = ++this.#count;
      const connection = await this.#options.next();
      this.#actors.set(entry.id, new Actor(id, connection, this.#options.audience));
      return;
    }
    const actor = this.#actors.get(entry.id);
    if (actor === undefined) {
      if (entry.type === "closed") return; // The target was not reached then.
      throw wrong(number, entry.id, "was not opened");
    }
    if (entry.type === "closed") return await this.#close(actor, entry.id);
    const isOurs = entry.direction === this.#options.direction;
    if (entry.type === "end") {
      if (!isOurs) return;
      await this.#turn(entry.time);
      await actor.connection.closeWrite();
    } else if (isOurs) await this.#send(actor, messageOf(entry), entry.time);
    else actor.expect(messageOf(entry));
  }

  async #send(actor: Actor, message: Uint8Array, time: number): Promise<void> {
    const { step, sent } = this.#options;
    await this.#turn(step === undefined ? time : undefined);
    await step?.(actor.id, message);
    await sent(actor.id, message);
    this.sent++;
    await actor.send(message);
  }

  async #close(actor: Actor, key: number): Promise<void> {
    await this.#settle();
    this.#actors.delete(key);
    await this.#end(actor);
  }

  async #end(actor: Actor): Promise<void> {
    await actor.end();
    const { id, failure: error } = actor;
    if (error !== undefined) this.failure ??= { id, error };
  }

  /** Waits until it is time, and until everything is there that came before. */
  async #turn(time: number | undefined): Promise<void> {
    await this.#until(time);
    await this.#settle();
  }

  async #until(time: number | undefined): Promise<void> {
    const { speed, stopped } = this.#options;
    if (time === undefined) return;
    if (this.#start === undefined) {
      this.#start = performance.now();
      this.#from = time;
    }
    const wait = this.#start + (time - this.#from) / speed - performance.now();
    if (wait > 0) await delay(wait, { signal: stopped });
  }

  /** Waits for the answers. What does not come in time is passed over from now on. */
  async #settle(): Promise<void> {
    const { timeout, stopped } = this.#options;
    const deadline = performance.now() + timeout;
    const stop = Promise.withResolvers<void>();
    stopped.addEventListener("abort", () => stop.resolve(), { once: true });
    for (const actor of this.#actors.values()) {
      while (!actor.isSettled && performance.now() < deadline) {
        stopped.throwIfAborted();
        await within(deadline - performance.now(), Promise.race([actor.changed, stop.promise]));
      }
      if (!actor.isSettled) actor.giveUp();
    }
  }
}

function wrong(number: number, id: number, why: string): Error {
  return new Error(`line ${number} of the recording: connection ${id} ${why}`);
}
