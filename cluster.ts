/**
 * Servers that act as one for sessions: a client that comes to another server than the one that has its
 * session is carried there, and told at once when that one has gone.
 *
 * @module
 */

import { toHex } from "./internal/encoding.ts";
import type { Backplane, BackplaneChannels, BackplaneLink } from "./backplane.ts";
import { carry } from "./cluster/carriage.ts";
import { answer, ask, type ClusterServer, type ServerReport } from "./cluster/census.ts";
import type { Host } from "./cluster/host.ts";
import { Relay } from "./cluster/relay.ts";
import { Whereabouts } from "./cluster/whereabouts.ts";
import type { Connection } from "./connection.ts";
import { checkDelay } from "./internal/check.ts";
import { Wakeup } from "./internal/time.ts";
import type { Elsewhere } from "./session/internal.ts";
import { TAG_BYTES } from "./session/internal.ts";

export type { ClusterServer, ServerReport } from "./cluster/census.ts";

/** How often it is looked whether the servers are there to which carriers are carried, in milliseconds. */
const WATCH_INTERVAL = 2_000;
/** How long `servers()` waits for answers by default, in milliseconds. */
const ASK_TIME = 1_000;

/** Options of {@linkcode joinCluster}. */
export interface ClusterOptions {
  /** What connects the servers: all that have the same one are a cluster. `nats()` of `./nats` gives one. */
  backplane: Backplane;
  /**
   * The version of the program, for whoever asks for the servers of the cluster.
   *
   * @default ""
   */
  version?: string;
  /** Called when messages between servers may have been lost. Carriers break then, and sessions do not. */
  onError?: (error: unknown) => void;
}

/** What a cluster has done so far for this server. */
export interface ClusterStats {
  /** Carriers that came here and are carried to other servers now. */
  readonly carriedAway: number;
  /** Carriers that other servers carry here now. */
  readonly carriedHere: number;
  /** How many carriers were carried so far, in both directions. */
  readonly carried: number;
  /** How many carriers were told that the server of their session has gone. */
  readonly gone: number;
  /** Messages of the cluster that are not of its kind, or of carriers that are not there any more. */
  readonly foreign: number;
}

/**
 * Joins a cluster of servers. Give it to one `listen()`, as the option `cluster`, and close it after the
 * server.
 *
 * - **Sessions.** A session lives on the server that opened it, and its id says which one that is. A carrier
 *   that comes to another server, as behind a balancer, is carried to its home through the backplane, after
 *   it has given its token and `authorize` has let it in. Clients need not know of it.
 * - **A server that has gone** is noticed in 1.2 s when its process or its way to the broker ends. A client
 *   that asks another server then gets its `SessionLostError` at once, and not after the retention time. A
 *   server that is frozen counts as there.
 * - **Trust.** What comes from the backplane is checked as what comes from a peer. But a server believes
 *   others about who has a carrier and where it comes from, so whoever may publish there can say so, too,
 *   if he knows the id of a session.
 * - **Limits.** 1 000 carriers each way, 256 KiB on the way for each, and 64 searches for servers at a time.
 *
 * @throws {TypeError} for a backplane that has no channels.
 *
 * @example Two servers, and a session that is reached through the other one
 * ```ts
 * import { connect, listen, text } from "@lengthwise/lengthwise";
 * import { inProcess } from "@lengthwise/lengthwise/backplane";
 * import { joinCluster } from "@lengthwise/lengthwise/cluster";
 * import { assertEquals } from "@std/assert";
 *
 * const backplane = inProcess(); // or `await nats({ servers })`, over many machines
 * const open = async () => {
 *   const cluster = joinCluster({ backplane });
 *   const options = { session: true, cluster, format: text() };
 *   const server = await listen("tcp://127.0.0.1:0", options, async (session) => {
 *     for await (const message of session) await session.send(message);
 *   });
 *   return { cluster, server };
 * };
 * const [one, two] = [await open(), await open()];
 * const session = await connect([one, two].map(({ server }) => server.endpoints[0]), {
 *   session: true,
 *   format: text(),
 * });
 * await session.send("hello");
 * assertEquals(await session.receive(), "hello");
 * const servers = await one.cluster.servers({ timeout: 100 });
 * assertEquals(servers.map(({ connections }) => connections).sort(), [0, 1]);
 * await session.close();
 * for (const { cluster, server } of [one, two]) {
 *   await server.close();
 *   cluster.close();
 * }
 * ```
 */
export function joinCluster(options: ClusterOptions): Cluster {
  return new Cluster(options);
}

