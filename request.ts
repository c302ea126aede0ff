/**
 * Requests, notifications and streams over a connection, both ways at once, typed by one interface.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import { RequestError } from "./errors.ts";
import type { StandardSchema } from "./format.ts";
import { checkDelay, checkInteger, MAX_INT32 } from "./internal/check.ts";
import { checkedBy } from "./internal/schema.ts";
import { Peer } from "./request/peer.ts";
import type {
  AnyMethods,
  Handlers,
  RequestConnection,
  RequestOptions,
  RequestPeer,
} from "./request/types.ts";
import { fitsName, LEAST } from "./request/wire.ts";
import type { Handler } from "./request/work.ts";

export { RequestError, type RequestErrorCode, type RequestErrorOptions } from "./errors.ts";
export type * from "./request/types.ts";
export { type MethodStats, type RequestOutcome, RequestTotals } from "./request/totals.ts";
export type {
  CallTrace,
  Telemetry,
  Trace,
  TraceContext,
  TracedConnection,
} from "./internal/telemetry.ts";

/**
 * Makes requests to the peer of a connection, and answers the peer's requests with handlers. Both ends
 * call this function, at about the same time. After that, nobody else may read from the connection or
 * send on it.
 *
 * Both ends share an interface that types the methods. A method that gives a value is
 * `name(params): Result`, and a method that gives a stream is `name(params): AsyncIterable<Item>`.
 * If the caller sends items along, the method has a second argument `AsyncIterable<Item>`. `Remote`
 * has the methods that the peer answers, `Local` those that the handlers here answer.
 *
 * Params, results and items are JSON, or a `Uint8Array`, which stays bytes. `undefined` and `null` stay
 * different. Bytes inside a JSON value do not stay bytes: send them as items, or as the whole value.
 * Params come from the peer and may be anything: check them, or use {@linkcode validated}.
 *
 * If a handler throws a {@linkcode RequestError}, the peer gets it as the answer. If it throws
 * anything else, the peer gets the code `internal`, and `onError` gets the error. Only own
 * properties of the object are handlers. Notifications are handled like requests, but are not
 * answered. When the handlers of `maxRequests` notifications run, reading stops until half of them
 * are done. So if a handler of notifications waits for an answer of the peer, too many
 * notifications can block that answer.
 *
 * @throws {TypeError} if the framing of the connection cannot carry all bytes in whole messages, if the
 * connection drops messages while its peer is slow (`slowConsumer`), or if a handler is not a function.
 * @throws {RangeError} if an option is out of range.
 *
 * @example A value, a stream, and an error
 * ```ts
 * import { connect, listen } from "@lengthwise/lengthwise";
 * import { RequestError, requests } from "@lengthwise/lengthwise/request";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * interface Calculator {
 *   divide(params: { a: number; b: number }): number;
 *   count(params: { to: number }): AsyncIterable<number>;
 * }
 *
 * await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
 *   const peer = requests<never, Calculator>(connection, {
 *     divide({ a, b }) {
 *       if (b === 0) throw new RequestError("division-by-zero", "Cannot divide by 0");
 *       return a / b;
 *     },
 *     async *count({ to }) {
 *       for (let n = 1; n <= to; n++) yield n;
 *     },
 *   });
 *   await peer.closed;
 * });
 *
 * await using peer = requests<Calculator>(await connect(server.endpoints[0]));
 * assertEquals(await peer.request("divide", { a: 6, b: 3 }), 2);
 * await assertRejects(() => peer.request("divide", { a: 6, b: 0 }), RequestError);
 * assertEquals(await Array.fromAsync(peer.stream("count", { to: 3 })), [1, 2, 3]);
 * ```
 */
