/** The stream of JetStream that a log is kept in, and the places where its state was written down. */

import type { JetStreamManager, MsgRequest, NextMsgRequest, StoredMsg } from "@nats-io/jetstream";
import { ConnectError } from "../../errors.ts";
import { reasonOf } from "../../internal/reason.ts";

/** For how long JetStream itself knows the ids of messages, in nanoseconds. Readers know them for longer. */
const DUPLICATE_WINDOW = 120 * 1e9;
/** How often a reader hears of a stream in which nothing happens, in nanoseconds. */
const HEARTBEAT = 1e9;
/** A reader that is gone is forgotten by the broker after this time, in nanoseconds. */
const FORGET_AFTER = 10 * 1e9;
/** Brokers in a cluster keep so many copies. */
const REPLICAS = 3;
/** The parts of a state are at most so long, in bytes. */
const MAX_PART_BYTES = 512 * 1024;
/** How far back states are looked for. */
const MAX_MARKS = 3;
/** In how many messages the last mark is looked for, if the last one of them is of somebody else. */
const MAX_LOOKS = 10_000;

/** JetStream's code for a stream that there is not. */
const NO_STREAM = 10059;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where a state was written down: what the state was after the entry `at`. */
interface Mark {
  readonly at: number;
  readonly parts: readonly number[];
  /** The mark before this one. */
  readonly previous?: number;
}

/** A state that was written down, as of the entry `at`. */
export interface SavedState {
  readonly at: number;
  readonly state: string;
}

/** One stream. */
export class LogStream {
  readonly name: string;
  /** The subject of entries. */
  readonly entries: string;
  /**
   * When the broker made it: so another one of the same name is known. Brokers in a cluster tell several times
   * to servers that want it at the same time.
   */
  #created: string | undefined;
  readonly #manager: JetStreamManager;
  readonly #prefix: string;
  readonly #marks: string;

  private constructor(manager: JetStreamManager, cluster: string) {
    this.#manager = manager;
    this.name = `lengthwise_${cluster}`;
    this.#prefix = `lengthwise.${cluster}.log`;
    this.entries = `${this.#prefix}.entries`;
    this.#marks = `${this.#prefix}.marks`;
  }

  /**
   * Opens the stream of a cluster, or makes it.
   *
   * @throws {ConnectError} if the broker cannot have it.
   */
  static async open(
    manager: JetStreamManager,
    { cluster, maxBytes, isClustered }: {
      cluster: string;
      maxBytes: number;
      isClustered: boolean;
    },
  ): Promise<LogStream> {
    const stream = new LogStream(manager, cluster);
    const subjects = [`${stream.#prefix}.>`];
    try {
      const { config, created } = await manager.streams.info(stream.name).catch((error) => {
        if (error.code !== NO_STREAM) throw error;
        return manager.streams.add({
          name: stream.name,
          description: "what happens in a chat of Lengthwise",
          subjects,
          storage: "file",
          retention: "limits",
          discard: "old",
          max_bytes: maxBytes,
          duplicate_window: DUPLICATE_WINDOW,
          num_replicas: isClustered ? REPLICAS : 1,
        });
      });
      if (config.subjects.join() !== subjects.join()) throw new Error("it has other subjects");
      if (!isClustered) stream.#created = created;
      return stream;
    } catch (cause) {
      throw new ConnectError(
        `Cannot keep the log of cluster ${cluster} in JetStream's stream ${stream.name}, of at most ` +
          `${maxBytes} bytes: ${reasonOf(cause)}`,
        { cause },
      );
    }
  }

  /** The number of the last entry, or 0. */
  async last(): Promise<number> {
    return (await this.#manager.streams.getMessage(this.name, { last_by_subj: this.entries }))
      ?.seq ?? 0;
  }

  /**
   * Whether the broker has lost entries up to a number: after a power cut, or without its files.
   *
   * @throws {Error} if it does not say.
   */
  async hasLost(last: number): Promise<boolean> {
    try {
      const { created, state } = await this.#manager.streams.info(this.name);
      return created !== (this.#created ?? created) || state.last_seq < last;
    } catch (error) {
      if ((error as { code?: number }).code === NO_STREAM) return true;
      throw error;
    }
  }

  /** Has the broker send the entries from a number on to a subject. Returns when it does. */
  async deliver(to: string, from: number): Promise<void> {
    await this.#manager.consumers.add(this.name, {
      deliver_subject: to,
      filter_subject: this.entries,
      ack_policy: "none",
      deliver_policy: "by_start_sequence",
      opt_start_seq: from,
      idle_heartbeat: HEARTBEAT,
      flow_control: true,
      inactive_threshold: FORGET_AFTER,
      mem_storage: true,
      num_replicas: 1,
    });
  }

