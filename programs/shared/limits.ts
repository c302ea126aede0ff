/** `--limit NAME=VALUE`: the limits of the library, all of them, under their names of docs/limits.md. */

import { likely } from "../../internal/nearest.ts";
import { type OptionSpec, type ParsedOptions, UsageError } from "./options.ts";

/** Limits of each connection, at both ends. */
const OF_CONNECTIONS = [
  "maxMessageBytes",
  "frameTimeout",
  "maxUnreadBytes",
  "highWaterMark",
  "maxPendingBytes",
  "slowConsumer",
  "writeTimeout",
  "closeTimeout",
  "halfOpenTimeout",
  "pingInterval",
  "pongTimeout",
] as const;

/** Limits of a server as a whole. */
const OF_SERVERS = [
  "maxConnections",
  "maxConnectionsPerAddress",
  "maxConnectionRate",
  "handshakeTimeout",
  "backlog",
] as const;

const OF_CLIENTS = ["connectTimeout"] as const;

const OF_SESSIONS = [
  "session.retentionTime",
  "session.maxUnacknowledgedBytes",
  "session.window",
  "session.heartbeatInterval",
  "session.heartbeatTimeout",
  "session.helloTimeout",
] as const;

const OF_UDP = ["udp.idleTimeout"] as const;

/** Limits of the service `chat`. */
const OF_CHATS = [
  "chat.announceAfter",
  "chat.silentAfter",
  "chat.pingInterval",
  "chat.pongTimeout",
  "chat.greeting",
  "chat.maxLineLength",
  "chat.maxRooms",
  "chat.maxMembersPerRoom",
  "chat.burst",
  "chat.perSecond",
] as const;

/** The only one whose value is a word; the library says which. */
const WORDS: readonly string[] = ["slowConsumer"];

/** Older options that say the same. */
export const TWINS: Readonly<Record<string, string>> = {
  maxMessageBytes: "max-message",
  maxConnections: "max-connections",
  maxConnectionRate: "max-rate",
  "udp.idleTimeout": "udp-idle",
  connectTimeout: "timeout",
};

/** Which end; a relay is both. */
export type Side = "server" | "client" | "relay";

/** The names that an end knows. */
export const LIMIT_NAMES: Readonly<Record<Side, readonly string[]>> = {
  server: [...OF_SERVERS, ...OF_CONNECTIONS, ...OF_SESSIONS, ...OF_UDP, ...OF_CHATS],
  client: [...OF_CLIENTS, ...OF_CONNECTIONS, ...OF_SESSIONS],
  relay: [...OF_SERVERS, ...OF_CLIENTS, ...OF_CONNECTIONS, ...OF_UDP],
};

/** The option, for both programs. */
export const LIMIT_OPTION: OptionSpec = {
  value: "NAME=N,…",
  list: true,
  repeated: true,
  group: "Limits",
  help: "any limit of docs/limits.md",
};

/** Limits as `listen()`, `connect()` and a chat take them. */
export interface Limits {
  /** Those of `session: { … }`; undefined if none is given. */
  readonly session?: Readonly<Record<string, number>>;
  /** Those of `udp: { … }`; undefined if none is given. */
  readonly udp?: Readonly<Record<string, number>>;
  /** Those of the chat; undefined if none is given. */
  readonly chat?: Readonly<Record<string, number>>;
  /** All others. */
  readonly others: Readonly<Record<string, number | string>>;
}

/**
 * Reads `--limit`. Whether a value is in range is the library's to say, which names limit and range.
 *
 * @throws {UsageError} for a name that is unknown, with the nearest one, and for what is said twice.
 */
export function limitsFrom(options: ParsedOptions, side: Side): Limits {
  const rooms: Record<string, Record<string, number | string>> = { others: {} };
  for (const text of options.list("limit") ?? []) {
    const { name, value } = readLimit(text, side);
    const twin = TWINS[name];
    if (twin !== undefined && options.text(twin) !== undefined) {
      throw new UsageError(`--limit ${text} and --${twin}: give one of them`);
    }
    const [room, key] = name.includes(".") ? name.split(".") : ["others", name];
    rooms[room] ??= {};
    if (Object.hasOwn(rooms[room], key)) throw new UsageError(`--limit ${name} is given twice`);
    rooms[room][key] = value;
  }
  return rooms as unknown as Limits;
}

/**
 * One limit, as `NAME=VALUE`.
 *
 * @throws {UsageError} for a name that is unknown, with the nearest one, and for what is no value.
 */
export function readLimit(text: string, side: Side): { name: string; value: number | string } {
  const [, name, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === "") {
    throw new UsageError(`--limit ${text}: it must look like NAME=VALUE`);
  }
  const names = LIMIT_NAMES[side];
  if (!names.includes(name)) {
    const near = likely(name, names);
    throw new UsageError(
      `--limit ${name}: there is no limit of that name, ` +
        (near === undefined ? `use one of ${names.join(", ")}` : `the nearest is ${near}`),
    );
  }
  if (WORDS.includes(name)) return { name, value };
  if (/^\d{1,16}$/.test(value)) return { name, value: Number(value) };
  throw new UsageError(`--limit ${name}=${value}: it must be a whole number`);
}

/** What peers are turned away for, with the defaults of `listen()`. */
const REFUSING = { maxConnections: 10_000, maxConnectionsPerAddress: 64, maxConnectionRate: 100 };

/** What to tell of a peer that was turned away for a limit; undefined if it was for something else. */
export function howToChange(
  reason: string,
  given: Readonly<Record<string, unknown>>,
): string | undefined {
  if (!Object.hasOwn(REFUSING, reason)) return undefined;
  const value = given[reason] ?? REFUSING[reason as keyof typeof REFUSING];
  return `${reason} is ${value}; --limit ${reason}=N changes it`;
}
