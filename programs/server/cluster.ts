/** The server's part in a chat of many servers, as its options say. */

import {
  chatCluster,
  type ClusterEvent,
  type NatsChatCluster,
} from "../../chat/cluster/cluster.ts";
import { type Cluster, joinCluster as joinSessions } from "../../cluster.ts";
import { nats } from "../../nats.ts";
import { atBrokers, brokersFrom } from "../shared/brokers.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import { secretFrom } from "../shared/secrets.ts";
import { VERSION } from "../shared/version.ts";

/** How often the counts are told with `--json`, in milliseconds. */
const TELL = 10_000;

/** A cluster, and what tells of it. */
export interface JoinedCluster extends AsyncDisposable {
  readonly cluster: NatsChatCluster;
  /** The same servers, for their sessions. */
  readonly sessions: Cluster;
  /** Where this server listens, as soon as that is known. */
  endpoints: readonly string[];
}

/**
 * Comes into the cluster that the options name.
 *
 * @throws {ConnectError} if its broker cannot be used.
 */
export async function joinCluster(context: ProgramContext): Promise<JoinedCluster> {
  const { options, reporter } = context;
  const servers = await brokersFrom(options.list("cluster")!);
  const token = await secretFrom(context, "cluster-token");
  const name = options.text("cluster-name");
  const joined: { endpoints: readonly string[] } = { endpoints: [] };
  const cluster: NatsChatCluster = await atBrokers(chatCluster({
    servers,
    version: VERSION,
    endpoints: () => joined.endpoints,
    ...(name === undefined ? {} : { cluster: name }),
    ...(token === undefined ? {} : { token }),
    onEvent(event) {
      if (event.event === "error") return reporter.error(messageOf(event.error));
      const { event: what, ...rest } = event;
      const told = { ...cluster.stats, ...rest, event: `cluster-${what}` };
      reporter.event(told, wordsOf(event), what === "apart" ? "warn" : "info");
    },
  }));
  // It tells of the same broker what the chat's cluster tells.
  const backplane = await nats({ servers, token, cluster: name });
  const timer = setInterval(() => {
    const { stats } = cluster;
    reporter.event({ event: "cluster", ...stats }, `cluster: ${cluster.summary}`, "debug");
  }, TELL);
  return Object.assign(joined, {
    cluster,
    sessions: joinSessions({ backplane, version: VERSION }),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await cluster.close();
      await backplane.close();
    },
  });
}

function wordsOf(event: Exclude<ClusterEvent, { event: "error" }>): string {
  switch (event.event) {
    case "apart":
      return `cluster: the other servers cannot be reached: ${event.reason}`;
    case "together":
      return "cluster: the other servers are back";
    case "server-came":
      return `cluster: server ${event.server} has come`;
    case "server-left":
      return `cluster: server ${event.server} is gone`;
    case "came-again":
      return `cluster: this server was taken for gone, and is back with ${event.members} members`;
  }
}
