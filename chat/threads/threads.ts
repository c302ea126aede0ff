/**
 * One chat of several threads of a process, without a broker: so that it uses several cores.
 *
 * @module
 */

import { toHex } from "../../internal/encoding.ts";
import { Site } from "../cluster/site.ts";
import { readSnapshot } from "../cluster/snapshot.ts";
import type { Start } from "../cluster/site_options.ts";
import type { ChatCluster, ChatParts, Order } from "../engine/order.ts";
import type { NumberedHistory } from "../history/history.ts";
import { numberedHistory } from "../history/memory.ts";
import { ThreadLog } from "./log.ts";

export { ChatOrder, type ChatOrderOptions, type ChatThreadPlace } from "./order.ts";

/** How long `close()` waits for what is on its way, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;
/** How often a thread tells that it is there. One whose JavaScript is busy for 7 times as long counts as gone. */
const BEAT_INTERVAL = 1_000;
/** How much of what members of a thread say may wait for its turn, in bytes. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Options of {@linkcode chatThread}. */
export interface ChatThreadOptions {
  /**
   * Called with what goes wrong in the chat's order.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown) => void;
}

/**
 * Makes one chat of the chats of several threads. Each thread calls it with the port that `add()` of the
 * {@linkcode ChatOrder} gave for it.
 *
 * - **One order.** What happens goes to the order's thread first, and happens in all threads in the same
 *   order.
 * - **Names** belong to one member of all threads; `/who`, `/msg`, `/kick`, bans, topics and counts are of
 *   all of them.
 * - **A thread that ends** takes its members with it: the others are told at once. One that is started in
 *   its place knows what the others know, also what was said.
 * - **History** is in the memory of each thread. When all have ended, it is gone.
 *
 * Close it after the chat.
 *
 * @example One chat of two threads
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { Chat } from "@lengthwise/lengthwise/chat";
 * import { ChatOrder, chatThread } from "@lengthwise/lengthwise/chat/threads";
 * import { assertMatch } from "@std/assert";
 *
 * using order = new ChatOrder();
 * // Each port would go to a worker, which listens with reusePort at the same port.
 * await using cluster = await chatThread(order.add().port);
 * using chat = new Chat({ cluster });
 * await using server = await listen("tcp://127.0.0.1:0", { format: text() }, (member) => {
 *   return chat.serve(member);
 * });
 * await using member = await connect(server.endpoints[0], { format: text() });
 * assertMatch((await member.receive())!, /^\* Welcome, guest-1\. /);
 * ```
 */
export async function chatThread(
  port: MessagePort,
  options: ChatThreadOptions = {},
): Promise<ThreadOfChat> {
  return await ThreadOfChat.open(port, options);
}

/** One thread's part in a chat. {@linkcode chatThread} makes one. */
export class ThreadOfChat implements ChatCluster, AsyncDisposable {
  /** @internal */
  readonly history: NumberedHistory = numberedHistory();
  readonly #server = toHex(crypto.getRandomValues(new Uint8Array(6)));
  readonly #log: ThreadLog;
  readonly #onError: (error: unknown) => void;
  #start: Start = { at: 0, target: 0, snapshot: undefined };
  #site: Site | undefined;

  private constructor(port: MessagePort, { onError = report }: ChatThreadOptions) {
    this.#onError = onError;
    this.#log = new ThreadLog(port, this.#server, () => [...this.history.entries]);
  }

  /**
   * See {@linkcode chatThread}.
   *
   * @internal
   */
  static async open(port: MessagePort, options: ChatThreadOptions): Promise<ThreadOfChat> {
    const thread = new ThreadOfChat(port, options);
    const { at, state, history = [] } = await thread.#log.load();
    const snapshot = state === undefined ? undefined : readSnapshot(state);
    for (const [key, value] of snapshot?.settings ?? []) thread.history.set(key, value);
    for (const entry of history) thread.history.put(entry);
    thread.#start = { at, target: at, snapshot };
    return thread;
  }

  /** @internal */
  get ready(): Promise<void> {
    return this.#site?.ready ?? Promise.resolve();
  }

  /** @internal */
  attach(chat: ChatParts): Order {
    if (this.#site !== undefined) throw new TypeError("Cannot use cluster: a chat has it already");
    return this.#site = new Site(chat, this.#start, {
      log: this.#log,
      history: this.history,
      server: this.#server,
      version: "",
      maxWaitingBytes: MAX_WAITING_BYTES,
      beatInterval: BEAT_INTERVAL,
      entriesPerState: Infinity, // One who comes asks for the state.
      endpoints: () => [],
      onEvent: (event) => {
        if (event.event === "error") this.#onError(event.error);
      },
      summaryOf: ({ servers, lag }) => `${servers} threads, lag ${Math.round(lag)} ms.`,
    });
  }

  /** Tells the other threads that this one's members go, and takes part no more. */
  async close(): Promise<void> {
    await this.#site?.close(CLOSE_TIMEOUT);
    this.#log.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function report(error: unknown): void {
  console.error("Error in the order of a chat:", error);
}
