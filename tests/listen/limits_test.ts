/** Who may come in: limits of a server, and the loop that accepts. */

import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../client.ts";
import { SessionRefusedError } from "../../errors.ts";
import { isLoopback } from "../../internal/address.ts";
import { Admission, type CountName } from "../../listen/admission.ts";
import { Place } from "../../listen/place.ts";
import { listen } from "../../server.ts";
import { SessionCode } from "../../session.ts";
import { formatEndpoint } from "../../transport.ts";
import { tcp } from "../../transport/tcp.ts";
import { Fixture } from "../support/fixture.ts";
import { connectResettable, RawPeer } from "../support/raw.ts";
import { receiveText } from "../support/texts.ts";

const HELLO = [0, 0, 0, 5, 72, 69, 76, 76, 79];

Deno.test("Admission lets in up to maxConnections, and again when one leaves", () => {
  const admission = new Admission({ maxConnections: 2, maxConnectionsPerAddress: 2 });
  const enter = (hostname: string) => admission.enter(hostname);
  assertEquals([enter("a"), enter("b"), enter("c")], [undefined, undefined, "maxConnections"]);
  admission.leave("b");
  assertEquals([enter("c"), enter("a")], [undefined, "maxConnections"]);
  assertEquals(admission.refused, 2);
});

Deno.test("Admission lets in up to maxConnectionsPerAddress of one address, however many others there are", () => {
  const admission = new Admission({ maxConnections: 100, maxConnectionsPerAddress: 3 });
  for (const hostname of ["192.0.2.1", "192.0.2.2", "2001:db8::1"]) {
    const answers = Array.from({ length: 4 }, () => admission.enter(hostname));
    assertEquals(answers, [undefined, undefined, undefined, "maxConnectionsPerAddress"]);
  }
  admission.leave("192.0.2.1");
  assertEquals(admission.enter("192.0.2.2"), "maxConnectionsPerAddress");
  assertEquals(admission.enter("192.0.2.1"), undefined);
});

Deno.test("Admission does not limit loopback by address", () => {
  const admission = new Admission({ maxConnections: 100, maxConnectionsPerAddress: 1 });
  for (
    const hostname of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"]
  ) {
    assert(isLoopback(hostname), hostname);
    for (let n = 0; n < 3; n++) assertEquals(admission.enter(hostname), undefined);
  }
  for (const hostname of ["128.0.0.1", "10.127.0.1", "::2", "2001:db8::127", "::ffff:10.0.0.1"]) {
    assert(!isLoopback(hostname), hostname);
  }
});

Deno.test("Admission forgets addresses that have left", () => {
  const admission = new Admission({ maxConnections: 10, maxConnectionsPerAddress: 1 });
  for (let n = 0; n < 1000; n++) {
    assertEquals(admission.enter("192.0.2.1"), undefined);
    assertEquals(admission.enter("192.0.2.1"), "maxConnectionsPerAddress");
    admission.leave("192.0.2.1");
  }
});

/** The place of someone who is let in. */
function placeOf(admission: Admission, hostname: string, kind: CountName): Place {
  assertEquals(admission.enter(hostname, kind), undefined);
  return new Place(admission, hostname, kind);
}

