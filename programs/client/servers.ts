/** The client's `ping --cluster`: which servers a cluster has, and how they are. */

import { type ClusterServer, joinCluster } from "../../cluster.ts";
import { printable } from "../../internal/text.ts";
import { nats } from "../../nats.ts";
import { atBrokers, brokersFrom } from "../shared/brokers.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { secretFrom } from "../shared/secrets.ts";
import type { ClientContext } from "./context.ts";

/** How long the servers may take to answer, in milliseconds. */
const TIMEOUT = 1_000;

/**
 * Asks the broker's servers how they are, and prints a line for each. Who may use the broker may ask; a
 * server tells its clients nothing of the others. Resolves to 1 if none answers.
 */
export async function pingCluster(context: ClientContext): Promise<number> {
  const { options, reporter, endpoints, host: { stdout } } = context;
  if (context.namesEndpoint) {
    throw new UsageError(`ping --cluster asks the broker that it names, and not "${endpoints[0]}"`);
  }
  const servers = await brokersFrom(options.list("cluster")!);
  const token = await secretFrom(context, "cluster-token");
  await using backplane = await atBrokers(
    nats({ servers, token, cluster: options.text("cluster-name") }),
  );
  using cluster = joinCluster({ backplane });
  const found = await cluster.servers({ timeout: options.number("timeout") ?? TIMEOUT });
  if (options.on("json")) {
    for (const server of found) reporter.event({ event: "server", ...server });
    reporter.event({ event: "summary", servers: found.length });
  } else {
    stdout.write(tableOf(found));
  }
  await stdout.flush();
  return found.length === 0 ? EXIT.lost : EXIT.done;
}

function tableOf(servers: readonly ClusterServer[]): string {
  const rows = servers.map((server) =>
    [
      server.id,
      server.version === "" ? "-" : server.version,
      `${server.connections} of ${server.maxConnections}`,
      durationOf(Date.now() - server.startedAt),
      `${server.roundTripTime.toFixed(1)} ms`,
      server.endpoints.join(" "),
    ].map(printable)
  );
  const all = [["server", "version", "connections", "up", "answered", "endpoints"], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = rows.length === 0
    ? []
    : all.map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd() + "\n"
    );
  const count = `${servers.length} ${servers.length === 1 ? "server" : "servers"}`;
  return `${lines.join("")}${count} answered\n`;
}

/** A time that has passed, in the unit that fits. */
function durationOf(time: number): string {
  const seconds = Math.max(0, Math.round(time / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
