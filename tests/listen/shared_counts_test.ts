/** Limits that hold for the servers of several threads together. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Admission } from "../../listen/admission.ts";
import { connect } from "../../connect/connect.ts";
import { listen, SharedCounts } from "../../listen/listen.ts";
import { comeIn } from "../support/admission.ts";

const WIDE = { maxConnections: 1e6, maxConnectionsPerAddress: 1e6 };

/** The admissions of some threads with the same limits. */
function together(threads: number, limits: Partial<typeof WIDE>) {
  const memory = SharedCounts.memory(threads);
  return Array.from({ length: threads }, (_, thread) => {
    const counts = new SharedCounts(memory, thread);
    return { counts, admission: new Admission({ ...WIDE, ...limits, counts }) };
  });
}

Deno.test("SharedCounts: maxConnections holds for all threads, and a place is free again at any of them", () => {
  const [one, two] = together(2, { maxConnections: 10 });
  for (let n = 0; n < 6; n++) one.admission.enter(`192.0.2.${n}`);
  assertEquals(comeIn(two.admission, "198.51.100.1"), 4);
  assertEquals(two.admission.enter("198.51.100.2"), "maxConnections");
  one.admission.leave("192.0.2.1");
  assertEquals(two.admission.enter("198.51.100.2"), undefined);
  assertEquals(one.admission.enter("192.0.2.1"), "maxConnections");
  assertEquals([one.counts.own, two.counts.own], [5, 5]);
});

Deno.test("SharedCounts: maxConnectionsPerAddress holds for all threads, and others are not counted with it", () => {
  const [one, two, three] = together(3, { maxConnectionsPerAddress: 64 });
  assertEquals(comeIn(one.admission, "192.0.2.1"), 64);
  assertEquals(two.admission.enter("192.0.2.1"), "maxConnectionsPerAddress");
  let refused = 0;
  for (let n = 0; n < 5_000; n++) {
    const address = `10.0.${n >> 8}.${n & 255}`;
    if (three.admission.enter(address) !== undefined) refused++;
  }
  assertEquals(refused, 0);
  one.admission.leave("192.0.2.1");
  assertEquals(comeIn(three.admission, "192.0.2.1"), 1);
});

Deno.test("SharedCounts: a thread that has ended counts nothing any more", () => {
  const [one, two] = together(2, { maxConnections: 5, maxConnectionsPerAddress: 3 });
  assertEquals(comeIn(one.admission, "192.0.2.1"), 3);
  one.counts.clear();
  assertEquals(comeIn(two.admission, "192.0.2.1"), 3);
});

Deno.test("SharedCounts: carriers that have not greeted are counted apart", () => {
  const [one, two] = together(2, { maxConnections: 2 });
  one.admission.enter("192.0.2.1", "greeting");
  one.admission.enter("192.0.2.1", "greeting");
  assertEquals(two.admission.enter("192.0.2.2", "greeting"), "maxConnections");
  one.admission.greeted("192.0.2.1");
  assertEquals(two.admission.enter("192.0.2.2", "greeting"), undefined);
  assertEquals(one.counts.own, 1);
});

Deno.test("SharedCounts: two servers with the same counts let in as many as one", async () => {
  const memory = SharedCounts.memory(2);
  const open = (thread: number) =>
    listen(
      "tcp://127.0.0.1:0",
      { maxConnections: 3, counts: new SharedCounts(memory, thread) },
      async (connection) => {
        for await (const message of connection) await connection.send(message);
      },
    );
  await using one = await open(0);
  await using two = await open(1);
  const echoed: boolean[] = [];
  await using stack = new AsyncDisposableStack();
  for (const server of [one, two, one, two, one]) {
    const connection = stack.use(await connect(server.endpoints[0]));
    connection.send("hello").catch(() => {});
    // A connection that is turned away may be reset.
    echoed.push(await connection.receive().then((got) => got !== undefined, () => false));
  }
  assertEquals(echoed, [true, true, true, false, false]);
  assertEquals(two.stats.refusals.maxConnections + one.stats.refusals.maxConnections, 2);
});

Deno.test("SharedCounts refuses numbers of threads that it cannot have", () => {
  for (const threads of [0, 65, 1.5]) assertThrows(() => SharedCounts.memory(threads), RangeError);
  const memory = SharedCounts.memory(2);
  for (const thread of [-1, 2]) assertThrows(() => new SharedCounts(memory, thread), RangeError);
  assert(memory.byteLength < 2 * 400_000 + 100);
});
