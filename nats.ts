/**
 * Hubs of many processes as one, over the message broker NATS. Programs that do not import this do not
 * download its client.
 *
 * @module
 */

import { NatsBackplane } from "./nats/backplane.ts";
import type { NatsOptions } from "./nats/options.ts";

export { NatsBackplane } from "./nats/backplane.ts";
export type { NatsOptions, NatsStats } from "./nats/options.ts";

/**
 * Connects to a NATS broker, and gives the backplane that makes one hub of all hubs that share it, in this
 * process and in others.
 *
 * - **Cost.** A broadcast is one message to the broker, however many members there are.
 * - **Order and loss.** The messages of one hub to one room stay in order, and come at most once. What is
 *   published while the broker is away waits for it, up to `maxWaitingBytes`. What other hubs published
 *   while this process could not reach the broker is missed, and the hub's `onError` is told: by a
 *   `BackplaneError` when the broker is lost, and another one for each gap that is noticed later.
 * - **A broker that is frozen** is given up after two unanswered questions, so within three
 *   `pingInterval`s. A broker that goes in order says so, and another one takes its place.
 * - **Trust.** What comes from the broker is checked as what comes from a peer: other messages on the
 *   same subjects are dropped and counted.
 * - **Permission.** `--allow-net=HOST:PORT` of the broker. A broker cluster tells the addresses of its
 *   other members, which need theirs.
 *
 * @throws {ConnectError} if no broker answers, or it refuses who asks.
 * @throws {TypeError} {RangeError} for an option that cannot be used.
 *
 * @example Rooms over all processes that run this
 * ```ts ignore
 * import { Hub, listen } from "@lengthwise/lengthwise";
 * import { nats } from "@lengthwise/lengthwise/nats";
 *
 * await using backplane = await nats({ servers: "127.0.0.1:4222" });
 * const hub = new Hub({ backplane });
 * await listen("tcp://127.0.0.1:0", async (connection) => {
 *   hub.join("lobby", connection);
 *   for await (const message of connection) hub.broadcast("lobby", message);
 * });
 * ```
 */
export function nats(options: NatsOptions): Promise<NatsBackplane> {
  return NatsBackplane.connect(options);
}
