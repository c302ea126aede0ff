/** What the compiler refuses: `deno check` fails on this file when it does not. */

import { assertEquals } from "@std/assert";
import { Connection } from "../../connection.ts";
import { PeerHub } from "../../peers.ts";
import { type Handlers, type RequestPeer, requests } from "../../request.ts";
import { memoryPair } from "../../testing.ts";

interface Api {
  add(params: { a: number; b: number }): number;
  ping(): string;
  find(params?: { name: string }): string[] | undefined;
  count(params: { to: number }): AsyncIterable<number>;
  upload(params: { name: string }, items: AsyncIterable<Uint8Array>): number;
  log(params: string): void;
}

/** Never called: only its types matter. */
export async function typed(peer: RequestPeer<Api>): Promise<void> {
  const sum: number = await peer.request("add", { a: 1, b: 2 }, { timeout: 5 });
  const pong: string = await peer.request("ping");
  const found: string[] | undefined = await peer.request("find");
  await peer.request("find", { name: "x" });
  for await (const n of peer.stream("count", { to: 3 })) n satisfies number;
  const bytes: number = await peer.request("upload", { name: "x" }, { items: [new Uint8Array(1)] });
  await peer.notify("log", "x");
  // @ts-expect-error a method that is not there
  peer.request("subtract", { a: 1, b: 2 });
  // @ts-expect-error params are missing
  peer.request("add");
  // @ts-expect-error wrong params
  peer.request("add", { a: 1, b: "2" });
  // @ts-expect-error wrong result
  const wrong: string = await peer.request("add", { a: 1, b: 2 });
  // @ts-expect-error a stream is no value
  peer.request("count", { to: 3 });
  // @ts-expect-error a value is no stream
  peer.stream("add", { a: 1, b: 2 });
  // @ts-expect-error items are missing
  peer.request("upload", { name: "x" });
  // @ts-expect-error items of the wrong type
  peer.request("upload", { name: "x" }, { items: ["x"] });
  // @ts-expect-error it takes no items
  peer.request("add", { a: 1, b: 2 }, { items: [] });
  // @ts-expect-error params are missing
  peer.notify("log");
  // @ts-expect-error streams have no timeout
  peer.stream("count", { to: 3 }, { timeout: 5 });
  void [sum, pong, found, bytes, wrong];
}

/** Never called: a hub of peers is typed by what its peers answer. */
export function notified(
  hub: PeerHub<Api>,
  peer: RequestPeer<Api>,
): void {
  const queued: number = hub.notify("room", "add", { a: 1, b: 2 }, { except: peer });
  hub.notify("room", "ping");
  hub.notify("room", "ping", undefined, { volatile: true });
  hub.notify("room", "find", { name: "x" }, { except: [peer] });
  hub.members("room") satisfies RequestPeer<Api>[];
  // @ts-expect-error a method that is not there
  hub.notify("room", "subtract", { a: 1, b: 2 });
  // @ts-expect-error params are missing
  hub.notify("room", "add");
  // @ts-expect-error wrong params
  hub.notify("room", "add", { a: 1, b: "2" });
  // @ts-expect-error it takes no params
  hub.notify("room", "ping", 1);
  // @ts-expect-error a stream is nothing to be notified of
  hub.notify("room", "count", { to: 3 });
  // @ts-expect-error an option that is not there
  hub.notify("room", "ping", undefined, { only: peer });
  // @ts-expect-error a method that is not there
  new PeerHub<Api>({ accepts: { subtract: undefined } });
  void queued;
}

const handlers: Handlers<Api> = {
  add: ({ a, b }) => a + b,
  ping: () => Promise.resolve("pong"),
  find: (params) => params && [params.name],
  async *count({ to }) {
    for (let n = 1; n <= to; n++) yield n;
  },
  async upload(_params, { items }) {
    let total = 0;
    for await (const item of items) total += item.length;
    return total;
  },
  log() {},
};

/** Never called. */
export function refused(connection: Connection): void {
  // @ts-expect-error a handler is missing
  requests<never, Api>(connection, { add: ({ a, b }) => a + b });
  // @ts-expect-error a wrong result
  requests<never, Api>(connection, { ...handlers, add: () => "3" });
  // @ts-expect-error a value where a stream is due
  requests<never, Api>(connection, { ...handlers, count: () => 3 });
  // @ts-expect-error messages must be bytes
  requests(connection as unknown as Connection<string>);
}

Deno.test("requests() is typed by one interface at both ends", async () => {
  const [x, y] = memoryPair().map((transport) => new Connection(transport));
  const peer = requests<Api>(x);
  const server = requests<never, Api>(y, handlers);
  assertEquals(await peer.request("add", { a: 1, b: 2 }), 3);
  assertEquals(await peer.request("find"), undefined);
  await Promise.all([peer.close(), server.close()]);
});
