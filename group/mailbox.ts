/** One member of a group, caller or worker: its channels, and its lanes to others. */

import type { Backplane, BackplaneChannels, BackplaneLink } from "../backplane.ts";
import { printable } from "../internal/text.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameType,
  MAX_HEAD_BYTES,
  newId,
} from "./frames.ts";
import { Lane, type LaneFrame, type LaneOwner } from "./lane.ts";
import { decodeNotice, encodeNotice, type Notice } from "./notices.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array();

/** Who owns a mailbox. */
export interface MailboxOwner {
  /** How many requests this member has. */
  readonly load: number;
  /** Somebody of the other role has said something. */
  noticed(notice: Notice): void;
  /** A member has sent something over a lane, and has so many requests. */
  heard(member: string, load: number): void;
  /**
   * A caller opens a lane, which `open` makes. Returns why it may not, and false for one that was closed
   * before. A caller opens none.
   */
  opening?(caller: string, number: number, open: () => Lane): string | boolean;
  /** A lane is over. */
  laneClosed(lane: Lane): void;
  /** The backplane failed. */
  failed(error: unknown): void;
}

/** Sends and receives for one member. */
export class Mailbox implements LaneOwner {
  readonly id: string = newId();
  readonly maxPayloadBytes: number;
  /** How many messages came that are none of ours, or do not fit. */
  foreign = 0;
  /** How many frames came for lanes that are over. */
  late = 0;

  readonly #owner: MailboxOwner;
  readonly #link: BackplaneLink;
  readonly #channels: BackplaneChannels;
  readonly #others: string;
  readonly #ours: string;
  readonly #lanes = new Map<string, Lane>();
  #number = 0;
  #lastLane = 0;

  /**
   * Joins a group in a role.
   *
   * @throws {TypeError} if the backplane has no channels.
   */
  constructor(
    backplane: Backplane,
    readonly group: string,
    role: "caller" | "worker",
    owner: MailboxOwner,
  ) {
    this.#owner = owner;
    this.#link = backplane.attach({ deliver() {}, failed: (error) => owner.failed(error) });
    const { channels } = this.#link;
    if (channels === undefined) {
      this.#link.close();
      throw new TypeError(
        `Cannot use group ${JSON.stringify(group)}: its backplane has no channels`,
      );
    }
    this.#channels = channels;
    this.maxPayloadBytes = channels.maxMessageBytes - MAX_HEAD_BYTES;
    const [workers, callers] = [`group.workers.${group}`, `group.callers.${group}`];
    [this.#ours, this.#others] = role === "worker" ? [workers, callers] : [callers, workers];
    channels.subscribe(this.#others, (bytes) => this.#takeNotice(bytes));
    channels.subscribe(inboxOf(this.id), (bytes) => this.#takeFrame(bytes));
  }

  /** How many lanes there are. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Says something to all of the other role. */
  say(notice: WithoutHead<Notice>): void {
    const bytes = encodeNotice({ ...notice, id: this.id, number: ++this.#number } as Notice);
    this.#channels.publish(this.#ours, bytes);
  }

  /** Opens a lane to a worker. */
  open(worker: string): Lane {
    const number = ++this.#lastLane;
    return this.#add(new Lane(this, worker, number, `group:${this.id}`, `group:${worker}`));
  }

  /** See {@linkcode LaneOwner}. */
  send({ peer, number }: Lane, frame: LaneFrame): void {
    const bytes = encodeFrame({ ...frame, from: this.id, lane: number, load: this.#owner.load });
    this.#channels.publish(inboxOf(peer), bytes);
  }

  /** See {@linkcode LaneOwner}. */
  closed(lane: Lane): void {
    this.#lanes.delete(keyOf(lane.peer, lane.number));
    this.#owner.laneClosed(lane);
  }

  /** All lanes to a member are over. */
  lose(member: string, error: Error): void {
    for (const lane of [...this.#lanes.values()]) if (lane.peer === member) lane.fail(error);
  }

  /** Leaves the backplane. Lanes that are still there cannot say any more that they end. */
  close(): void {
    for (const lane of [...this.#lanes.values()]) lane.close();
    this.#link.close();
  }

  #add(lane: Lane): Lane {
    this.#lanes.set(keyOf(lane.peer, lane.number), lane);
    return lane;
  }

  #takeNotice(bytes: Uint8Array): void {
    const notice = decodeNotice(bytes);
    if (notice === undefined || notice.id === this.id) this.foreign++;
    else this.#do(() => this.#owner.noticed(notice));
  }

  #takeFrame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined) this.foreign++;
    else this.#do(() => this.#take(frame));
  }

  #take(frame: Frame): void {
    const { type, from, lane: number, load } = frame;
    const lane = this.#lanes.get(keyOf(from, number)) ?? this.#opened(frame);
    if (lane === undefined) {
      this.late++;
      return;
    }
    this.#owner.heard(from, load);
    if (type === FrameType.reset || type === FrameType.refuse) {
      lane.isRefused = type === FrameType.refuse && lane.takenBytes === 0;
      const reason = printable(decoder.decode(frame.payload));
      lane.fail(new Error(`the other end gave it up: ${reason}`));
    } else if (!lane.take(frame)) this.foreign++;
  }

  /** A lane that a caller opens. Whoever goes on with one that is over, is told. */
  #opened({ type, from, lane, offset }: Frame): Lane | undefined {
    if (type !== FrameType.data) return undefined;
    let opened: Lane | undefined;
    const open = () =>
      opened = this.#add(new Lane(this, from, lane, `group:${this.id}`, `group:${from}`));
    const answer = offset === 0 ? this.#owner.opening?.(from, lane, open) ?? false : false;
    if (answer === true) return opened;
    const isRefused = typeof answer === "string";
    this.#reply(from, lane, isRefused ? FrameType.refuse : FrameType.reset, {
      payload: encoder.encode(isRefused ? answer : "the lane is over"),
    });
    return undefined;
  }

  #reply(to: string, lane: number, type: number, { payload = NOTHING }): void {
    const bytes = encodeFrame({
      type,
      from: this.id,
      lane,
      offset: 0,
      taken: 0,
      load: this.#owner.load,
      payload,
    });
    this.#channels.publish(inboxOf(to), bytes);
  }

  /** What a message sets off must not reach the backplane as an error. */
  #do(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#owner.failed(error);
    }
  }
}

type WithoutHead<N> = N extends Notice ? Omit<N, "id" | "number"> : never;

function inboxOf(id: string): string {
  return `group.${id}`;
}

function keyOf(member: string, lane: number): string {
  return `${member} ${lane}`;
}
