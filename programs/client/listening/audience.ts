/** Everybody who is there, and hears what standard input has. */

import type { Connection } from "../../../connection.ts";
import { type InForm, readBatches } from "../../shared/forms.ts";
import { within } from "../../shared/within.ts";
import type { ToolContext } from "../context.ts";
import { isStream } from "../messages.ts";

/** How long the others may say nothing after the end of the input, in milliseconds. */
const LINGER = 1_000;

/**
 * Sends each message of the input to everybody who is there. It waits while nobody is, and while one is
 * slow. When the input has ended, everybody who was told something may answer, and is then told that
 * nothing more comes.
 */
export class Audience {
  readonly #context: ToolContext;
  readonly #form: InForm | undefined;
  readonly #linger: number;
  readonly #present = new Set<Connection>();
  readonly #told = new Set<Connection>();
  readonly #silence = Promise.withResolvers<void>();
  #state: "speaking" | "silent" | "dismissed" = "speaking";
  #arrival = Promise.withResolvers<void>();

  constructor(context: ToolContext, form: InForm | undefined) {
    this.#context = context;
    this.#form = form;
    this.#linger = context.options.number("linger") ?? LINGER;
  }

  /** Whether nobody is there. */
  get isEmpty(): boolean {
    return this.#present.size === 0;
  }

  /** Whether the input has ended. */
  get isSilent(): boolean {
    return this.#state !== "speaking";
  }

  /** Resolves when the input has ended. */
  get silence(): Promise<void> {
    return this.#silence.promise;
  }

  /** Somebody has come. */
  enter(connection: Connection): void {
    this.#present.add(connection);
    this.#arrival.resolve();
  }

  /** Somebody has gone. */
  leave(connection: Connection): void {
    this.#present.delete(connection);
    this.#told.delete(connection);
  }

  /** The input is not heard any more. */
  dismiss(): void {
    this.#state = "dismissed";
    this.#silence.resolve();
    this.#arrival.resolve();
  }

  /**
   * Reads the input to its end, from when the first one is there.
   *
   * @throws {UsageError} for input that has not its form.
   */
  async speak(): Promise<void> {
    const first = await this.#somebody();
    if (first === undefined) return;
    const form = this.#form ?? (isStream(first) ? "bytes" : "lines");
    for await (const batch of readBatches(this.#context.host.stdin.readable, form)) {
      for (const message of batch) await this.#say(message);
      if (this.#state === "dismissed") return;
    }
    this.#state = "silent";
    this.#silence.resolve();
    for (const connection of this.#told) this.#take(connection);
  }

  /** Waits until a peer that has ended has got what the input has, as long as there is something. */
  async heardAll(connection: Connection): Promise<void> {
    for (let before = -1; !this.isSilent && connection.state === "open";) {
      const { bytesSent, bufferedBytes } = connection.stats;
      if (bytesSent === before && bufferedBytes === 0) return;
      before = bytesSent;
      await within(this.#linger, Promise.race([this.silence, connection.closed]));
    }
  }

  async #say(message: Uint8Array): Promise<void> {
    await this.#somebody();
    await Promise.all(
      Array.from(this.#present, (connection) => {
        this.#told.add(connection);
        return connection.send(message).catch(() => {}); // `closed` tells why.
      }),
    );
  }

  async #somebody(): Promise<Connection | undefined> {
    while (this.isEmpty && this.#state !== "dismissed") {
      this.#arrival = Promise.withResolvers();
      await this.#arrival.promise;
    }
    return this.#present.values().next().value;
  }

  /** Lets a peer answer, and then tells it that nothing more comes. */
  async #take(connection: Connection): Promise<void> {
    for (let before = -1; this.#present.has(connection);) {
      const { bytesReceived } = connection.stats;
      if (bytesReceived === before) return await connection.closeWrite();
      before = bytesReceived;
      await within(this.#linger, connection.closed);
    }
  }
}
