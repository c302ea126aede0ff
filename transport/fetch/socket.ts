/** A WebSocket that the runtime speaks, as a transport. */

import { Deque } from "@std/data-structures";
import type { EndInfo } from "../../codec.ts";
import { errors } from "../../internal/runtime/errors.ts";
import { markText } from "../../internal/text_mark.ts";
import { Wakeup } from "../../internal/time.ts";
import type { Transport, TransportAbilities } from "../../transport.ts";
import { decodeCloseBody } from "../websocket/close.ts";
import { Kind, SOCKET_FRAMING } from "./framing.ts";

const NO_CODE = 1005;
const ABNORMAL = 1006;
const TRY_LATER = 1013;
/** Only 1000 and 3000 to 4999 may be sent by a page. So it sends 4001 for 1001, and so on. */
const PRIVATE_CODES = 3000;

/** What the runtime holds of what is sent, before a write waits, in bytes. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How long to wait at most until the runtime is asked again, in milliseconds: it does not tell. */
const MAX_WAIT = 16;
/**
 * What may wait to be read, in bytes: the runtime cannot be told to stop reading. Each message counts for
 * some bytes more, so that tiny ones are limited too.
 */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const MESSAGE_COST = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A write that waits until the runtime has sent enough. */
interface Writer extends PromiseWithResolvers<void> {
  readonly timer: Wakeup;
  wait: number;
}

/**
 * A WebSocket of the runtime. What it receives are messages, and what is written is what
 * `SocketFraming` makes of them. So a connection over it keeps text and bytes apart, closes by codes,
 * and has its limits, as over every other WebSocket.
 */
export class SocketTransport implements Transport {
  readonly local = "";
  readonly abilities: TransportAbilities;
  readonly #socket: WebSocket;
  readonly #waiting = new Deque<Uint8Array>();
  #waitingBytes = 0;
  #state: "open" | "ended" | "failed" | "closed" = "open";
  #error: unknown;
  #ended: EndInfo | undefined;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: Writer | undefined;

  /** Takes over a socket that is open or will be soon. */
  constructor(socket: WebSocket, readonly remote: string, subprotocol?: string) {
    this.#socket = socket;
    const endInfo = () => this.#ended;
    this.abilities = {
      framing: SOCKET_FRAMING,
      ...(subprotocol && { subprotocol }),
      get ended() {
        return endInfo();
      },
    };
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code, reason }) => this.#end(code, reason));
    socket.addEventListener("error", (event) => {
      const { message = "" } = event as ErrorEvent;
      this.#fail(new errors.ConnectionReset(message || "the WebSocket failed"));
    });
  }

  read(): Promise<Uint8Array | undefined> {
    const message = this.#waiting.popFront();
    if (message !== undefined) {
      this.#waitingBytes -= message.length + MESSAGE_COST;
      return Promise.resolve(message);
    }
    if (this.#state === "ended") return Promise.resolve(undefined);
    if (this.#state !== "open") return Promise.reject(this.#error);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  async write(chunk: Uint8Array): Promise<number> {
    this.#requireOpen();
    const body = chunk.subarray(1);
    if (chunk[0] === Kind.close) {
      const { code, reason } = decodeCloseBody(body);
      this.#close(code, reason);
    } else {
      this.#socket.send(chunk[0] === Kind.text ? asText(body) : body.slice());
    }
    if (this.#isFull) await this.#untilSent();
    return chunk.length;
  }

  /** Does nothing: the framing has written a Close frame, and the peer must still answer it. */
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#stop("closed", new errors.Interrupted("the connection was closed"));
    this.#waiting.clear();
    this.#close();
  }

  #requireOpen(): void {
    if (this.#state === "failed" || this.#state === "closed") throw this.#error;
    if (this.#socket.readyState === WebSocket.CLOSED && this.#state === "open") {
      throw new errors.BrokenPipe("the WebSocket is closed");
    }
  }

  get #isFull(): boolean {
    return this.#socket.bufferedAmount > MAX_BUFFERED_BYTES;
  }

  /**
   * Asks again and again, and whenever something arrives: in the background, a page's timers are seconds
   * late, and its messages are not.
   */
  #untilSent(): Promise<void> {
    const timer = new Wakeup(() => this.#look());
    const writer = this.#writer = { ...Promise.withResolvers<void>(), timer, wait: 1 };
    timer.at(performance.now() + writer.wait);
    return writer.promise;
  }

  #look(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    if (this.#isFull && this.#state === "open") {
      writer.wait = Math.min(writer.wait * 2, MAX_WAIT);
      writer.timer.at(performance.now() + writer.wait);
      return;
    }
    this.#writer = undefined;
    writer.timer.clear();
    if (this.#state === "open" || this.#state === "ended") writer.resolve();
    else writer.reject(this.#error);
  }

  #close(code?: number, reason?: string): void {
    if (this.#socket.readyState > WebSocket.OPEN) return;
    try {
      this.#socket.close(code, reason);
    } catch {
      this.#socket.close(PRIVATE_CODES + code!, reason);
    }
  }

  #take(data: string | ArrayBuffer): void {
    if (this.#state !== "open") return;
    const message = typeof data === "string"
      ? markText(encoder.encode(data))
      : new Uint8Array(data);
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#close(TRY_LATER, "what came was not read in time");
      return this.#fail(
        new errors.Interrupted(
          `more than ${MAX_WAITING_BYTES} bytes came and were not read; a WebSocket of the runtime cannot wait`,
        ),
      );
    }
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) reader.resolve(message);
    else {
      this.#waiting.pushBack(message);
      this.#waitingBytes += message.length + MESSAGE_COST;
    }
    this.#look();
  }

  #end(code: number, reason: string): void {
    if (this.#state !== "open") return;
    if (code === ABNORMAL || code === 0) { // No Close frame came.
      return this.#fail(new errors.ConnectionReset(`the WebSocket was lost (${code})`));
    }
    this.#ended = code === NO_CODE ? {} : { code, ...(reason !== "" && { reason }) };
    this.#stop("ended", undefined);
  }

  #fail(error: unknown): void {
    this.#stop("failed", error);
  }

  #stop(state: "ended" | "failed" | "closed", error: unknown): void {
    if (this.#state !== "open" && state !== "closed") return;
    this.#state = state;
    this.#error = error;
    const reader = this.#reader;
    this.#reader = undefined;
    if (state === "ended") reader?.resolve(undefined);
    else reader?.reject(error);
    this.#look();
  }
}

/** What is marked as text may have been changed since: what is no UTF-8 any more is sent as bytes. */
function asText(body: Uint8Array): string | Uint8Array<ArrayBuffer> {
  try {
    return decoder.decode(body);
  } catch {
    return body.slice();
  }
}