Deno.test("Admission counts carriers that have not greeted apart, up to as many again", () => {
  const admission = new Admission({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  for (const kind of ["connections", "greeting"] as const) {
    for (let n = 0; n < 2; n++) placeOf(admission, "192.0.2.1", kind);
    assertEquals(admission.enter("192.0.2.1", kind), "maxConnectionsPerAddress");
    placeOf(admission, "192.0.2.2", kind);
    assertEquals(admission.enter("192.0.2.3", kind), "maxConnections");
  }
  admission.leave("192.0.2.1", "greeting");
  assertEquals(admission.enter("192.0.2.1"), "maxConnections");
  assertEquals(admission.enter("192.0.2.1", "greeting"), undefined);
});

Deno.test("Place of a carrier that has greeted counts as a connection, until it is left once", () => {
  const admission = new Admission({ maxConnections: 1, maxConnectionsPerAddress: 1 });
  const carrier = placeOf(admission, "192.0.2.1", "greeting");
  assertEquals(carrier.limit(undefined), undefined);
  carrier.greeted(undefined);
  const late = placeOf(admission, "192.0.2.1", "greeting");
  assertEquals(admission.enter("192.0.2.2"), "maxConnections");
  assertEquals(late.limit(undefined), "maxConnections");
  for (let n = 0; n < 2; n++) carrier.leave();
  carrier.greeted(undefined);
  assertEquals(late.limit(undefined), undefined);
  placeOf(admission, "192.0.2.2", "connections");
  assertEquals(late.limit(undefined), "maxConnections");
  late.leave();
  placeOf(admission, "192.0.2.1", "greeting");
});

Deno.test("Place of a carrier passes to the one that replaces it, whatever the limits", () => {
  const admission = new Admission({ maxConnections: 1, maxConnectionsPerAddress: 1 });
  const wide = new Admission({ maxConnections: 2, maxConnectionsPerAddress: 2 });
  let carrier = placeOf(admission, "192.0.2.1", "greeting");
  carrier.greeted(undefined);
  for (const hostname of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    const next = placeOf(admission, hostname, "greeting");
    assertEquals(next.limit(carrier), undefined);
    next.greeted(carrier);
    assertEquals(admission.full("192.0.2.3"), "maxConnections");
    carrier.leave(); // It is closed a moment later.
    assertEquals(admission.full("192.0.2.3"), "maxConnections");
    carrier = next;
  }
  // It counts once: there is room again as soon as it has left.
  const [one, two] = [1, 2].map(() => placeOf(wide, "192.0.2.1", "greeting"));
  one.greeted(undefined);
  two.greeted(one);
  assertEquals(wide.full("192.0.2.1"), undefined);
  // One that has left has no place to pass on.
  carrier.leave();
  placeOf(admission, "192.0.2.3", "connections");
  assertEquals(placeOf(admission, "192.0.2.1", "greeting").limit(carrier), "maxConnections");
});

Deno.test("Server counts connections and carriers that have greeted together", async () => {
  await using server = await listen(
    ["memory:mixed", "memory:mixed-sessions?session=1"],
    { maxConnections: 2 },
    async (connection) => {
      for await (const message of connection) connection.send(message);
    },
  );
  const [plain, sessions] = server.endpoints;
  await using _session = await connect(sessions);
  await using connection = await connect(plain);
  connection.send("in");
  assertEquals(await receiveText(connection), "in");
  await using refused = await connect(plain);
  assertEquals(await receiveText(refused), undefined);
  const error = await assertRejects(() => connect(sessions), SessionRefusedError);
  assertEquals([error.code, error.isRetriable], [SessionCode.FULL, true]);
  assertStringIncludes(error.message, "maxConnections is reached");
  assertEquals(server.stats.refusals.maxConnections, 1);
  assertEquals(server.stats.refusals.session, 1);
});

Deno.test("Server closes at once what exceeds maxConnections, counts it and tells onRefuse", async () => {
  const refused: unknown[] = [];
  await using server = await listen("127.0.0.1:0", {
    maxConnections: 2,
    onRefuse: (refusal) => refused.push(refusal),
  }, async (connection) => {
    for await (const message of connection) connection.send(message);
  });
  await using one = await connect(server.endpoints[0]);
  const two = await connect(server.endpoints[0]);
  for (const connection of [one, two]) {
    connection.send("in");
    assertEquals(await receiveText(connection), "in");
  }
  using three = await RawPeer.connect(server.endpoints[0]);
  assertEquals(await three.drain(), 0);
  const [endpoint] = server.endpoints;
  assertEquals(refused, [{ hostname: "127.0.0.1", endpoint, reason: "maxConnections" }]);
  assertEquals(server.stats.accepted, 2);
  assertEquals(server.stats.refused, 1);
  assertEquals(server.stats.refusals.maxConnections, 1);
  await two.close();
  // The server may learn of it a moment later: those that come before that are turned away too.
  let answer: string | undefined;
  while (answer === undefined) {
    await using again = await connect(server.endpoints[0]);
    again.send("back in");
    answer = await receiveText(again).catch(() => undefined);
  }
  assertEquals(answer, "back in");
});

Deno.test("TransportListener.accept() passes over peers that reset before they were accepted", async () => {
  const endpoint = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
  const listener = await tcp.listen(endpoint, { backlog: 100 });
  const name = formatEndpoint(listener.endpoint);
  for (let n = 0; n < 20; n++) (await connectResettable(name)).resetAndDestroy();
  using peer = await RawPeer.connect(name);
  const { signal } = new AbortController();
  const transport = (await (await listener.accept()).open({ signal }))!;
  assertEquals(transport.remote, peer.address);
  transport.close();
  listener.close();
});

Deno.test("Server goes on accepting after it had no file descriptors left", async () => {
  await using server = new Fixture("echo_server.ts", { maxFiles: 64 });
  const endpoint = await server.line();
  assert(endpoint !== undefined);
  const peers: RawPeer[] = [];
  for (let n = 0; n < 200; n++) peers.push(await RawPeer.connect(endpoint));
  const error = await server.line();
  assert(/os error 24|Too many open files/.test(error ?? ""), error);
  // Those that are in are served all the while.
  await peers[0].send(HELLO);
  assertEquals([...await peers[0].receive(9)], HELLO);
  const startedAt = performance.now();
  for (const peer of peers) peer.close();
  for (let n = 0; n < 10; n++) {
    using peer = await RawPeer.connect(endpoint);
    await peer.send(HELLO);
    assertEquals([...await peer.receive(9)], HELLO);
  }
  assertLess(performance.now() - startedAt, 60_000);
});
