/**
 * Requests, notifications and streams over a connection, both ways at once, typed by one interface.
 *
 * @module
 */

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

/**
 * Makes requests to the peer of a connection, and answers its requests with handlers. Both ends call
 * this, at about the same time; from then on nobody else reads from the connection or sends on it.
 *
 * A method is typed by an interface that both ends share: `name(params): Result` for a value,
 * `name(params): AsyncIterable<Item>` for a stream, and a second argument `AsyncIterable<Item>` where
 * the caller sends items along. `Remote` is what the peer answers, `Local` what the handlers here do.
 *
 * Params, results and items are JSON, or a `Uint8Array`, which stays bytes; `undefined` is not `null`.
 * Bytes inside JSON are not: send them as items, or as the value. Params come from the peer and are
 * what it says they are: look at them, or let {@linkcode validated} do it.
 *
 * A handler that throws a {@linkcode RequestError} answers with it; anything else is `internal` to the
 * peer, and goes to `onError`. Handlers are own properties of the object; others are not found.
 * Notifications are handled as requests are, without an answer. When `maxRequests` of those are being
 * handled, reading stops until half of them are: a handler of notifications that waits for the peer's
 * answer should not be flooded.
 *
 * @throws {TypeError} for a connection whose framing cannot carry any bytes in whole messages, and for
 * handlers that are no functions.
 * @throws {RangeError} for an option out of range.
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

  const window = { items: maxStreamItems, bytes: maxStreamBytes };
  return new Peer(connection, {
    calls: { maxRequests, maxWaiting, window, timeout },
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
    },
    helloTimeout,
  }) as RequestPeer as RequestPeer<Remote>;
}

/**
 * A handler whose params a Standard Schema validator (Zod, Valibot, ArkType and others) has looked
 * at, and typed; what it refuses is answered with `invalid-params`.
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
  try {
    framing.frameBytes(Uint8Array.of(0x0a));
  } catch (cause) {
    throw new TypeError(`Cannot make requests over framing ${name}: it cannot carry any bytes`, {
      cause,
    });
  }
}

/** Own properties only, so that no name reaches what all objects inherit. */
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

/** What a callback throws has nowhere to go; it must not end the connection, or the process. */
function guarded(onError: (error: unknown, method: string) => void): typeof onError {
  return (error, method) => {
    try {
      onError(error, method);
    } catch {
      // As said above.
    }
  };
}
