/** Reads the messages of a connection, and passes them on to calls, answers and notices. */

import type { CloseInfo, CloseOptions } from "../connection.ts";
import {
  ConnectionClosedError,
  ConnectionLostError,
  ProtocolError,
  RequestError,
} from "../errors.ts";
import { handledRejection, handledResolvers } from "../internal/handled.ts";
import { reasonOf } from "../internal/reason.ts";
import { Deadline } from "../internal/time.ts";
import { Answers, type AnswerSettings } from "./answers.ts";
import type { StartOptions } from "./call.ts";
import { Calls, type CallSettings } from "./calls.ts";
import { EarlyNotices } from "./early.ts";
import { MessageReader } from "./message_reader.ts";
import { encodeNotice, tooLong } from "./notice.ts";
import { Notices } from "./notices.ts";
import { Output } from "./output.ts";
import type { RequestConnection, RequestPeer, RequestStats } from "./types.ts";
import { encodeHello, fitsName, LEAST, Type } from "./wire.ts";

/** The settings of a {@linkcode Peer}. */
export interface PeerSettings {
  /** Settings for requests of this end. */
  readonly calls: CallSettings;
  /** Settings for requests of the peer. */
  readonly answers: AnswerSettings;
  /** The time in which the peer must send HELLO, in milliseconds. */
  readonly helloTimeout: number;
}

/** The peer of a connection, as the program at this end sees it. */
export class Peer implements RequestPeer {
  readonly closed: Promise<CloseInfo>;
  /** What is below. */
  readonly connection: RequestConnection;
  readonly #output: Output;
  readonly #calls: Calls;
  readonly #answers: Answers;
  readonly #notices: Notices;
  readonly #reader = new MessageReader();
  readonly #helloDeadline: Deadline;
  readonly #early = new EarlyNotices();
  readonly #greeted = Promise.withResolvers<void>();
  #state: "greeting" | "open" | "closed" = "greeting";

