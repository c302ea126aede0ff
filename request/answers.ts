/** The peer's requests, and the handlers that answer them. */

import { Deque } from "@std/data-structures";
import { ProtocolError, RequestError } from "../errors.ts";
import { cancelled } from "./failures.ts";
import type { MessageReader } from "./message_reader.ts";
import type { Output } from "./output.ts";
import type { Telemetry } from "../internal/telemetry.ts";
import { Replies, type ReplySettings } from "./replies.ts";
import { isThenable } from "./results.ts";
import type { RequestTotals } from "./totals.ts";
import type { RequestPeer } from "./types.ts";
import { decodeValue } from "./values.ts";
import {
  type Allowance,
  ANSWERING,
  encodeCredit,
  encodeError,
  HAS_ITEMS,
  HAS_KEY,
  HAS_TRACE,
  Type,
  WANTS_STREAM,
  type Window,
} from "./wire.ts";
import { type Handler, Work } from "./work.ts";

/** What a REQUEST may have besides its id, its method and its params. */
const ALL_FLAGS = WANTS_STREAM | HAS_ITEMS | HAS_TRACE | HAS_KEY;

/** The settings for all requests of one peer. */
export interface AnswerSettings extends ReplySettings {
  /** The handlers, by method. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** How many requests and bytes the peer may have without an answer. */
  readonly allowance: Allowance;
  /** How many handlers may run at a time. */
  readonly maxConcurrent: number;
  /** How many of a caller's items may wait to be read. */
  readonly window: Window;
  /** Traces the handlers. */
  readonly telemetry: Telemetry | undefined;
  /** Counts the answers. */
  readonly totals: RequestTotals | undefined;
}

/** Takes requests and calls handlers. Each request gets exactly one reply. */
export class Answers {
  received = 0;
  refused = 0;

  readonly #peer: RequestPeer;
  readonly #output: Output;
  readonly #settings: AnswerSettings;
  readonly #replies: Replies;
  /** Requests without an answer, and answered requests whose items still come. */
  readonly #works = new Map<number, Work>();
  readonly #queue = new Deque<Work>();
  #bytes = 0;
  #lastId = 0;
  #running = 0;
  #isStarting = false;
  #idle: (() => void) | undefined;
  #isOver = false;

  constructor(peer: RequestPeer, output: Output, settings: AnswerSettings) {
    this.#peer = peer;
    this.#output = output;
    this.#settings = settings;
    this.#replies = new Replies(output, settings, (work) => this.#answered(work));
  }

  /** How many requests are not finished. */
  get handling(): number {
    return this.#works.size;
  }

  /** Resolves when nobody waits for an answer any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isIdle()) resolve();
      else this.#idle = resolve;
    });
  }

  #isIdle(): boolean {
    for (const { state } of this.#works.values()) if (state !== "cancelled") return false;
    return true;
  }

  /** Takes a REQUEST, CANCEL, ITEM, END or CREDIT of the caller. */
  take(reader: MessageReader, bytes: number): void {
    if (reader.type >= Type.request && reader.type <= (Type.request | ALL_FLAGS)) {
      return this.#request(reader, bytes);
    }
    const id = reader.varint();
    const work = this.#works.get(id);
    if (id > this.#lastId) throw reader.misfit(id);
    switch (reader.type) {
      case Type.cancel:
        reader.end();
        if (work !== undefined) this.#cancel(work);
        return; // Otherwise the answer is on its way already.
      case Type.credit: {
        const credit = { items: reader.varint(), bytes: reader.varint() };
        reader.end();
        if (work === undefined) return; // As above.
        if (!work.grant(credit)) break;
        return;
      }
      case Type.item:
        if (work === undefined || !work.hasItems) break;
        return this.#item(work, reader, bytes);
      case Type.end:
        if (work === undefined || !work.hasItems) break;
        reader.end();
        work.endItems();
        if (work.state === "answered") this.#forget(work);
        return;
    }
    throw reader.misfit(id);
  }

  #request(reader: MessageReader, bytes: number): void {
    const { kind } = reader;
    const id = reader.varint();
    const method = reader.shortText();
    const window = (reader.type & WANTS_STREAM) === 0
      ? undefined
      : { items: reader.varint(), bytes: reader.varint() };
    const context = (reader.type & HAS_TRACE) === 0 ? undefined : reader.trace();
    const key = (reader.type & HAS_KEY) === 0 ? undefined : reader.shortText();
    const value = reader.value();
    if (id <= this.#lastId) {
      throw new ProtocolError(
        `Cannot take request ${id}: ids must rise, the last was ${this.#lastId}`,
      );
    }
    this.#lastId = id;
    this.received++;
    const hasItems = (reader.type & HAS_ITEMS) !== 0;
    if (!this.#isAllowed(bytes)) return this.#refuse(id, method, hasItems);

    const handler = this.#settings.handlers.get(method);
    let params: unknown;
    let refusal: RequestError | undefined;
    if (handler === undefined) {
      refusal = new RequestError(
        "unknown-method",
        `Cannot answer ${method}: there is no such method`,
      );
    } else {
      try {
        params = decodeValue(kind, value);
      } catch {
        refusal = new RequestError(
          "invalid-params",
          `Cannot answer ${method}: params are not JSON`,
        );
      }
    }
    const work = new Work(
      this.#peer,
      id,
      method,
      params,
      bytes,
      window,
      this.#settings.window,
      this.#grant,
    );
    work.hasItems = hasItems;
    work.context = context;
    work.key = key;
    this.#works.set(id, work);
    this.#bytes += bytes;
    if (refusal !== undefined) this.#replies.fail(work, refusal);
    else if (this.#running < this.#settings.maxConcurrent) this.#start(work, handler!);
    else this.#queue.pushBack(work);
  }

  #isAllowed(bytes: number): boolean {
    const { allowance } = this.#settings;
    return this.#works.size === 0 ||
      this.#works.size < allowance.requests && this.#bytes + bytes <= allowance.bytes;
  }

  /** Refuses a request beyond the allowance at once, so that nothing of it has to be kept. */
  #refuse(id: number, method: string, hasItems: boolean): void {
    this.refused++;
    const { requests, bytes } = this.#settings.allowance;
    const limits = `${requests} requests and ${bytes} bytes are allowed at a time`;
    if (hasItems || this.#output.full) {
      throw new ProtocolError(`Cannot take request ${id}: ${limits}`);
    }
    const error = encodeError(id, "busy", `Cannot answer ${method}: ${limits}`, undefined);
    this.#output.trySend(error);
  }

