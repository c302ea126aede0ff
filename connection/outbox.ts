/** Frames that wait to be written, in blocks: one write takes one block. */

import { Deque } from "@std/data-structures";
import type { Framing } from "../codec.ts";
import {
  BLOCK_BYTES,
  KEPT_SMALL_BLOCKS,
  type Memory,
  SHARED_BLOCKS,
  SMALL_BLOCKS,
} from "../internal/memory.ts";
import type { Convoy } from "./convoy.ts";
import { type Entry, newEntry, relationTo } from "./entry.ts";
import { MAX_SHARED_BYTES, type Run, runOf } from "./run.ts";

/** The additional cost of a message in a block of its own, so that many tiny messages are limited. */
const ENTRY_COST = 64;

/** Frames that are side by side in the block of a run. */
type RunPart = Pick<Convoy, "run" | "block" | "bytes" | "messages">;

/**
 * Collects frames and gives them out in chunks for writing.
 *
 * - A small message is copied into a block, behind its header.
 * - Of a large message only the first block is copied, so that header and body begin in one write. The
 *   rest is written from where it is.
 * - A frame for many connections is not copied, unless other frames come between: all outboxes write it
 *   from one shared run.
 */
export class Outbox {
  /** Whether the transport keeps what was written, so that the memory cannot be used again. */
  readonly keeps: boolean;
  /** The cost without the convoy. A plain number, because it is looked at for each message. */
  ownCost = 0;
  #framing: Framing;
  readonly #blocks: Memory;
  /** Created for the first message. */
  #entries: Deque<Entry> | undefined;
  /** The last entry, as long as small messages can be added to it. `push()` tries it first. */
  #open: Entry | undefined;
  #written = 0;
  /** How much of the cost is not bytes. */
  #extraCost = 0;
  /** The size of the next block: small for connections that send little at a time. */
  #blockBytes = SMALL_BLOCKS.bytes;
  /** Looked up when the first shared frame is pushed. */
  #run: Run | undefined;
  /** What waits behind the entries, as long as it grows together with others. */
  #convoy: Convoy | undefined;
  /** As whom it travels along. */
  #traveller: object | undefined;

  /** Assembles frames in blocks of `blocks`. */
  constructor(framing: Framing, blocks: Memory = SHARED_BLOCKS) {
    this.#framing = framing;
    this.#blocks = blocks;
    this.keeps = blocks.keeps === true;
  }

  /** How many bytes wait, with headers. */
  get bytes(): number {
    return this.cost - this.#extraCost;
  }

  /** How many bytes wait, plus the cost of blocks with a single message. The limits apply to this. */
  get cost(): number {
    return this.#convoy === undefined ? this.ownCost : this.ownCost + this.#convoy.bytes;
  }

  /** Whether nothing waits, not even an empty message. */
  get isEmpty(): boolean {
    return this.#convoy === undefined && (this.#entries === undefined || this.#entries.isEmpty());
  }

  /** The cost of the entry that is written now, or next. `dropOldest()` does not drop it. */
  get startedCost(): number {
    const first = this.#entries?.peekFront();
    if (first === undefined) return 0;
    const own = this.#framing.isApart ? ENTRY_COST : 0;
    return first.rest.reduce((sum, part) => sum + part.length, own + first.used - this.#written);
  }

  /** Frames what is added from now on by another framing. */
  useFraming(framing: Framing): void {
    this.leaveConvoy();
    this.#framing = framing;
    this.#run = undefined;
  }

  /** Adds a message's frame, `frameBytes` long. */
  push(message: Uint8Array, frameBytes: number, isText?: boolean): void {
    const open = this.#open;
    if (open === undefined || open.block.length - open.used < frameBytes) {
      return this.#pushElsewhere(message, frameBytes, isText);
    }
    this.ownCost += frameBytes;
    open.used = this.#framing.encodeInto(message, open.block, open.used, isText);
    open.messages++;
  }

  #pushElsewhere(message: Uint8Array, frameBytes: number, isText: boolean | undefined): void {
    const entry = this.#entryFor(frameBytes);
    if (entry.block.length - entry.used < frameBytes) {
      return this.#fill(entry, this.#framing.encodeParts(message, isText));
    }
    entry.used = this.#framing.encodeInto(message, entry.block, entry.used, isText);
  }