  constructor(connection: RequestConnection, settings: PeerSettings) {
    const { calls, answers, helloTimeout } = settings;
    this.connection = connection;
    this.#output = new Output(connection, (error) => connection.abort(error));
    this.#output.maxMessageBytes = Math.min(
      LEAST.messageBytes,
      connection.framing.maxMessageBytes,
    );
    this.#calls = new Calls(this.#output, calls);
    this.#answers = new Answers(this, this.#output, answers);
    const { handlers, onError, allowance } = answers;
    this.#notices = new Notices(this, { handlers, onError, most: allowance.requests });
    this.#helloDeadline = new Deadline(helloTimeout, () => {
      connection.abort(
        new ProtocolError(
          `Cannot make requests to ${connection.remote}: it sent no HELLO within ${helloTimeout} ms`,
        ),
      );
    });
    this.#helloDeadline.start();
    this.closed = connection.closed.then((info) => this.#ended(info));
    connection.offer(encodeHello(allowance));
    this.#run();
  }

  get id(): number {
    return this.connection.id;
  }

  /** Resolves when the peer's HELLO has come, or at the end. */
  get greeted(): Promise<void> {
    return this.#greeted.promise;
  }

  /** The largest message that the peer is known to take, in bytes. */
  get maxMessageBytes(): number {
    return this.#output.maxMessageBytes;
  }

  get stats(): RequestStats {
    const { sent, outstanding, waiting, late } = this.#calls;
    const { received, handling, refused } = this.#answers;
    return {
      sent,
      outstanding,
      waiting,
      late,
      received,
      handling,
      refused,
      notifications: this.#notices.received,
      unhandledNotifications: this.#notices.unhandled,
    };
  }

  request(method: string, params?: unknown, options: StartOptions = {}): Promise<unknown> {
    if (!fitsName(method)) return Promise.reject(tooLong(method));
    return this.#calls.request(method, params, options);
  }

  stream(
    method: string,
    params?: unknown,
    options: StartOptions = {},
  ): AsyncIterableIterator<unknown, undefined> {
    if (!fitsName(method)) throw tooLong(method);
    return this.#calls.stream(method, params, options);
  }

  notify(method: string, params?: unknown): Promise<void> {
    try {
      const message = encodeNotice(method, params);
      if (this.takesNow(message.length)) return this.#sendNotice(message);
      const { promise, resolve } = handledResolvers<void>();
      const kept = message.slice();
      if (this.#early.add(kept.length, () => resolve(this.#sendNotice(kept)))) return promise;
      throw new RequestError(
        "busy",
        `Cannot notify ${method}: too much waits for the peer's HELLO`,
      );
    } catch (error) {
      return handledRejection(error);
    }
  }

  /** Whether a notification of this size need not wait for the peer's HELLO. */
  takesNow(bytes: number): boolean {
    return this.#state !== "greeting" || this.#early.isEmpty && bytes <= this.maxMessageBytes;
  }

  /** Whether it takes a notification of this size, and takes it now. */
  takes(bytes: number): boolean {
    return bytes <= this.maxMessageBytes && this.takesNow(bytes);
  }

  /**
   * Sends the message of a notification, which does not change any more, without waiting for a slow
   * peer. Returns false if it is refused. If it is refused later, calls `lost`.
   */
  offerNotice(message: Uint8Array, lost: () => void): boolean {
    if (this.takesNow(message.length)) {
      return message.length <= this.maxMessageBytes && this.connection.offer(message);
    }
    const kept = message.slice();
    return this.#early.add(kept.length, () => {
      if (!this.offerNotice(kept, lost)) lost();
    });
  }

  #sendNotice(message: Uint8Array): Promise<void> {
    try {
      if (this.#state !== "closed") this.#output.check(message);
    } catch (error) {
      return handledRejection(error);
    }
    return this.connection.send(message);
  }

  close(options: CloseOptions = {}): Promise<CloseInfo> {
    const { remote } = this.connection;
    this.connection.framing.encodeEnd?.(options); // Throws for wrong options before anything ends.
    this.#state = "closed";
    this.#helloDeadline.clear();
    const reason = new ConnectionClosedError(
      `Cannot go on with request of ${remote}: this end closed`,
    );
    this.#calls.cancelAll();
    this.#calls.fail((method) =>
      new ConnectionClosedError(`Cannot request ${method} of ${remote}: this end closed`)
    );
    this.#answers.stop(reason);
    this.#notices.stop(reason);
    this.connection.close(options);
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    try {
      for await (const batch of this.connection.batches()) {
        for (const message of batch) {
          if (this.#state === "closed") return; // A handler may have closed it.
          this.#take(message);
          if (this.#notices.isFlooded) await this.#notices.calm();
        }
      }
      await this.#peerEnded();
    } catch (error) {
      this.connection.abort(error); // Does nothing if the error comes from the connection.
    }
  }

  #take(message: Uint8Array): void {
    const reader = this.#reader;
    reader.open(message);
    if (this.#state === "greeting") {
      const allowance = reader.hello();
      this.#helloDeadline.clear();
      this.#state = "open";
      this.#output.maxMessageBytes = allowance.messageBytes;
      this.#greet();
      this.#calls.allow(allowance);
    } else if (reader.isAnswering) this.#calls.take(reader, message.length);
    else if (reader.type === Type.notify) this.#notices.take(reader);
    else this.#answers.take(reader, message.length);
  }

  /** The peer has ended in order. It answers no more, but may still read answers. */
  async #peerEnded(): Promise<void> {
    const { remote } = this.connection;
    this.#helloDeadline.clear();
    this.#calls.fail((method) =>
      new ConnectionLostError(`Cannot request ${method} of ${remote}: it ended before it answered`)
    );
    const reason = `Cannot read items from ${remote}: it ended before their end`;
    const error = new ConnectionLostError(reason);
    this.#answers.callerEnded(error);
    this.#notices.stop(error);
    await this.#answers.idle();
    await this.connection.close();
  }

  #ended(info: CloseInfo): CloseInfo {
    this.#state = "closed";
    this.#helloDeadline.clear();
    const { remote } = this.connection;
    const { error } = info;
    const isLost = error !== undefined && !(error instanceof ConnectionClosedError);
    const failure = (what: string) =>
      isLost
        ? new ConnectionLostError(`Cannot ${what} ${remote}: ${reasonOf(error)}`, { cause: error })
        : new ConnectionClosedError(`Cannot ${what} ${remote}: connection is closed`, {
          ...(error === undefined ? {} : { cause: error }),
        });
    this.#calls.fail((method) => failure(`request ${method} of`));
    const reason = failure("go on with request of");
    this.#answers.stop(reason);
    this.#notices.stop(reason);
    this.#output.stop();
    this.#greet();
    return info;
  }

  /** What waits for the HELLO waits no longer. */
  #greet(): void {
    this.#early.release();
    this.#greeted.resolve();
  }
}