export function requests<Remote = AnyMethods, Local = AnyMethods>(
  connection: RequestConnection,
  handlers: Handlers<NoInfer<Local>, NoInfer<Remote>> = {} as Handlers<Local, Remote>,
  options: RequestOptions = {},
): RequestPeer<Remote> {
  const {
    maxRequests = 1_000,
    maxRequestBytes = 4 * 1024 * 1024,
    maxConcurrent = maxRequests,
    maxWaiting = 10_000,
    maxStreamItems = 64,
    maxStreamBytes = 256 * 1024,
    timeout = Infinity,
    helloTimeout = 10_000,
    exposeErrors = false,
    telemetry,
    totals,
    onError = (error, method) => console.error(`Error in the handler of ${method}:`, error),
  } = options;
  checkInteger("maxRequests", maxRequests, LEAST.requests, MAX_INT32);
  checkInteger("maxRequestBytes", maxRequestBytes, LEAST.bytes, Number.MAX_SAFE_INTEGER);
  checkInteger("maxConcurrent", maxConcurrent, 1, MAX_INT32);
  checkInteger("maxWaiting", maxWaiting, 0, MAX_INT32);
  checkInteger("maxStreamItems", maxStreamItems, 1, MAX_INT32);
  checkInteger("maxStreamBytes", maxStreamBytes, 1, MAX_INT32);
  if (timeout !== Infinity) checkDelay("timeout", timeout);
  checkDelay("helloTimeout", helloTimeout);
  checkFraming(connection);
  checkPolicy(connection);

  const window = { items: maxStreamItems, bytes: maxStreamBytes };
  return new Peer(connection, {
    calls: { maxRequests, maxWaiting, window, timeout, telemetry },
    answers: {
      handlers: tableOf(handlers),
      allowance: {
        requests: maxRequests,
        bytes: maxRequestBytes,
        messageBytes: connection.framing.maxMessageBytes,
      },
      maxConcurrent,
      window,
      exposeErrors,
      onError: guarded(onError),
      telemetry,
      totals,
    },
    helloTimeout,
  }) as RequestPeer as RequestPeer<Remote>;
}

/**
 * Makes a handler whose params are checked and typed by a Standard Schema validator (of Zod, Valibot,
 * ArkType or others). If the validator refuses the params, the answer is `invalid-params`.
 *
 * @example Numbers only
 * ```ts
 * import { RequestError, requests, validated } from "@lengthwise/lengthwise/request";
 * import { Connection, type StandardSchema } from "@lengthwise/lengthwise";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const number: StandardSchema<number> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof value === "number" ? { value } : { issues: [{ message: "it must be a number" }] },
 *   },
 * };
 * const [a, b] = memoryPair().map((transport) => new Connection(transport));
 * requests(a, { double: validated(number, (n) => 2 * n) });
 * await using peer = requests(b);
 * assertEquals(await peer.request("double", 21), 42);
 * await assertRejects(() => peer.request("double", "21"), RequestError, "it must be a number");
 * ```
 */
export function validated<Params, Context, Result>(
  schema: StandardSchema<Params>,
  handler: (params: Params, context: Context) => Result,
): (params: unknown, context: Context) => Result | Promise<Awaited<Result>> {
  return (params, context) =>
    checkedBy(schema, params, invalidParams, (valid) => handler(valid, context));
}

function invalidParams(issues: string): RequestError {
  return new RequestError("invalid-params", `Cannot accept params: ${issues}`);
}

function checkFraming({ framing }: RequestConnection): void {
  const name = framing.name;
  if (!framing.keepsBoundaries) {
    throw new TypeError(`Cannot make requests over framing ${name}: it has no message boundaries`);
  }
  if (framing.isSelective) {
    throw new TypeError(`Cannot make requests over framing ${name}: it cannot carry any bytes`);
  }
}

/** A dropped answer would leave its caller waiting, and nobody would be told. */
function checkPolicy(connection: RequestConnection): void {
  if (!(connection instanceof Connection)) return;
  const { slowConsumer } = connection.sender.limits;
  if (slowConsumer === "disconnect") return;
  throw new TypeError(
    `Cannot make requests over connection of ${connection.remote}: slowConsumer "${slowConsumer}" ` +
      `drops messages while the peer is slow, answers too; use "disconnect"`,
  );
}

/** The handlers by name. Only own properties, so that no request calls what all objects inherit. */
function tableOf(handlers: object): ReadonlyMap<string, Handler> {
  const table = new Map<string, Handler>();
  for (const [method, handler] of Object.entries(handlers)) {
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot answer ${method}: its handler is ${typeof handler}, no function`);
    }
    if (!fitsName(method)) {
      throw new TypeError(`Cannot answer "${method.slice(0, 32)}…": its name is above 255 bytes`);
    }
    table.set(method, handler.bind(handlers));
  }
  return table;
}

/** Wraps a callback: an error that it throws must not end the connection or the process. */
function guarded(onError: (error: unknown, method: string) => void): typeof onError {
  return (error, method) => {
    try {
      onError(error, method);
    } catch {
      // As said above.
    }
  };
}
