/** Who is in a cluster: each server answers whoever asks, and says how it is. JSON in UTF-8. */

import type { BackplaneChannels } from "../backplane.ts";
import { isTag, isText } from "./messages.ts";

const VERSION = 1;
const CHANNEL = "servers";
/** How many answers are taken, and how many endpoints of each. */
const MAX_SERVERS = 1_000;
const MAX_ENDPOINTS = 64;
/** The longest message that is looked at. */
const MAX_BYTES = 128 * 1024;
/** How many questions a server answers per second. */
const MAX_ANSWERS = 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** How a server of a cluster is. */
export interface ServerReport {
  /** Where it listens, as it sees it. */
  readonly endpoints: readonly string[];
  /** Its version, as its program tells it; `""` if it does not. */
  readonly version: string;
  /** Connections and sessions that are open now. */
  readonly connections: number;
  /** How many there may be. */
  readonly maxConnections: number;
  /** Carriers that it carries to other servers now. */
  readonly carried: number;
  /** When it began, in milliseconds since 1970, by its own clock. */
  readonly startedAt: number;
}

/** A server of a cluster. */
export interface ClusterServer extends ServerReport {
  /** Its name: the ids of its sessions begin with it. */
  readonly id: string;
  /** How long it took to answer, in milliseconds. */
  readonly roundTripTime: number;
}

/** Answers questions about this server, if it is one. */
export function answer(
  channels: BackplaneChannels,
  id: string,
  report: () => ServerReport | undefined,
): () => void {
  let second = 0;
  let answers = 0;
  channels.subscribe(CHANNEL, (bytes) => {
    const question = parsed(bytes);
    if (!isTag(question?.from) || question.from === id) return;
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) [second, answers] = [now, 0];
    if (++answers > MAX_ANSWERS) return;
    const own = report();
    if (own === undefined) return;
    channels.publish(`${CHANNEL}.${question.from}`, encoded({ id, ...own }));
  });
  return () => channels.unsubscribe(CHANNEL);
}

/** Asks all servers, and collects what they say within `timeout` milliseconds. */
export async function ask(
  channels: BackplaneChannels,
  id: string,
  timeout: number,
): Promise<ClusterServer[]> {
  const found = new Map<string, ClusterServer>();
  const startedAt = performance.now();
  const channel = `${CHANNEL}.${id}`;
  channels.subscribe(channel, (bytes) => {
    const server = serverIn(parsed(bytes), performance.now() - startedAt);
    // The first answer counts: whoever says later that it is the same server is not believed.
    if (server === undefined || found.has(server.id) || found.size >= MAX_SERVERS) return;
    found.set(server.id, server);
  });
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, timeout);
  // Until the broker has the subscription, answers would be missed: so it is asked again.
  const asking = setInterval(() => channels.publish(CHANNEL, encoded({ from: id })), timeout / 4);
  channels.publish(CHANNEL, encoded({ from: id }));
  await over.promise;
  clearTimeout(timer);
  clearInterval(asking);
  channels.unsubscribe(channel);
  return [...found.values()].sort((one, other) => one.id < other.id ? -1 : 1);
}

function encoded(message: object): Uint8Array {
  return encoder.encode(JSON.stringify({ v: VERSION, ...message }));
}

/** An object that was sent by anybody. */
function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  try {
    const message = JSON.parse(decoder.decode(bytes));
    return message?.v === VERSION ? message : undefined;
  } catch {
    return undefined; // It is no UTF-8, or no JSON.
  }
}

function serverIn(
  message: Record<string, unknown> | undefined,
  roundTripTime: number,
): ClusterServer | undefined {
  if (message === undefined) return undefined;
  const { id, endpoints, version, connections, maxConnections, carried, startedAt } = message;
  if (!isTag(id) || !isText(version) || !Array.isArray(endpoints)) return undefined;
  if (endpoints.length > MAX_ENDPOINTS || !endpoints.every(isText)) return undefined;
  const counts = [connections, maxConnections, carried, startedAt];
  if (!counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0)) {
    return undefined;
  }
  return {
    id,
    endpoints,
    version,
    connections: connections as number,
    maxConnections: maxConnections as number,
    carried: carried as number,
    startedAt: startedAt as number,
    roundTripTime,
  };
}
