/** Who connects, and when the others are told. */

import { assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect, type Connection, listen, text } from "../../mod.ts";
import { Chat } from "../../chat.ts";
import { TestChat } from "../support/chat.ts";
import { certificates } from "../support/certificates.ts";

const { good, ca } = await certificates;
const options = { announceAfter: 5_000 };

Deno.test("Chat announces a newcomer with its first word, and only then", async () => {
  await using test = new TestChat(options);
  const ada = await test.join("Ada");
  for (const word of ["hello", "/who", "/nick Eve", "/json", "/nope", "//", "x".repeat(5000)]) {
    const eve = test.enter();
    assertMatch((await eve.heard())[0], /^\* Welcome, guest-\d+\. .* 2 here\./);
    assertEquals(await ada.ask("/who"), ["* 1 here: Ada."]);
    eve.say(word);
    await eve.heard();
    assertMatch((await ada.heard())[0], /^\* guest-\d+ joined\. 2 here\.$/, word);
    assertEquals(test.chat.stats.members, 2);
    await eve.ask("/quit");
    assertMatch((await ada.heard()).at(-1)!, /^\* \S+ left\. 1 here\.$/, word);
    test.pass(60_000);
  }
});

Deno.test("Chat tells nobody of those who leave without a word, and takes their numbers back", async () => {
  await using test = new TestChat(options);
  const ada = await test.join("Ada");
  for (const lines of [[], [""], ["\r\n", ""], ["/quit"], ["/ping", "/PING 2", "/pong", "/quit"]]) {
    const probe = test.enter();
    probe.say(...lines);
    assertMatch((await probe.heard())[0], /^\* Welcome, guest-2\. /);
    await probe.connection.close();
    await probe.served;
    test.pass(1_000);
    assertEquals(await ada.heard(), [], JSON.stringify(lines));
  }
  assertEquals(test.chat.names, ["Ada"]);
  // Several at a time, in any order.
  const [two, three, four] = [test.enter(), test.enter(), test.enter()];
  assertMatch((await three.ask("I stay"))[0], /^\* Welcome, guest-3\. /);
  for (const probe of [four, two]) {
    await probe.connection.close();
    await probe.served;
  }
  const names: string[] = [];
  for (let i = 0; i < 3; i++) names.push(/guest-\d+/.exec((await test.enter().heard())[0])![0]);
  assertEquals(names, ["guest-2", "guest-4", "guest-5"]);
});

Deno.test("Chat counts who only listens after a while, and tells it everything from the start", async () => {
  await using test = new TestChat(options);
  const ada = await test.join("Ada");
  await ada.ask("before");
  const eve = test.enter();
  assertEquals((await eve.heard()).slice(1), ["* The last message:", "[18:12] Ada: before"]);
  await ada.ask("meanwhile");
  assertEquals(await eve.heard(), ["Ada: meanwhile"]);
  test.pass(4_999);
  assertEquals(await ada.ask("/msg guest-2 psst"), ['* Nobody here is called "guest-2".']);
  test.pass(1);
  assertEquals(await ada.ask("/who"), ["* guest-2 joined. 2 here.", "* 2 here: Ada, guest-2."]);
  assertEquals(await eve.heard(), []);
  assertEquals(test.chat.names, ["Ada", "guest-2"]);
  test.chat.close();
  assertEquals((await eve.heard()).at(-1), "* The chat is closing.");
});

Deno.test("Chat has no timer when nobody is there, and room for no more than it says", async () => {
  await using test = new TestChat({ ...options, maxMembersPerRoom: 1 });
  const probe = test.enter();
  await probe.heard();
  assertEquals(test.ticks, true);
  assertEquals(await test.enter().heard(), ["* The chat is full, try again later."]);
  await probe.connection.close();
  await probe.served;
  assertEquals(test.ticks, false);
});

Deno.test("Chat announces no probe over any road", async () => {
  using chat = new Chat();
  const roads = ["tcp", "tls", "ws", "wss"].map((road) => `${road}://127.0.0.1:0`);
  const sessions = ["tcp", "ws"].map((road) => `${road}://127.0.0.1:0?session=1`);
  const plain = ["tcp://127.0.0.1:0?framing=line", "udp://127.0.0.1:0", "memory:probes"];
  await using server = await listen(
    [...roads, ...sessions, ...plain],
    { format: text(), tls: good },
    (connection) => chat.serve(connection),
  );
  const enter = (endpoint: string): Promise<Connection<string>> =>
    connect(endpoint, {
      format: text(),
      ...(/^(tls|wss):/.test(endpoint) && { tls: { ca: ca.cert } }),
    });
  await using ada = await enter(server.endpoints[0]);
  await ada.receive();
  ada.send("/nick Ada");
  await ada.receive();
  for (const endpoint of server.endpoints) {
    const probe = await enter(endpoint);
    if (endpoint.startsWith("udp:")) probe.send("");
    assertMatch((await probe.receive())!, /^\* Welcome, guest-2\./, endpoint);
    // Over UDP the server cannot see that.
    await probe.close();
    for (const peer of server.connections) {
      if (endpoint.startsWith("udp:") && peer.endpoint.startsWith("udp:")) await peer.close();
    }
    while (server.connections.size > 1) await delay(1);
  }
  ada.send("/who");
  assertEquals(await ada.receive(), "* 1 here: Ada.");
});
