/** Keeps the rooms of a history file within their limits, a little with each message. */

import type { StatementSync } from "node:sqlite";

/** Limits of a history file. */
export interface PruneLimits {
  readonly maxMessages: number;
  readonly maxRooms: number;
  readonly maxBytes: number;
  /** Milliseconds. */
  readonly maxAge: number;
  readonly now: () => number;
}

/** What is in the file. */
interface Totals {
  /** Of all messages, those of forgotten rooms included. */
  bytes: number;
  /** Rooms that have a name. */
  rooms: number;
  /** Rooms that are forgotten and not yet removed. */
  forgotten: number;
}

/** Messages to remove at once. */
const BATCH = 32;

/** Messages that come between two looks for old ones. */
const AGE_INTERVAL = 8;

/** What one look for old messages may remove: the work of {@linkcode BATCH} with each message. */
const AGE_BATCH = BATCH * AGE_INTERVAL;

/** How many batches may follow one large message; more wait for the next. */
const MAX_BATCHES = 64;

/**
 * Removes what is too much or too old. The cost of each call is bounded, and grows with what was
 * added, not with what there is. Runs inside the caller's transaction, and counts with it.
 */
export class Pruner {
  readonly #sql: (sql: string) => StatementSync;
  readonly #limits: PruneLimits;
  #committed: Totals;
  #totals: Totals;
  /** The room in which old messages were looked for last: all get their turn. */
  #looked = 0;
  #calls = 0;
  /** How far a room may exceed its limit, so that not every message has to remove one. */
  readonly #slack: number;

  /** Counts what is there. */
  constructor(sql: (sql: string) => StatementSync, limits: PruneLimits) {
    this.#sql = sql;
    this.#limits = limits;
    this.#slack = Math.min(BATCH - 1, Math.floor(limits.maxMessages / 16));
    const totals = sql(
      `SELECT coalesce(sum(bytes), 0) AS bytes, count(name) AS rooms,
         count(*) - count(name) AS forgotten FROM rooms`,
    ).get()!;
    this.#committed = { ...totals } as unknown as Totals;
    this.#totals = { ...this.#committed };
  }

  /** The time before which messages are too old. */
  oldest(): number {
    return Math.floor(this.#limits.now() - this.#limits.maxAge);
  }

  /** Counts what was added. */
  count(added: { readonly bytes: number; readonly rooms: number }): void {
    this.#totals.bytes += added.bytes;
    this.#totals.rooms += added.rooms;
  }

  /** The transaction holds: so do the counts. */
  commit(): void {
    this.#committed = { ...this.#totals };
  }

  /** The transaction was undone: so are the counts. */
  rollBack(): void {
    this.#totals = { ...this.#committed };
  }

  /** Removes what is too much after the message `id` was added to a room. It stays itself. */
  prune(room: number, id: number): void {
    const { maxMessages, maxRooms, maxBytes } = this.#limits;
    const row = this.#sql("SELECT count FROM rooms WHERE id = ?").get(room)!;
    const surplus = row.count as number - maxMessages;
    if (surplus > this.#slack) this.#remove(room, Math.min(surplus, BATCH));
    if (this.#totals.rooms > maxRooms) this.#forgetRooms(this.#totals.rooms - maxRooms);
    if (this.#totals.forgotten > 0) this.#removeForgotten();
    for (let n = 0; this.#totals.bytes > maxBytes && n < MAX_BATCHES; n++) this.#shrink(room, id);
    if (++this.#calls % AGE_INTERVAL === 0) this.#removeOld();
  }

  /** Takes the names of the rooms that were silent for longest. */
  #forgetRooms(surplus: number): void {
    this.#sql(
      `UPDATE rooms SET name = NULL WHERE id IN
         (SELECT id FROM rooms WHERE name IS NOT NULL ORDER BY last LIMIT ?)`,
    ).run(surplus);
    this.#totals.rooms -= surplus;
    this.#totals.forgotten += surplus;
  }

  #removeForgotten(): void {
    const { id } = this.#sql("SELECT id FROM rooms WHERE name IS NULL LIMIT 1").get()!;
    if (this.#remove(id as number, BATCH) === BATCH) return;
    this.#sql("DELETE FROM rooms WHERE id = ?").run(id);
    this.#totals.forgotten--;
  }

  /** Takes from the room that holds most, so that a flood costs its own room alone. */
  #shrink(added: number, id: number): void {
    const largest = this.#sql(
      `SELECT id, count FROM rooms WHERE bytes > 0 AND NOT (id = ? AND count = 1)
       ORDER BY bytes DESC LIMIT 1`,
    ).get(added);
    if (largest === undefined) return;
    this.#remove(largest.id as number, BATCH, id);
  }

  /** Removes the oldest messages of a room; returns how many. */
  #remove(room: number, count: number, before = Number.MAX_SAFE_INTEGER): number {
    const removed = this.#sql(
      `DELETE FROM messages WHERE room = ?1 AND id IN
         (SELECT id FROM messages WHERE room = ?1 AND id < ?2 ORDER BY id LIMIT ?3)
       RETURNING bytes`,
    ).all(room, before, count);
    this.#discount(room, removed);
    return removed.length;
  }

  /** Removes what is too old among the oldest messages of the room whose turn it is. */
  #removeOld(): void {
    const next = "SELECT id FROM rooms WHERE id > ? ORDER BY id LIMIT 1";
    const room = (this.#sql(next).get(this.#looked) ?? this.#sql(next).get(0))!.id as number;
    this.#looked = room;
    const removed = this.#sql(
      `DELETE FROM messages WHERE room = ?1 AND time < ?2 AND id IN
         (SELECT id FROM messages WHERE room = ?1 ORDER BY id LIMIT ?3)
       RETURNING bytes`,
    ).all(room, this.oldest(), AGE_BATCH);
    this.#discount(room, removed);
  }

  #discount(room: number, removed: readonly Record<string, unknown>[]): void {
    if (removed.length === 0) return;
    const bytes = removed.reduce((sum, row) => sum + (row.bytes as number), 0);
    this.#sql("UPDATE rooms SET count = count - ?, bytes = bytes - ? WHERE id = ?")
      .run(removed.length, bytes, room);
    this.#totals.bytes -= bytes;
  }
}