  /** Adds a message that is a frame already. The frame must not change any more. */
  pushFrame(frame: Uint8Array): void {
    if (frame.length <= MAX_SHARED_BYTES && this.#extend(frame)) return;
    const entry = this.#entryFor(frame.length);
    if (entry.block.length - entry.used >= frame.length) {
      entry.block.set(frame, entry.used);
      entry.used += frame.length;
    } else {
      this.#fill(entry, [frame]);
    }
  }

  /**
   * Adds a frame where it lies in the run, without copying it again. Returns false, unless the frame
   * directly follows the last entry, begins the next block of the run, or nothing else waits. So an
   * outbox keeps at most one block of a run in memory for only a few frames.
   */
  #extend(frame: Uint8Array): boolean {
    if (this.keeps || this.#framing.isApart) return false;
    this.leaveConvoy();
    const run = this.#run ??= runOf(this.#framing);
    run.put(frame);
    const relation = relationTo(this.#entries?.peekBack(), run.block, run.start, frame.length);
    if (relation === "elsewhere") return false;
    const [block, bytes] = [run.block.subarray(run.start), frame.length];
    this.#addRun(relation, { run: run.block, block, bytes, messages: 1 });
    return true;
  }

  #addRun(relation: "follows" | "begins", part: RunPart): void {
    const { run, block, bytes, messages } = part;
    this.ownCost += bytes;
    const entries = this.#entries ??= new Deque<Entry>();
    const last = entries.peekBack();
    if (relation === "begins" || last === undefined) {
      entries.pushBack({ block, used: bytes, rest: [], messages, run, memory: undefined });
    } else {
      last.used += bytes;
      last.messages += messages;
    }
  }

  /**
   * Gets the frames of a convoy from now on, as a `traveller`, until it is written or gets something
   * else. Returns false where the first of them could not be shared.
   */
  joinConvoy(convoy: Convoy, traveller: object): boolean {
    if (this.keeps || this.#framing.isApart) return false;
    this.leaveConvoy();
    const { run, start, bytes } = convoy;
    if (relationTo(this.#entries?.peekBack(), run, start, bytes) === "elsewhere") return false;
    convoy.join();
    this.#convoy = convoy;
    this.#traveller = traveller;
    this.#open = undefined;
    return true;
  }

  /** Whether it travels along with this convoy. */
  isIn(convoy: Convoy): boolean {
    return this.#convoy === convoy;
  }

  /** Leaves its convoy, if it has one. What is there so far is here then. */
  leaveConvoy(): void {
    if (this.#convoy !== undefined) this.#leave(this.#convoy);
  }

  #leave(convoy: Convoy): void {
    this.#convoy = undefined;
    const { run, start, bytes } = convoy;
    // It was not elsewhere when it joined, and nothing was added since; but what waited may be written.
    const last = this.#entries?.peekBack();
    const relation = relationTo(last, run, start, bytes) === "follows" ? "follows" : "begins";
    this.#addRun(relation, convoy);
    convoy.leave(this.#traveller!);
    this.#traveller = undefined;
  }

  /** The entry to which one more message is added. */
  #entryFor(frameBytes: number): Entry {
    this.leaveConvoy();
    this.ownCost += frameBytes;
    const open = this.#open;
    if (open !== undefined && open.block.length - open.used >= frameBytes) {
      open.messages++;
      return open;
    }
    const entries = this.#entries ??= new Deque<Entry>();
    if (this.#framing.isApart) {
      const entry = newEntry(new Uint8Array(frameBytes), this.#blocks);
      this.#addExtraCost(ENTRY_COST);
      entries.pushBack(entry);
      return entry;
    }
    const last = entries.peekBack();
    if (last !== undefined && last.rest.length === 0 && this.#ensureSpace(last, frameBytes)) {
      last.messages++;
      return this.#open = last;
    }
    if (last !== undefined) this.#blockBytes = this.#blocks.bytes;
    const memory = this.#memoryFor(Math.max(frameBytes, this.#blockBytes));
    const entry = newEntry(memory.take(), memory);
    entries.pushBack(entry);
    this.#open = frameBytes <= entry.block.length ? entry : undefined;
    return entry;
  }

  #addExtraCost(cost: number): void {
    this.ownCost += cost;
    this.#extraCost += cost;
  }

  /**
   * Adds bytes as they are: a message's frame, or bytes that are not a message. They must not change
   * until they were written. Then they go back to `memory`, if it is given.
   */
  pushRaw(bytes: Uint8Array, messages = 0, memory?: Memory): void {
    this.leaveConvoy();
    this.ownCost += bytes.length;
    this.#open = undefined;
    if (this.#framing.isApart) this.#addExtraCost(ENTRY_COST);
    const entry = { block: bytes, used: bytes.length, rest: [], messages, run: undefined, memory };
    (this.#entries ??= new Deque<Entry>()).pushBack(entry);
  }

  /**
   * Copies as much of a large frame as fits in the block. Of what is left, parts above 64 KiB are not
   * copied; a smaller part, such as a header, is.
   */
  #fill(entry: Entry, parts: Uint8Array[]): void {
    for (const part of parts) {
      const copied = part.subarray(0, entry.block.length - entry.used);
      entry.block.set(copied, entry.used);
      entry.used += copied.length;
      if (copied.length === part.length) continue;
      const rest = part.subarray(copied.length);
      entry.rest.push(part.length > BLOCK_BYTES ? rest : rest.slice());
    }
  }

  /** The next chunk to write. It stays in the outbox until `advance()`. */
  peek(): Uint8Array | undefined {
    this.leaveConvoy();
    const first = this.#entries?.peekFront();
    if (first === undefined) return undefined;
    if (this.#written < first.used || first.rest.length === 0) {
      return first.block.subarray(this.#written, first.used);
    }
    return first.rest[0];
  }

  /** Whether a message ends at the end of the chunk that `peek()` gives. */
  get endsMessage(): boolean {
    const first = this.#entries?.peekFront();
    return first?.rest.length === (first !== undefined && this.#written < first.used ? 0 : 1);
  }

  /** The first `bytes` of the chunk were written. Returns how many messages are complete by that. */
  advance(bytes: number): number {
    const first = this.#entries!.peekFront()!;
    this.ownCost -= bytes;
    if (this.#written < first.used) {
      this.#written += bytes;
    } else if (bytes === first.rest[0]?.length) {
      first.rest.shift();
    } else if (bytes > 0) {
      first.rest[0] = first.rest[0].subarray(bytes);
    }
    if (this.#written < first.used || first.rest.length > 0) return 0;
    this.#entries!.popFront();
    if (this.#framing.isApart) this.#addExtraCost(-ENTRY_COST);
    if (first === this.#open) this.#open = undefined;
    this.#written = 0;
    if (this.#entries!.isEmpty() && first.used < SMALL_BLOCKS.bytes) {
      this.#blockBytes = SMALL_BLOCKS.bytes;
    }
    first.memory?.recycle(first.block);
    return first.messages;
  }

  /** Drops the oldest block of messages that is not being written. Returns how many messages it had. */
  dropOldest(): number {
    this.leaveConvoy();
    const started = this.#entries?.popFront();
    const dropped = this.#entries?.popFront();
    if (started !== undefined) this.#entries!.pushFront(started);
    if (dropped === undefined) return 0;
    if (dropped === this.#open) this.#open = undefined;
    this.ownCost -= dropped.rest.reduce((sum, part) => sum + part.length, dropped.used);
    if (this.#framing.isApart) this.#addExtraCost(-ENTRY_COST);
    dropped.memory?.recycle(dropped.block);
    return dropped.messages;
  }

  get #smallBlocks(): Memory {
    return this.keeps ? KEPT_SMALL_BLOCKS : SMALL_BLOCKS;
  }

  #memoryFor(bytes: number): Memory {
    return bytes <= SMALL_BLOCKS.bytes ? this.#smallBlocks : this.#blocks;
  }

  /**
   * Makes sure that `bytes` more fit into an entry; returns false if they cannot. A small block, or
   * one that goes back nowhere, is replaced by a larger one. A write that is under way goes on with the
   * old block, which is not used again. A block that goes back to other memory is not replaced.
   */
  #ensureSpace(entry: Entry, bytes: number): boolean {
    const isOwn = entry.memory === this.#blocks || entry.memory === this.#smallBlocks;
    if (!isOwn && entry.memory !== undefined) return false;
    if (isOwn && entry.block.length - entry.used >= bytes) return true;
    const total = entry.used + bytes;
    const most = this.#blocks.bytes;
    if (total > most || isOwn && entry.block.length === most) return false;
    const old = entry.block;
    entry.memory = this.#memoryFor(total);
    entry.block = entry.memory.take();
    entry.block.set(old.subarray(0, entry.used));
    entry.run = undefined;
    return true;
  }

  /** A write that was under way at `release()` has written `bytes`. */
  wroteAfterRelease(bytes: number): void {
    this.ownCost -= bytes;
  }

  /** Drops everything. `bytes` still tells how much that was. */
  release(): void {
    this.leaveConvoy();
    this.#open = undefined;
    this.#addExtraCost(-this.#extraCost);
    this.#entries?.clear();
  }
}
