/**
 * What hubs say to each other about their members: JSON in UTF-8, so that it can be read on the way.
 * docs/presence.md tells it to others.
 */

import { toHex } from "../../internal/encoding.ts";

const VERSION = 1;
/** Hubs' ids are eight random bytes in hex. */
const HUB_ID = /^[0-9a-f]{16}$/;

/** A member of a room: the room, the id of the connection, since when, and its data. */
export type Entry = readonly [room: string, connection: number, since: number, data: unknown];
/** That a connection has left a room. */
export type Gone = readonly [room: string, connection: number];

/** What each message has. */
interface Head {
  /** Who says it. */
  readonly hub: string;
  /** Each hub counts what it says, from 1. */
  readonly number: number;
  /** How many changes the hub's members have had so far. */
  readonly version: number;
}

/** A message, by its kind. */
export type PresenceMessage =
  & Head
  & (
    /** The hub is there. */
    | { readonly kind: "beat" }
    /** It is there, and wants to know the members of whoever hears this. */
    | { readonly kind: "ask" }
    /** Its members have changed since the version `from`. */
    | {
      readonly kind: "change";
      readonly from: number;
      readonly changes: readonly (Entry | Gone)[];
    }
    /** A part of all its members as of this version, and how many hubs it knows, itself included. */
    | {
      readonly kind: "state";
      readonly transfer: number;
      readonly part: number;
      readonly isLast: boolean;
      readonly hubs: number;
      readonly members: readonly Entry[];
    }
    /** It goes, and all its members with it. */
    | { readonly kind: "bye" }
  );

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A new id for a hub. */
export function newHubId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(8)));
}

/** The id of a member, which no other has in any hub. */
export function memberId(hub: string, connection: number): string {
  return `${hub}-${connection}`;
}

/** How many bytes a value has as JSON: infinitely many if it is none, or is nested too deeply. */
export function jsonBytes(value: unknown): number {
  try {
    const json = JSON.stringify(value);
    return json === undefined ? Infinity : encoder.encode(json).length;
  } catch {
    return Infinity;
  }
}

/** A message as bytes. */
export function encodeMessage(message: PresenceMessage): Uint8Array {
  return encoder.encode(JSON.stringify({ v: VERSION, ...message }));
}

/** A message of bytes that come from anybody; undefined if they are none. */
export function decodeMessage(bytes: Uint8Array): PresenceMessage | undefined {
  let message;
  try {
    message = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined; // It is no UTF-8, or no JSON.
  }
  if (typeof message !== "object" || message?.v !== VERSION) return undefined;
  const { v: _, ...rest } = message;
  return isHead(rest) && isBody(rest) ? rest as unknown as PresenceMessage : undefined;
}

function isHead({ hub, number, version }: Record<string, unknown>): boolean {
  return typeof hub === "string" && HUB_ID.test(hub) && isCount(number) && isCount(version);
}

function isBody(message: Record<string, unknown>): boolean {
  switch (message.kind) {
    case "beat":
    case "ask":
    case "bye":
      return true;
    case "change": {
      const { from, version, changes } = message;
      return isCount(from) && from < (version as number) && isListOf(changes, isEntryOrGone);
    }
    case "state": {
      const { transfer, part, isLast, hubs, members } = message;
      return isCount(transfer) && isCount(part) && isCount(hubs) && typeof isLast === "boolean" &&
        isListOf(members, isEntry);
    }
    default:
      return false;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isEntry(value: unknown): boolean {
  return Array.isArray(value) && value.length === 4 && isCount(value[2]) && isGone(value);
}

function isEntryOrGone(value: unknown): boolean {
  return isEntry(value) || Array.isArray(value) && value.length === 2 && isGone(value);
}

function isGone(value: readonly unknown[]): boolean {
  return typeof value[0] === "string" && isCount(value[1]);
}
