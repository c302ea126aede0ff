/**
 * Plain HTTP at the port of a WebSocket, by `node:http`: bodies of any size, answers as they are made, and
 * further requests over the same connection. Loaded when the first such request comes.
 */

import { builtin } from "../../internal/runtime/builtin.ts";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { HeadError } from "../../errors.ts";
import { Deadline } from "../../internal/time.ts";
import { optionsResponse, textResponse } from "../../internal/text_response.ts";
import type { Transport } from "../../transport.ts";
import type { OpenOptions } from "../kind.ts";
import { hasBody, MAX_HEAD_BYTES } from "./head.ts";
import { HttpSocket, type HttpTimes } from "./http_socket.ts";
import { isMethod, urlOf } from "./target.ts";
import { send } from "./answer.ts";

const { createServer } = builtin("node:http");
const { Readable } = builtin("node:stream");

/** When the listener closes, an answer under way may take so long, in milliseconds. */
const CLOSE_TIMEOUT = 1_000;
const FAILED = "The server failed to answer";

/** What the program answers. */
export type Respond = (request: Request) => Response | Promise<Response>;

interface Served {
  readonly socket: HttpSocket;
  readonly options: OpenOptions;
  readonly idle: Deadline;
  /** Aborted when the answer under way is not wanted any more; undefined between requests. */
  aborter: AbortController | undefined;
  /** Whether the head of the answer under way has left. */
  hasBegun: boolean;
}

/** The HTTP server of one listener. */
export class HttpServer {
  readonly #server: Server;
  readonly #respond: Respond;
  readonly #isSecure: boolean;
  readonly #served = new Map<HttpSocket, Served>();
  readonly #times: Required<HttpTimes>;
  #isClosing = false;

  /** Answers by `respond`. */
  constructor(respond: Respond, isSecure: boolean, times: HttpTimes = {}) {
    const { idleTimeout = 5_000, progressTimeout = 30_000 } = times;
    this.#times = { idleTimeout, progressTimeout };
    this.#respond = respond;
    this.#isSecure = isSecure;
    // Times are kept here: those of `node:http` in Deno 2.9.6 end nothing.
    const none = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };
    this.#server = createServer({ ...none, maxHeaderSize: MAX_HEAD_BYTES });
    // A server that does not listen closes behind each answer, and so does this one once it is closing.
    Object.defineProperty(this.#server, "listening", { get: () => !this.#isClosing });
    // A peer that half-closes still gets its answer.
    (this.#server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    this.#server.on("request", (request, response) => this.#take(request, response));
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      this.#refuse(error, socket as unknown as HttpSocket);
    });
  }

  /**
   * Answers the requests of a connection, of which `first` was read already. Resolves when it has ended.
   * The time of the handshake runs while an answer is awaited from the program.
   *
   * @throws what `respond` or a body throws, after the request was answered with 500, or was cut.
   * @throws {HeadError} if a request is not HTTP.
   */
  async serve(
    transport: Transport,
    first: readonly Uint8Array[],
    options: OpenOptions,
  ): Promise<void> {
    const socket = new HttpSocket(transport, first, this.#times);
    const idle = new Deadline(this.#times.idleTimeout, () => socket.destroy());
    const served: Served = { socket, options, idle, aborter: undefined, hasBegun: false };
    this.#served.set(socket, served);
    const stop = () => socket.destroy();
    options.signal.addEventListener("abort", stop, { once: true });
    try {
      this.#server.emit("connection", socket);
      await socket.over;
    } finally {
      options.signal.removeEventListener("abort", stop);
      this.#served.delete(socket);
      idle.clear();
      served.aborter?.abort();
    }
  }

  /** Ends connections without a request now, and the others when they were answered. */
  close(): void {
    this.#isClosing = true;
    for (const { socket, aborter, hasBegun } of this.#served.values()) {
      if (aborter === undefined) socket.destroy();
      else if (hasBegun) this.#hurry(socket, aborter);
    }
  }

  /** An answer whose head has left may be one that never ends. */
  #hurry(socket: HttpSocket, aborter: AbortController): void {
    aborter.abort();
    const deadline = new Deadline(CLOSE_TIMEOUT, () => socket.destroy());
    deadline.start();
    socket.once("close", () => deadline.clear());
  }

  async #take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const socket = incoming.socket as unknown as HttpSocket;
    const served = this.#served.get(socket)!;
    const aborter = served.aborter = new AbortController();
    served.hasBegun = false;
    served.idle.stop();
    served.options.resume?.();
    socket.isBodyDue = hasBody(incoming.headers);
    incoming.once("close", () => socket.isBodyDue = false);
    incoming.on("error", () => {}); // The program sees it when it reads the body.
    outgoing.once("close", () => {
      served.aborter = undefined;
      aborter.abort();
      if (!socket.destroyed) served.idle.start();
    });
    // Who wanted a WebSocket and gets none goes elsewhere.
    if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false;
    try {
      await send(await this.#answerTo(incoming, aborter.signal), outgoing, () => {
        served.hasBegun = true;
        served.options.pause?.();
      });
    } catch (error) {
      if (socket.destroyed) return; // Whoever read its body had to fail.
      socket.tell(error);
      if (outgoing.headersSent) return void socket.destroy();
      outgoing.shouldKeepAlive = false;
      await send(textResponse(500, FAILED), outgoing);
    }
  }

  async #answerTo(incoming: IncomingMessage, signal: AbortSignal): Promise<Response> {
    const { method = "", url: target = "", headers, httpVersion } = incoming;
    if (!isMethod(method)) return textResponse(501, `Method ${method} is not supported`);
    if (method === "OPTIONS" && target === "*") return optionsResponse();
    const url = urlOf(
      target,
      headers.host ?? (httpVersion === "1.0" ? "localhost" : ""),
      this.#isSecure,
    );
    if (url === undefined) return textResponse(400, "The request's host or target is wrong");
    const fields = new Headers();
    const { rawHeaders } = incoming;
    for (let i = 0; i < rawHeaders.length; i += 2) fields.append(rawHeaders[i], rawHeaders[i + 1]);
    const body = hasBody(headers) && method !== "GET" && method !== "HEAD"
      ? Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>
      : null;
    const response = await this.#respond(
      new Request(url, { method, headers: fields, body, signal, duplex: "half" } as RequestInit),
    );
    if (response instanceof Response && response.type !== "error") return response;
    throw new TypeError("Cannot answer request: respond() gave no response");
  }

  /** What came is not HTTP. */
  #refuse({ code, message }: NodeJS.ErrnoException, socket: HttpSocket): void {
    if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const status = code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : "400 Bad Request";
    socket.tell(new HeadError(`the request is not HTTP: ${message}`, Number(status.slice(0, 3))));
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}