  /** Writes down what the state was after an entry. `publish` returns the number that a message got. */
  async save(
    { at, state }: SavedState,
    publish: (subject: string, bytes: Uint8Array) => Promise<number>,
  ): Promise<void> {
    const bytes = encoder.encode(state);
    const parts: number[] = [];
    for (let from = 0; from === 0 || from < bytes.length; from += MAX_PART_BYTES) {
      const part = bytes.subarray(from, from + MAX_PART_BYTES);
      parts.push(await publish(`${this.#prefix}.state`, part));
    }
    const previous = (await this.#lastMark())?.seq;
    const mark: Mark = { at, parts, ...(previous === undefined ? {} : { previous }) };
    await publish(this.#marks, encoder.encode(JSON.stringify(mark)));
  }

  /**
   * A state that was written down, from which on all entries are there; undefined for one that began
   * with the first entry. It is one that was written some time ago, so that the entries since then tell
   * what was said last.
   *
   * @throws {ConnectError} if the log is not complete.
   */
  async load(): Promise<SavedState | undefined> {
    const { state: { first_seq: first, messages } } = await this.#manager.streams.info(this.name);
    const isWhole = messages === 0 || first === 1;
    let best: Mark | undefined;
    let found = await this.#lastMark();
    for (let n = 0; n < MAX_MARKS && found !== undefined; n++) {
      const { mark } = found;
      if (!isWhole && Math.min(mark.at + 1, ...mark.parts) < first) break;
      best = mark;
      if (mark.previous === undefined) break;
      found = foundIn(await this.#manager.streams.getMessage(this.name, { seq: mark.previous }));
    }
    if (best === undefined) {
      if (isWhole) return undefined;
      throw new ConnectError(`Cannot read stream ${this.name}: its beginning is missing`);
    }
    // All entries of a short log tell more than a state.
    if (isWhole && best.previous === undefined) return undefined;
    const parts: Uint8Array[] = [];
    for (const seq of best.parts) {
      const part = await this.#manager.streams.getMessage(this.name, { seq });
      if (part === null) throw new ConnectError(`Cannot read stream ${this.name}: a part is gone`);
      parts.push(part.data);
    }
    return { at: best.at, state: await new Blob(parts as BlobPart[]).text() };
  }

  async #lastMark(): Promise<Found | undefined> {
    const { streams } = this.#manager;
    const last = await streams.getMessage(this.name, { last_by_subj: this.#marks });
    const found = foundIn(last);
    if (last === null || found !== undefined) return found;
    // Somebody else has written there. The broker tells what came after a message, not what came before it.
    let best: Found | undefined;
    for (let looks = 0, seq = 0; looks < MAX_LOOKS && seq < last.seq; looks++) {
      const query: NextMsgRequest = { seq: seq + 1, next_by_subj: this.#marks };
      const next = await streams.getMessage(this.name, query as MsgRequest);
      if (next === null) break;
      best = foundIn(next) ?? best;
      seq = next.seq;
    }
    return best;
  }
}

/** A mark, and the number of its message. */
interface Found {
  readonly seq: number;
  readonly mark: Mark;
}

function foundIn(message: StoredMsg | null): Found | undefined {
  const mark = message === null ? undefined : markOf(message.data);
  return mark && { seq: message!.seq, mark };
}

/** Reads a mark; undefined if it is none of ours. */
function markOf(data: Uint8Array): Mark | undefined {
  try {
    const { at, parts, previous } = JSON.parse(decoder.decode(data));
    const isNumber = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
    if (!isNumber(at) || !Array.isArray(parts) || !parts.every(isNumber)) return undefined;
    return { at, parts, ...(isNumber(previous) ? { previous } : {}) };
  } catch {
    return undefined; // It is no JSON, so it is of somebody else.
  }
}