/** A server's place in a cluster. {@linkcode joinCluster} makes one. */
export class Cluster implements Disposable {
  /** The name of this server: random, and new each time. */
  readonly id: string = toHex(crypto.getRandomValues(new Uint8Array(TAG_BYTES)));

  readonly #link: BackplaneLink;
  readonly #channels: BackplaneChannels;
  readonly #relay: Relay;
  readonly #whereabouts: Whereabouts;
  readonly #stopAnswering: () => void;
  readonly #version: string;
  readonly #startedAt = Date.now();
  readonly #watch = new Wakeup(() => this.#look(), { idle: true, grain: 500 });
  #host: Host | undefined;
  #state: "open" | "closed" = "open";
  #carried = 0;
  #gone = 0;

  /**
   * See {@linkcode joinCluster}.
   *
   * @internal
   */
  constructor({ backplane, version = "", onError = () => {} }: ClusterOptions) {
    const link = backplane.attach({
      deliver: () => {},
      failed: (error) => {
        // What is missing might be noticed only by the heartbeat of a session.
        this.#relay.breakAll();
        onError(error);
      },
    });
    const { channels } = link;
    if (channels === undefined) {
      link.close();
      throw new TypeError("Cannot use backplane for a cluster: it has no channels");
    }
    this.#link = link;
    this.#channels = channels;
    this.#version = version;
    this.#whereabouts = new Whereabouts(channels);
    this.#relay = new Relay(channels, this.id, (stream, opening) => {
      if (this.#host === undefined) return stream.close();
      this.#carried++;
      this.#host.accept(stream, opening);
    });
    this.#stopAnswering = answer(channels, this.id, () => this.#report());
  }

  /** Counts as of now. */
  get stats(): ClusterStats {
    const { own, others } = this.#relay.counts;
    return {
      carriedAway: own,
      carriedHere: others,
      carried: this.#carried,
      gone: this.#gone,
      foreign: this.#relay.foreign,
    };
  }

  /**
   * The servers that answer within `timeout` milliseconds (1000 by default), this one included if it
   * belongs to a server. At most 1 000.
   *
   * @throws {RangeError} for a timeout out of range.
   */
  async servers({ timeout = ASK_TIME }: { timeout?: number } = {}): Promise<ClusterServer[]> {
    checkDelay("timeout", timeout);
    const others = await ask(this.#channels, this.id, timeout);
    const own = this.#report();
    return own === undefined ? others : [{ id: this.id, ...own, roundTripTime: 0 }, ...others];
  }

  /**
   * Makes a server the one that this belongs to, and gives what its sessions need.
   *
   * @throws {TypeError} if it belongs to another one, or is closed.
   * @internal
   */
  serve(host: Host): Elsewhere {
    if (this.#host !== undefined || this.#state === "closed") {
      throw new TypeError("Cannot use cluster: it belongs to another server, or is closed");
    }
    this.#host = host;
    return {
      tag: this.id,
      carry: (carrier, home, hello) => this.#carry(carrier, home, hello),
      stop: () => this.close(),
    };
  }

  /** Leaves the cluster. The carriers that are carried, in either direction, are lost; their sessions are not. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#watch.clear();
    this.#whereabouts.stop();
    this.#relay.close();
    this.#stopAnswering();
    this.#link.close();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #carry(
    carrier: Connection<Uint8Array>,
    home: string,
    hello: Uint8Array,
  ): Promise<void> {
    const { remote, endpoint, peer, user } = carrier;
    const stream = this.#relay.open(home, { remote, endpoint, peer, user });
    if (this.#watch.due === Infinity) this.#watch.at(performance.now() + WATCH_INTERVAL);
    const gone = this.#whereabouts.isGone(home);
    gone.then((isGone) => {
      if (isGone) this.#gone++;
    });
    this.#carried++;
    await carry(carrier, stream, hello, gone);
  }

  /** Breaks the streams to servers that have gone. */
  #look(): void {
    const { destinations } = this.#relay;
    if (destinations.size === 0 || this.#state === "closed") return;
    this.#watch.at(performance.now() + WATCH_INTERVAL);
    for (const tag of destinations) {
      this.#whereabouts.isGone(tag).then((isGone) => {
        if (isGone) this.#relay.lost(tag);
      });
    }
  }

  #report(): ServerReport | undefined {
    if (this.#host === undefined) return undefined;
    const carried = this.#relay.counts.own;
    return {
      ...this.#host.report(),
      version: this.#version,
      carried,
      startedAt: this.#startedAt,
    };
  }
}
