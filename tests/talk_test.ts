import { assert, assertEquals, assertMatch } from "@std/assert";
import { Chat, connect, listen, type Server, text } from "../mod.ts";
import { Pty, ptyTest as test } from "./helpers/pty.ts";

const CLIENT = new URL("../client.ts", import.meta.url).pathname;

function openChat(endpoint = "tcp://127.0.0.1:0"): Promise<Server<string>> {
  const chat = new Chat();
  return listen(endpoint, { format: text() }, (connection) => chat.serve(connection));
}

/** Whether a row shows the prompt with a round-trip time, and this typed behind it. */
function prompts(row: string | undefined, typed = ""): boolean {
  const time = /^\[open \d+(\.\d)? ms\] ?(.*)$/.exec(row ?? "");
  return time !== null && time[2] === typed;
}

test("client.ts at a terminal joins, shows state and round-trip time, and sends what is typed", async () => {
  await using server = await openChat();
  await using pty = new Pty(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  assertMatch(pty.screen.rows.join("\n"), /\* Welcome, guest-1\./);
  pty.send({ keys: "helo\x1b[Dl\r" });
  await pty.until(({ rows }) => rows.includes("guest-1: hello"));
});

test("client.ts at a terminal prints what arrives above the line being typed", async () => {
  await using server = await openChat();
  await using pty = new Pty(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "half a li" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "half a li"));
  await using other = await connect(server.endpoints[0], { format: text() });
  await other.send("\x1b[2J\x07 news");
  await pty.until(({ rows }) => rows.includes("guest-2: \\x1b[2J\\x07 news"));
  await pty.until(({ rows }) => prompts(rows.at(-1), "half a li"));
  pty.send({ keys: "ne\r" });
  await pty.until(({ rows }) => rows.includes("guest-1: half a line"));
});

test("client.ts at a terminal shows the loss of its server, and comes back to it", async () => {
  const server = await openChat();
  await using pty = new Pty(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await server.close({ grace: 0 });
  await pty.until(({ rows }) => /^\[offline, trying again in \d/.test(rows.at(-1)!));
  pty.send({ keys: "too early\r" });
  await pty.until(({ rows }) => rows.includes("not sent: there is no connection"));
  await using _again = await openChat(server.endpoints[0]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "back\r" });
  await pty.until(({ rows }) => rows.includes("guest-1: back"));
});

test("client.ts at a terminal ends in order at /quit, Ctrl-C and Ctrl-D, with exit code 0", async () => {
  await using server = await openChat();
  for (const [keys, farewell] of [["/quit\r", true], ["\x03", false], ["\x04", false]] as const) {
    await using pty = new Pty(80, 12, [CLIENT, server.endpoints[0]]);
    await pty.until(({ rows }) => prompts(rows.at(-1)));
    pty.send({ keys });
    assertEquals(await pty.ended(), { exit: 0, raw: false });
    assertEquals(pty.screen.rows.includes("* Bye."), farewell);
  }
});

test("client.ts at a terminal ends with 1 when nothing listens, without a prompt for permission", async () => {
  await using pty = new Pty(120, 12, [CLIENT, "127.0.0.1:1"]);
  assertEquals((await pty.ended()).exit, 1);
  assert(pty.screen.text.includes("connection refused, nothing listens there"));
  assert(!pty.output.includes("Deno requests"));
});