  readonly #grant = (work: Work, credit: Window): void => {
    if (!work.hasItems || work.state === "answered") return;
    this.#output.trySend(encodeCredit(ANSWERING | Type.credit, work.id, credit));
  };

  #start(work: Work, handler: Handler): void {
    work.state = "running";
    this.#running++;
    const { telemetry, totals } = this.#settings;
    if (totals !== undefined) work.startedAt = performance.now();
    if (telemetry === undefined) return this.#call(work, handler);
    work.trace = telemetry.handling(work.method, work.context);
    work.trace.run(() => this.#call(work, handler));
  }

  #call(work: Work, handler: Handler): void {
    let result: unknown;
    let isLater = false;
    try {
      result = handler(work.params, work);
      isLater = isThenable(result);
    } catch (error) {
      this.#replies.fail(work, error);
      return;
    }
    if (isLater) this.#await(work, result as PromiseLike<unknown>);
    else this.#replies.finish(work, result);
  }

  async #await(work: Work, result: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await result;
    } catch (error) {
      this.#replies.fail(work, error);
      return;
    }
    this.#replies.finish(work, value);
  }

  #cancel(work: Work): void {
    const reason = cancelled(work.method);
    work.endItems({ error: reason });
    if (work.state === "answered") return this.#forget(work);
    if (work.state === "queued") {
      const wasQueued = this.#queue.removeFirst((other) => other === work) !== undefined;
      if (wasQueued) this.#replies.fail(work, reason); // Otherwise its refusal waits to be sent.
      return;
    }
    work.state = "cancelled";
    work.abort(reason);
  }

  #item(work: Work, reader: MessageReader, bytes: number): void {
    const { kind } = reader;
    const value = reader.value();
    let item: unknown;
    let error: { readonly error: unknown } | undefined;
    try {
      if (work.state === "running") item = decodeValue(kind, value);
    } catch (cause) {
      const text = `Cannot read items of ${work.method}: they are not JSON`;
      error = { error: new RequestError("invalid-params", text, { cause }) };
    }
    if (!work.put(item, bytes, error)) {
      throw new ProtocolError(`Cannot take item of request ${work.id}: it has no credit`);
    }
  }

  #answered(work: Work): void {
    if (work.state === "running" || work.state === "cancelled") this.#running--;
    work.state = "answered";
    if (work.trace !== undefined || work.startedAt > 0) this.#told(work);
    work.release();
    if (!work.hasItems || this.#isOver) this.#forget(work);
    this.#startQueued();
  }

  /** Tells those who watch how the handler's answer went. */
  #told(work: Work): void {
    const { method, trace, startedAt, failure = this.#isOver ? "cancelled" : undefined } = work;
    trace?.end(failure);
    if (startedAt > 0) {
      this.#settings.totals?.answered(method, failure, performance.now() - startedAt);
    }
  }

  #forget(work: Work): void {
    if (this.#works.delete(work.id)) this.#bytes -= work.bytes;
    if (this.#idle !== undefined && this.#isIdle()) this.#idle();
  }

  #startQueued(): void {
    if (this.#isStarting) return; // So that handlers that finish at once do not nest.
    this.#isStarting = true;
    while (!this.#queue.isEmpty() && this.#running < this.#settings.maxConcurrent) {
      const work = this.#queue.popFront()!;
      this.#start(work, this.#settings.handlers.get(work.method)!);
    }
    this.#isStarting = false;
  }

  /**
   * The caller has ended, and sends no items, credit or CANCEL any more. The signals of running
   * handlers are aborted, and streams end. A value that a handler still gives is sent: the caller
   * may still read.
   */
  callerEnded(error: unknown): void {
    for (const work of [...this.#works.values()]) {
      work.endItems({ error });
      if (work.state === "answered") this.#forget(work);
      else work.abort(error);
    }
  }

  /** Nothing can be answered any more. The signals of running handlers are aborted. */
  stop(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#replies.stop();
    this.#queue.clear();
    for (const work of [...this.#works.values()]) {
      work.hasItems = false;
      const isRunning = work.state === "running";
      work.abort(error);
      if (!isRunning && work.state !== "cancelled") this.#forget(work);
    }
  }
}
