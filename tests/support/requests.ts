/** Two ends with requests, and one end whose bytes the test writes itself. */

import { fromHex } from "../../internal/encoding.ts";
import { connect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { type AnyMethods, type Handlers, type RequestOptions, requests } from "../../request.ts";
import type { RequestPeer } from "../../request.ts";
import { listen } from "../../server.ts";
import { memoryPair } from "../../testing.ts";

/** The first message of an end that allows what is usual. */
export const HELLO: Uint8Array<ArrayBuffer> = fromHex(
  "004c57525101e807808080028080800801",
);

/** Two linked ends. */
export interface Ends<Remote> extends AsyncDisposable {
  /** Asks. */
  readonly caller: RequestPeer<Remote>;
  /** Answers with the handlers. */
  readonly answerer: RequestPeer;
  /** What is below the one that asks, and below the one that answers. */
  readonly connections: readonly [Connection, Connection];
}

/** Options for each end. */
export interface EndsOptions extends RequestOptions {
  /** For the end that asks. */
  readonly caller?: RequestOptions;
  /** What the end that asks can answer. */
  readonly callerHandlers?: Handlers<AnyMethods>;
}

/** Two ends in memory. */
export function ends<Remote = AnyMethods>(
  handlers: Handlers<NoInfer<Remote>> = {} as Handlers<Remote>,
  options: EndsOptions = {},
): Ends<Remote> {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  return linked<Remote>(near, far, handlers, options);
}

/** Two ends over TCP. */
export async function tcpEnds<Remote = AnyMethods>(
  handlers: Handlers<NoInfer<Remote>> = {} as Handlers<Remote>,
  options: EndsOptions = {},
): Promise<Ends<Remote>> {
  const server = await listen("tcp://127.0.0.1:0");
  const accepted = server[Symbol.asyncIterator]().next();
  const near = await connect(server.endpoints[0]);
  const pair = linked<Remote>(near, (await accepted).value!, handlers, options);
  return {
    ...pair,
    async [Symbol.asyncDispose]() {
      await pair[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

function linked<Remote>(
  near: Connection,
  far: Connection,
  handlers: Handlers<NoInfer<Remote>>,
  options: EndsOptions,
): Ends<Remote> {
  const { caller: callerOptions, callerHandlers, ...answererOptions } = options;
  const answerer = requests<AnyMethods, Remote>(far, handlers, answererOptions);
  const caller = requests<Remote>(near, callerHandlers as never, callerOptions);
  return {
    caller,
    answerer,
    connections: [near, far],
    async [Symbol.asyncDispose]() {
      await Promise.all([caller.close(), answerer.close()]);
    },
  };
}

/** One end with requests, and the bare connection at the other. */
export interface RawEnds extends AsyncDisposable {
  readonly peer: RequestPeer;
  readonly raw: Connection;
}

/** One end whose peer is the test; their HELLOs have been exchanged, unless `greets` is false. */
export async function rawEnds(
  handlers: Handlers<AnyMethods> = {},
  options: RequestOptions & { greets?: boolean } = {},
): Promise<RawEnds> {
  const { greets = true, ...rest } = options;
  const [near, raw] = memoryPair().map((transport) => new Connection(transport));
  const peer = requests(near, handlers, rest);
  await raw.receive();
  if (greets) raw.send(HELLO);
  return {
    peer,
    raw,
    async [Symbol.asyncDispose]() {
      await Promise.all([peer.close(), raw.close()]);
    },
  };
}

/** A turn of the event loop, in which everything that was sent in memory arrives. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 4; n++) await new Promise((resolve) => setTimeout(resolve, 0));
}
