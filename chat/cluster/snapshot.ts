/** The state of a chat as a text, for servers that come later. */

import type { State } from "../engine/state.ts";
import type { Person } from "../engine/member.ts";
import { keysOf } from "../names/names.ts";
import { PERSON, type PersonRecord, VERSION } from "./items.ts";

/** What is in the text. */
export interface Snapshot {
  /** The servers, in the order in which they came, each with the number of its last entry. */
  readonly servers: readonly (readonly [id: string, number: number])[];
  /** Servers that were taken for gone, the last ones. */
  readonly gone: readonly string[];
  /** The last number that was given to a newcomer. */
  readonly guests: number;
  readonly settings: readonly (readonly [key: string, value: string])[];
  /** The rooms, in the order in which they were made, each with the id of its newest message. */
  readonly rooms: readonly (readonly [name: string, lastId: number])[];
  readonly people: readonly (PersonRecord & { readonly home: string })[];
  /** What was said with `/once`: the name, the id and the room. */
  readonly once: readonly (readonly [ref: string, id: number, room: string])[];
}

/** What a server must know of a member that it does not have. */
export function recordOf(person: Person): PersonRecord {
  const { number, name, named, room, host, away, silent, operator, ignored, keyHash } = person;
  return {
    who: number,
    name,
    named,
    room: room.name,
    ...(host === undefined ? {} : { host }),
    ...(away === undefined ? {} : { away }),
    ...(silent ? { silent: true } : {}),
    ...(operator ? { operator: true } : {}),
    ...(ignored.size === 0 ? {} : { ignored: [...ignored.values()] }),
    ...(keyHash === undefined ? {} : { key: keyHash }),
  };
}

/** Makes somebody as its record says, except for the name and the room. */
export function restore(state: State, person: Person, record: PersonRecord): void {
  person.named = record.named;
  person.away = record.away;
  person.silent = record.silent ?? false;
  person.operator = record.operator ?? false;
  person.keyHash = record.key;
  for (const name of record.ignored ?? []) {
    if (keysOf(name).length > 0) state.ignoring.add(person, name);
  }
}

/** Writes down the state. */
export function writeSnapshot(
  state: State,
  rest: Pick<Snapshot, "servers" | "gone" | "guests" | "settings">,
): string {
  const snapshot: Snapshot = {
    ...rest,
    rooms: Array.from(state.rooms.all, ({ name, lastId }) => [name, lastId] as const),
    people: Array.from(state.members, (person) => ({ ...recordOf(person), home: person.home })),
    once: Array.from(state.once.all, ([ref, { id, room }]) => [ref, id, room] as const),
  };
  return JSON.stringify({ v: VERSION, ...snapshot });
}

/** Reads what was written; undefined if it is something else, or of another version. */
export function readSnapshot(text: string): Snapshot | undefined {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isText = (value: unknown) => typeof value === "string";
  const isRow = (row: unknown, ...checks: ((value: unknown) => boolean)[]) =>
    Array.isArray(row) && checks.every((check, index) => check(row[index]));
  try {
    const snapshot = JSON.parse(text);
    const { v, servers, gone, guests, settings, rooms, people, once } = snapshot;
    const isOurs = v === VERSION && isCount(guests) && gone.every(isText) &&
      servers.every((row: unknown) => isRow(row, isText, isCount)) &&
      settings.every((row: unknown) => isRow(row, isText, isText)) &&
      rooms.every((row: unknown) => isRow(row, isText, isCount)) &&
      once.every((row: unknown) => isRow(row, isText, isCount, isText)) &&
      people.every((person: Record<string, unknown>) =>
        isText(person.home) &&
        Object.entries(PERSON).every(([name, check]) => check(person[name]))
      );
    return isOurs ? snapshot : undefined;
  } catch {
    return undefined; // It is no JSON, or lacks something.
  }
}
