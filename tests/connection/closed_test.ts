/** Who is told that a connection has closed. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Connection } from "../../connection.ts";
import { memoryPair } from "../../testing.ts";

Deno.test("Connection.closed is the same when it is asked for before, during and after the end", async () => {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const before = near.closed;
  const closing = near.close({ code: 1, reason: "done" });
  const during = near.closed;
  await far.close();
  const info = await closing;
  assertEquals([info.code, info.reason], [1, "done"]);
  for (const promise of [before, during, near.closed]) assertStrictEquals(await promise, info);
  // Nobody has asked for this one before.
  assertEquals((await far.closed).clean, true);
});

Deno.test("Connection.whenClosed() tells each listener once, also after the end", async () => {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const told: [string, object][] = [];
  const listener = (name: string) => ({
    connectionClosed: (connection: object) => told.push([name, connection]),
  });
  near.whenClosed(listener("first"));
  near.whenClosed(listener("second"));
  await Promise.all([near.close(), far.close()]);
  near.whenClosed(listener("late"));
  assertEquals(told.map(([name]) => name), ["first", "second", "late"]);
  for (const [_, connection] of told) assertStrictEquals(connection, near);
});
