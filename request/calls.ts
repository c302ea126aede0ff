/** The requests of this end. */

import { Deque } from "@std/data-structures";
import { ProtocolError, RequestError } from "../errors.ts";
import { checkDelay } from "../internal/check.ts";
import type { CallTrace, Telemetry, TraceContext } from "../internal/telemetry.ts";
import { printable } from "../internal/text.ts";
import { Call, type StartOptions } from "./call.ts";
import type { MessageReader } from "./message_reader.ts";
import { ItemTarget, type Output } from "./output.ts";
import { ItemReader, ItemWriter } from "./streams.ts";
import { Timeouts } from "./timeouts.ts";
import { decodeValue, encodeValue } from "./values.ts";
import {
  type Allowance,
  encodeBare,
  encodeCredit,
  encodeRequest,
  LEAST,
  Type,
  type Window,
} from "./wire.ts";

/** Calls that were given up stay in the queue until they are this many more than those that wait. */
const MAX_ABANDONED = 64;

/** The settings for all calls to one peer. */
export interface CallSettings {
  /** How many calls may be without an answer, even if the peer allows more. */
  readonly maxRequests: number;
  /** How many calls may wait to be sent. */
  readonly maxWaiting: number;
  /** How much of a stream may wait to be read. */
  readonly window: Window;
  /** The default time for an answer, in milliseconds, or `Infinity`. */
  readonly timeout: number;
  /** Traces the calls. */
  readonly telemetry: Telemetry | undefined;
}

/**
 * Sends requests in order, as many as the peer allows, and settles them. Each request that was sent
 * gets exactly one answer. A request that was given up keeps its id, and counts as unanswered,
 * until its answer has come. So no answer is ever taken for another request's, and both ends count
 * the same.
 */
export class Calls {
  sent = 0;
  late = 0;
  waiting = 0;

  readonly #output: Output;
  readonly #settings: CallSettings;
  readonly #outstanding = new Map<number, Call>();
  #queue = new Deque<Call>();
  readonly #timeouts = new Timeouts();
  #outstandingBytes = 0;
  #lastId = 0;
  #allowance: Allowance;
  /** Whether the peer has said what it allows. */
  #knowsAllowance = false;
  #wantsTurn = false;
  #failure: ((method: string) => Error) | undefined;

  constructor(output: Output, settings: CallSettings) {
    this.#output = output;
    this.#settings = settings;
    this.#allowance = LEAST;
  }

  /** How many calls were sent and have no answer. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** The peer has said what it allows. */
  allow(allowance: Allowance): void {
    this.#allowance = allowance;
    this.#knowsAllowance = true;
    for (const call of allowance.takesTraces ? [] : this.#queue) {
      call.message = call.untraced ?? call.message;
    }
    this.#sendWaiting();
  }

