import { assertEquals, assertMatch } from "@std/assert";
import { connect, type Connection, listen, type Server, text } from "../../mod.ts";
import { Chat, type ChatOptions } from "../../chat.ts";

const NOW = () => new Date("2026-11-20T18:12:03.456Z");

/** A chat server on a framed and on a line endpoint. */
function openChat(options: ChatOptions = {}): Promise<Server<string>> {
  const chat = new Chat({ now: NOW, announceAfter: 0, ...options });
  return listen(
    ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?framing=line"],
    { format: text() },
    (connection) => chat.serve(connection),
  );
}

async function join(server: Server<string>, index = 0): Promise<Connection<string>> {
  return await connect(server.endpoints[index], { format: text() });
}

/** The next lines, as many as are compared with. */
async function lines(member: Connection<string>, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) all.push((await member.receive())!);
  return all;
}

Deno.test("Chat welcomes a newcomer with name, time and company, and tells the others", async () => {
  await using server = await openChat();
  await using one = await join(server);
  assertEquals(await lines(one, 1), [
    "* Welcome, guest-1. 2026-11-20 18:12:03Z. 1 here. /help lists the commands.",
  ]);
  await using two = await join(server, 1);
  assertMatch((await two.receive())!, /^\* Welcome, guest-2\. .* 2 here\. /);
  assertEquals(await lines(one, 1), ["* guest-2 joined. 2 here."]);
  await two.close();
  assertEquals(await lines(one, 1), ["* guest-2 left. 1 here."]);
});

Deno.test("Chat sends what a member says to everyone, the sender included, in one order", async () => {
  await using server = await openChat({ flood: { burst: 50 } });
  await using one = await join(server);
  await lines(one, 1);
  await using two = await join(server, 1);
  await lines(two, 1);
  await lines(one, 1);
  for (let i = 0; i < 50; i++) {
    one.send(`a${i}`);
    two.send(`b${i}`);
  }
  const seenByOne = await lines(one, 100);
  assertEquals(await lines(two, 100), seenByOne);
  const from = (name: string) => seenByOne.filter((line) => line.startsWith(name));
  assertEquals(from("guest-1"), Array.from({ length: 50 }, (_, i) => `guest-1: a${i}`));
  assertEquals(from("guest-2"), Array.from({ length: 50 }, (_, i) => `guest-2: b${i}`));
});

Deno.test("Chat takes // for a literal slash, and says nothing for an empty line", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  for (const line of ["", "\r\n", "//etc/hosts", "ends in newline\r\n"]) one.send(line);
  assertEquals(await lines(one, 2), ["guest-1: /etc/hosts", "guest-1: ends in newline"]);
});

Deno.test("Chat /nick renames once, without regard to case and compatibility forms", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await using two = await join(server);
  await lines(two, 1);
  one.send("/nick Zo\u0065\u0308");
  assertEquals(await lines(two, 1), ["* guest-1 is now Zo\u00eb."]);
  const cases: [name: string, answer: RegExp][] = [
    ["ZO\u00cb", /^\* Cannot use the name "ZO\u00cb": Zo\u00eb is here\.$/],
    ["\uff3ao\u00eb", /: Zo\u00eb is here\.$/],
    ["", /: it is empty, say \/nick NAME\.$/],
    ["x".repeat(33), /: it is longer than 32 characters\.$/],
    ["two words", /: it has a space/],
    ["a\u202eb", /: it has a space, a backslash or an invisible character\.$/],
    ["guest-9", /: such names are given to newcomers\.$/],
    ["...", /: it has no letter\.$/],
  ];
  for (const [name, answer] of cases) {
    two.send(`/nick ${name}`);
    assertMatch((await two.receive())!, answer);
  }
  two.send("/nick __proto__");
  assertEquals(await lines(two, 1), ["* guest-2 is now __proto__."]);
  one.send("/nick zo\u00eb");
  assertEquals(await lines(two, 1), ["* Zo\u00eb is now zo\u00eb."]);
});

Deno.test("Chat gives a name free again when its holder leaves, but never a guest's number", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  const two = await join(server);
  two.send("/nick Ada");
  await lines(one, 2);
  await two.close();
  await lines(one, 1);
  one.send("/nick ada");
  assertEquals(await lines(one, 1), ["* guest-1 is now ada."]);
  await using three = await join(server);
  assertMatch((await three.receive())!, /^\* Welcome, guest-3\. /);
});

Deno.test("Chat answers /who, /ping, /help and unknown commands to the asker alone", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  await using two = await join(server);
  await lines(two, 1);
  await lines(one, 1);
  one.send("/who");
  assertEquals(await lines(one, 1), ["* 2 here: guest-1, guest-2."]);
  one.send("/ping abc");
  assertEquals(await lines(one, 1), ["* pong abc"]);
  one.send("/constructor");
  assertEquals(await lines(one, 1), [
    "* There is no command /constructor. /help lists the commands.",
  ]);
  one.send("/help");
  const help: string[] = [];
  while (help.length < 50 && !help.at(-1)?.startsWith("* //TEXT")) {
    help.push(...await lines(one, 1));
  }
  for (const name of ["/nick", "/who", "/ping", "/help", "/quit"]) {
    assertEquals(help.some((line) => line.startsWith(`* ${name}`)), true, name);
  }
  one.send("done");
  assertEquals(await lines(two, 1), ["guest-1: done"]);
});

Deno.test("Chat takes a command for one behind a byte order mark", async () => {
  await using server = await openChat();
  await using one = await join(server, 1);
  await lines(one, 1);
  // What an editor or a shell of Windows puts before the first line of a file.
  for (const line of ["\ufeff/nick Ada", "\ufeffhello", "\ufeff\r\n", "\ufeff//etc"]) {
    one.send(line);
  }
  assertEquals(await lines(one, 3), ["* guest-1 is now Ada.", "Ada: hello", "Ada: /etc"]);
});

Deno.test("Chat /quit says good-bye and closes", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  one.send("/quit");
  assertEquals(await one.receiveAll(), ["* Bye."]);
});

Deno.test("Chat shows control characters, invalid UTF-8 and lone surrogates harmlessly", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  one.send("\x1b]0;pwned\x07 \0 \u202e two\nlines");
  one.send("\ud800!");
  assertEquals(await lines(one, 2), [
    "guest-1: \\x1b]0;pwned\\x07 \\x00 \\u202e two\\x0alines",
    "guest-1: \ufffd!",
  ]);
  await using two = await connect(server.endpoints[0]);
  await two.send(new Uint8Array([0xff, 0xfe, 0x41]));
  assertEquals(await lines(one, 2), ["* guest-2 joined. 2 here.", "guest-2: \ufffd\ufffdA"]);
});

Deno.test("Chat tells when a member is lost, and goes on", async () => {
  await using server = await openChat();
  await using one = await join(server);
  await lines(one, 1);
  const two = await join(server);
  await lines(one, 1);
  two.abort();
  assertEquals(await lines(one, 1), ["* guest-2 left. 1 here."]);
  one.send("alone");
  assertEquals(await lines(one, 1), ["guest-1: alone"]);
});
