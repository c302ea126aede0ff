/** Where the connections of a replay come from. */

import { connect } from "../../../connect/connect.ts";
import type { Connection } from "../../../connection.ts";
import { connectAgain, connectOptionsFor } from "../connecting.ts";
import type { ToolContext } from "../context.ts";
import { listeningEnd } from "../relay/ends.ts";

/** Gives connections, one after the other. */
export interface Source {
  /** The next one. */
  next(): Promise<Connection>;
  /** Ends what gives them. */
  close(): Promise<void>;
}

/** Connects to an endpoint. */
export async function connecting(endpoint: string, context: ToolContext): Promise<Source> {
  const options = {
    ...await connectOptionsFor(endpoint, context),
    signal: context.stopped,
  };
  return {
    next: () => connectAgain(() => connect(endpoint, options), context, context.stopped),
    close: () => Promise.resolve(),
  };
}

/** Listens at an endpoint, and gives the peers in the order in which they come. */
export async function listening(endpoint: string, context: ToolContext): Promise<Source> {
  const { stopped } = context;
  const waiting: Connection[] = [];
  let change = Promise.withResolvers<void>();
  const open = await listeningEnd(endpoint, context);
  const server = await open(async (connection) => {
    waiting.push(connection);
    change.resolve();
    await connection.closed;
  });
  stopped.addEventListener("abort", () => change.reject(stopped.reason), { once: true });
  change.promise.catch(() => {});
  return {
    async next() {
      for (;;) {
        stopped.throwIfAborted();
        const connection = waiting.shift();
        if (connection !== undefined) return connection;
        change = Promise.withResolvers();
        change.promise.catch(() => {});
        await change.promise;
      }
    },
    close: () => server.close(),
  };
}