  /** Makes a request for one value. */
  request(method: string, params: unknown, options: StartOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#start(new Call(this, method, resolve, reject), params, options, undefined);
    });
  }

  /** Makes a request for a stream. It is sent when the first item is asked for. */
  stream(method: string, params: unknown, options: StartOptions): ItemReader<unknown> {
    const { window } = this.#settings;
    let call: Call | undefined;
    const reader = new ItemReader<unknown>(window, {
      begin: () => {
        const fail = (error: unknown) => reader.abort(error);
        call = new Call(this, method, () => {}, fail, reader);
        this.#start(call, params, { ...options, timeout: Infinity }, window);
      },
      grant: (credit) => {
        if (call?.state === "sent") {
          this.#output.trySend(encodeCredit(Type.credit, call.id, credit));
        }
      },
      stopped: () => call?.giveUp(),
    });
    return reader;
  }

  #start(call: Call, params: unknown, options: StartOptions, window: Window | undefined): void {
    const { telemetry } = this.#settings;
    if (telemetry === undefined) return this.#begin(call, params, options, window);
    call.trace = telemetry.calling(call.method);
    try {
      this.#begin(call, params, options, window);
    } catch (error) {
      call.trace.end(error);
      throw error;
    }
  }

  #begin(call: Call, params: unknown, options: StartOptions, window: Window | undefined): void {
    if (this.#failure !== undefined) throw this.#failure(call.method);
    const { signal, timeout = this.#settings.timeout, items, key } = options;
    if (timeout !== Infinity) checkDelay("timeout", timeout);
    const encoded = encodeValue(params, `params of ${call.method}`); // May run code of the program.
    signal?.throwIfAborted();
    call.id = ++this.#lastId;
    let context: TraceContext | undefined;
    if (call.trace !== undefined) {
      context = this.#contextOf(call.trace);
      if (context !== undefined && !this.#knowsAllowance) {
        const { id, method } = call;
        const hasItems = items !== undefined;
        call.untraced = encodeRequest(id, method, encoded, window, hasItems, undefined, key)
          .slice();
      }
    }
    const message = encodeRequest(
      call.id,
      call.method,
      encoded,
      window,
      items !== undefined,
      context,
      key,
    );
    if (items !== undefined) call.items = items;
    if (this.waiting === 0 && this.#mayGo(call, message.length)) this.#transmit(call, message);
    else this.#wait(call, message);
    if (signal !== undefined) call.watch(signal);
    if (timeout !== Infinity) call.expireAfter(timeout, this.#timeouts);
  }

  /** The trace context to send, unless the peer has said that it takes none. */
  #contextOf({ context }: CallTrace): TraceContext | undefined {
    return this.#knowsAllowance && !this.#allowance.takesTraces ? undefined : context;
  }

  /** Without the peer's HELLO nothing large is sent, and no trace context. */
  #mayGo({ untraced }: Call, bytes: number): boolean {
    const count = this.#outstanding.size;
    return !this.#output.full && count < this.#allowance.requests &&
      count < this.#settings.maxRequests &&
      (count === 0 || this.#outstandingBytes + bytes <= this.#allowance.bytes) &&
      (this.#knowsAllowance || untraced === undefined && bytes <= this.#output.maxMessageBytes);
  }

  #wait(call: Call, message: Uint8Array): void {
    if (this.waiting >= this.#settings.maxWaiting) {
      throw new RequestError(
        "busy",
        `Cannot request ${call.method}: ${this.waiting} requests wait already`,
      );
    }
    call.message = message.slice();
    this.waiting++;
    this.#queue.pushBack(call);
    if (this.#output.full) this.#askForTurn();
  }

  #askForTurn(): void {
    if (this.#wantsTurn) return;
    this.#wantsTurn = true;
    this.#output.later(() => {
      this.#wantsTurn = false;
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    for (let call = this.#queue.peekFront(); call !== undefined; call = this.#queue.peekFront()) {
      if (call.state === "waiting") {
        if (!this.#mayGo(call, call.message!.length)) break;
        this.waiting--;
        this.#queue.popFront();
        try {
          this.#transmit(call, call.message!);
        } catch (error) {
          call.fail(error);
        }
      } else this.#queue.popFront();
    }
    if (this.#output.full && this.waiting > 0) this.#askForTurn();
  }

  #transmit(call: Call, message: Uint8Array): void {
    this.#output.send(message);
    this.sent++;
    call.message = call.untraced = undefined;
    call.state = "sent";
    call.bytes = message.length;
    this.#outstandingBytes += message.length;
    this.#outstanding.set(call.id, call);
    if (call.items !== undefined) this.#sendItems(call, call.items);
  }

  async #sendItems(
    call: Call,
    items: AsyncIterable<unknown> | Iterable<unknown>,
  ): Promise<void> {
    const { id, method } = call;
    const output = this.#output;
    const writer = call.writer = new ItemWriter(new ItemTarget(output, Type.item, id, method));
    try {
      if (!await writer.run(items) || call.state !== "sent") return;
      output.trySend(encodeBare(Type.end, id));
      call.writer = undefined;
    } catch (error) {
      call.giveUp(error);
    }
  }

  /** A call was given up. */
  abandoned(call: Call, wasSent: boolean): void {
    if (wasSent) {
      this.#output.trySend(encodeBare(Type.cancel, call.id));
      return;
    }
    this.waiting--;
    if (this.#queue.length > 2 * this.waiting + MAX_ABANDONED) {
      this.#queue = new Deque([...this.#queue].filter(({ state }) => state === "waiting"));
    }
  }

  /** Takes a RESPONSE, ERROR, ITEM, END or CREDIT of the peer that answers. */
  take(reader: MessageReader, bytes: number): void {
    const id = reader.varint();
    const call = this.#outstanding.get(id);
    if (call === undefined) {
      throw new ProtocolError(`Cannot take answer: no request ${id} is without one`);
    }
    const isStream = call.reader !== undefined;
    switch (reader.type) {
      case Type.response:
        if (isStream) break;
        return this.#respond(call, reader);
      case Type.error: {
        const [code, text] = [printable(reader.shortText()), printable(reader.text())];
        const { data } = this.#decode(call, reader);
        if (this.#settle(call)) call.fail(new RequestError(code, text, { data }));
        return;
      }
      case Type.item:
        if (!isStream) break;
        return this.#item(call, reader, bytes);
      case Type.end:
        if (!isStream) break;
        reader.end();
        if (this.#settle(call)) call.succeed(undefined);
        return;
      case Type.credit: {
        const credit = { items: reader.varint(), bytes: reader.varint() };
        reader.end();
        if (call.items === undefined || call.writer?.grant(credit) === false) break;
        return;
      }
    }
    throw reader.misfit(id);
  }

  #respond(call: Call, reader: MessageReader): void {
    const { data, cause } = this.#decode(call, reader);
    if (!this.#settle(call)) return;
    if (cause === undefined) call.succeed(data);
    else call.fail(unreadable(call, cause));
  }

  #item(call: Call, reader: MessageReader, bytes: number): void {
    const { data, cause } = this.#decode(call, reader);
    const error = cause === undefined ? undefined : { error: unreadable(call, cause) };
    if (!call.reader!.put(data, bytes, error)) {
      throw new ProtocolError(`Cannot take item of request ${call.id}: it has no credit`);
    }
    if (call.state !== "sent") this.late++;
    else if (error !== undefined) call.giveUp(error.error);
  }

  /** Decodes a value. An invalid value fails only this call, and not the connection. */
  #decode(call: Call, reader: MessageReader): { data?: unknown; cause?: unknown } {
    const { kind } = reader;
    const value = reader.value();
    if (call.state !== "sent") return {};
    try {
      return { data: decodeValue(kind, value) };
    } catch (cause) {
      return { cause };
    }
  }

  /** The answer has come: another request may be sent. Returns whether the answer is still wanted. */
  #settle(call: Call): boolean {
    this.#outstanding.delete(call.id);
    this.#outstandingBytes -= call.bytes;
    const isWanted = call.state === "sent";
    if (!isWanted) this.late++;
    else if (call.writer !== undefined) this.#output.trySend(encodeBare(Type.end, call.id));
    if (this.waiting > 0) this.#sendWaiting();
    return isWanted;
  }

  /** Tells the peer that it need not answer, because this end closes. */
  cancelAll(): void {
    for (const { id, state } of this.#outstanding.values()) {
      if (state === "sent") this.#output.trySend(encodeBare(Type.cancel, id));
    }
  }

  /** No answer can come any more. */
  fail(failure: (method: string) => Error): void {
    this.#failure ??= failure;
    this.#timeouts.clear();
    const calls = [...this.#outstanding.values(), ...this.#queue];
    this.#outstanding.clear();
    this.#queue.clear();
    this.#outstandingBytes = 0;
    this.waiting = 0;
    for (const call of calls) {
      if (call.state === "sent" || call.state === "waiting") call.fail(failure(call.method));
    }
  }
}

function unreadable(call: Call, cause: unknown): RequestError {
  const text = `Cannot read answer of ${call.method}: it is not JSON`;
  return new RequestError("invalid-result", text, { cause });
}
