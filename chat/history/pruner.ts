/**
 * Keeps the rooms of a history file within their limits. It does a little work with each message.
 */

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
  /** The bytes of all messages, also of forgotten rooms. */
  bytes: number;
  /** Rooms that have a name. */
  rooms: number;
  /** Rooms that are forgotten but not removed yet. */
  forgotten: number;
}

/** How many messages are removed at once. */
const BATCH = 32;

/** Old messages are looked for once in this many messages. */
const AGE_INTERVAL = 8;

/**
 * How many old messages are removed at once. This is the work of {@linkcode BATCH} for each
 * message.
 */
const AGE_BATCH = BATCH * AGE_INTERVAL;

/** How many batches one large message may remove. The rest waits for the next message. */
const MAX_BATCHES = 64;

/**
 * Removes messages that are too many or too old. The cost of each call is bounded. It grows with
 * what was added, and not with the size of the history. It runs inside the caller's transaction. If
 * that is undone, so are its counts.
 */
export class Pruner {
  readonly #sql: (sql: string) => StatementSync;
  readonly #limits: PruneLimits;
  #committed: Totals;
  #totals: Totals;
  /** The room in which old messages were looked for last. Each room gets its turn. */
  #looked = 0;
  #calls = 0;
  /** How many messages a room may have above its limit. So messages are removed in groups. */
  readonly #slack: number;

  /** Counts the rooms and bytes in the file. */
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

  /** Call it when the transaction is committed. The counts are then kept. */
  commit(): void {
    this.#committed = { ...this.#totals };
  }

  /** Call it when the transaction was undone. The counts are then undone too. */
  rollBack(): void {
    this.#totals = { ...this.#committed };
  }

  /**
   * Removes what exceeds a limit after the message `id` was added to a room. This message itself is
   * not removed.
   */
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

  /** Removes the names of the rooms that were silent for the longest time. */
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

  /**
   * Removes messages of the room that has most bytes. So a flood in one room costs only that room.
   */
  #shrink(added: number, id: number): void {
    const largest = this.#sql(
      `SELECT id, count FROM rooms WHERE bytes > 0 AND NOT (id = ? AND count = 1)
       ORDER BY bytes DESC LIMIT 1`,
    ).get(added);
    if (largest === undefined) return;
    this.#remove(largest.id as number, BATCH, id);
  }

  /** Removes the oldest messages of a room. Returns how many were removed. */
  #remove(room: number, count: number, before = Number.MAX_SAFE_INTEGER): number {
    const removed = this.#sql(
      `DELETE FROM messages WHERE room = ?1 AND id IN
         (SELECT id FROM messages WHERE room = ?1 AND id < ?2 ORDER BY id LIMIT ?3)
       RETURNING bytes`,
    ).all(room, before, count);
    this.#discount(room, removed);
    return removed.length;
  }

  /**
   * Removes those of the oldest messages of a room that are too old. Each call takes the next room.
   */
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
