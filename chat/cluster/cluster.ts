/**
 * One chat of many servers, over the message broker NATS with JetStream. Programs that do not import
 * this do not download its client.
 *
 * @module
 */

import { toHex } from "../../internal/encoding.ts";
import { ConnectError } from "../../errors.ts";
import { checkDelay, checkInteger } from "../../internal/check.ts";
import { Log } from "../../nats/internal.ts";
import type { ChatCluster, ChatParts, Order } from "../engine/order.ts";
import type { NumberedHistory } from "../history/history.ts";
import { numberedHistory } from "../history/memory.ts";
import {
  type ChatClusterOptions,
  type ChatClusterStats,
  type ClusterEvent,
  type ClusterServer,
  summaryOf,
} from "./options.ts";
import { Site } from "./site.ts";
import type { SiteOptions, SiteStats, Start } from "./site_options.ts";
import { readSnapshot } from "./snapshot.ts";

export type {
  ChatClusterOptions,
  ChatClusterStats,
  ClusterEvent,
  ClusterServer,
} from "./options.ts";

/** How it is before a chat has it. */
const NONE: SiteStats = {
  isTogether: false,
  servers: 0,
  members: 0,
  lag: 0,
  waitingBytes: 0,
  beats: [],
  repeated: 0,
  late: 0,
  foreign: 0,
};
/** How long `close()` waits for what is on its way, in milliseconds. */
const CLOSE_TIMEOUT = 5_000;

/**
 * Connects to a NATS broker, and gives what makes one chat of all chats that share it, in this process
 * and in others.
 *
 * - **One order.** What happens is put into a stream of JetStream first, and happens at all servers in
 *   the order of that stream. A message comes back to who said it when it is on the broker's disk.
 * - **Names** belong to one member of all servers.
 * - **A broker that is away.** The members of each server go on talking among themselves, and are told.
 *   When it is back, everything is put in order.
 * - **A server that is gone** is taken out of the chat within 10 s, with its members.
 * - **Permission.** `--allow-net=HOST:PORT` of the broker. A broker cluster tells the addresses of its
 *   other members, which need theirs.
 *
 * Close it after the chat.
 *
 * @throws {ConnectError} if no broker answers, it refuses who asks, has no JetStream, or cannot keep the
 * log.
 * @throws {TypeError} {RangeError} for an option that cannot be used.
 *
 * @example One chat of all servers that run this
 * ```ts ignore
 * import { listen, text } from "@lengthwise/lengthwise";
 * import { Chat } from "@lengthwise/lengthwise/chat";
 * import { chatCluster } from "@lengthwise/lengthwise/chat/cluster";
 *
 * await using cluster = await chatCluster({ servers: "127.0.0.1:4222" });
 * using chat = new Chat({ cluster });
 * await listen("tcp://127.0.0.1:0", { format: text() }, (member) => chat.serve(member));
 * ```
 */
export function chatCluster(options: ChatClusterOptions): Promise<NatsChatCluster> {
  return NatsChatCluster.connect(options);
}

/** One server's part in a chat of many servers. {@linkcode chatCluster} makes one. */
export class NatsChatCluster implements ChatCluster, AsyncDisposable {
  /** @internal */
  readonly history: NumberedHistory = numberedHistory();
  readonly #options: Omit<SiteOptions, "log">;
  readonly #server: string = toHex(crypto.getRandomValues(new Uint8Array(6)));
  readonly #log: Log;
  #start: Start = { at: 0, target: 0, snapshot: undefined };
  #site: Site | undefined;

  private constructor(log: Log, options: ChatClusterOptions) {
    const { endpoints = () => [], onEvent = report, version = "" } = options;
    const { maxWaitingBytes = 8 * 1024 * 1024, beatInterval = 1_000, entriesPerState = 10_000 } =
      options;
    checkInteger("maxWaitingBytes", maxWaitingBytes, 1, Number.MAX_SAFE_INTEGER);
    checkInteger("entriesPerState", entriesPerState, 1, Number.MAX_SAFE_INTEGER);
    checkDelay("beatInterval", beatInterval);
    this.#log = log;
    const { history } = this;
    const server = this.#server;
    this.#options = {
      history,
      server,
      version,
      maxWaitingBytes,
      beatInterval,
      entriesPerState,
      endpoints,
      onEvent,
      summaryOf: (stats) => summaryOf({ ...stats, ...log.stats }),
    };
  }

  /**
   * See {@linkcode chatCluster}.
   *
   * @internal
   */
  static async connect(options: ChatClusterOptions): Promise<NatsChatCluster> {
    const { maxLogBytes = 256 * 1024 * 1024, servers, cluster, token, user, pass, tls } = options;
    checkInteger("maxLogBytes", maxLogBytes, 1024 * 1024, Number.MAX_SAFE_INTEGER);
    const { pingInterval } = options;
    const log = await Log.open({
      servers,
      cluster,
      token,
      user,
      pass,
      tls,
      maxLogBytes,
      ...(pingInterval === undefined ? {} : { pingInterval }),
    });
    try {
      const made = new NatsChatCluster(log, options);
      await made.#load();
      return made;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** The id of this server. */
  get server(): string {
    return this.#server;
  }

  /** @internal */
  get ready(): Promise<void> {
    return this.#site?.ready ?? Promise.resolve();
  }

  /** How the cluster is, seen from here. */
  get stats(): ChatClusterStats {
    const { beats: _, ...site } = this.#site?.stats ?? NONE;
    return { server: this.#server, ...this.#log.stats, ...site };
  }

  /** The same in a sentence. */
  get summary(): string {
    return summaryOf(this.stats);
  }

  /** The servers, as they last told of themselves. */
  get servers(): ClusterServer[] {
    return (this.#site?.stats.beats ?? []).map(({ home: _, ...server }) => server);
  }

  /** @internal */
  attach(chat: ChatParts): Order {
    if (this.#site !== undefined) throw new TypeError("Cannot use cluster: a chat has it already");
    return this.#site = new Site(chat, this.#start, { ...this.#options, log: this.#log });
  }

  /** Tells the other servers that this one goes, for at most 5 s, and leaves the broker. */
  async close(): Promise<void> {
    await this.#site?.close(CLOSE_TIMEOUT);
    await this.#log.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads the state that a chat begins with. */
  async #load(): Promise<void> {
    const saved = await this.#log.load();
    const snapshot = saved === undefined ? undefined : readSnapshot(saved.state);
    if (saved !== undefined && snapshot === undefined) {
      throw new ConnectError(
        "Cannot read the state of the cluster: it is of another version of Lengthwise",
      );
    }
    for (const [key, value] of snapshot?.settings ?? []) this.history.set(key, value);
    this.#start = { at: saved?.at ?? 0, target: await this.#log.last(), snapshot };
  }
}

function report(event: ClusterEvent): void {
  if (event.event === "error") console.error("Error in the cluster of a chat:", event.error);
}
