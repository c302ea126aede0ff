/** What the client shows at a terminal: times, rows, the prompt, and outages. */

import { assert, assertEquals } from "@std/assert";
import { listen, text } from "../../mod.ts";
import { Pty, ptyTest as test } from "../support/pty.ts";
import { CLIENT, join, openChat, prompts, said } from "../support/talk.ts";

test("client.ts at a terminal shows what its user says once, with the time in the margin", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "hello\r" });
  await pty.until((screen) => said(screen).includes("guest-1: hello"));
  // A line of several rows, and an empty one, leave nothing of them either.
  const long = "a line of several rows ".repeat(5).trim();
  pty.send({ keys: `${long}\r\r/me waves\r` });
  await pty.until((screen) =>
    said(screen).includes("* guest-1 waves") && prompts(screen.rows.at(-1))
  );
  const rows = pty.screen.rows.slice(2);
  assertEquals(rows.slice(0, -1).map((row) => row.replace(/^\d\d:\d\d /, "TIME  ")), [
    "TIME  guest-1: hello",
    "TIME  guest-1: a line of several rows a line of several rows a line of several",
    "      rows a line of several rows a line of several rows",
    "TIME  * guest-1 waves",
  ]);
  // The keys up and down still bring it back.
  pty.send({ keys: "\x1b[A\x1b[A\x1b[A" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "hello"));
});

test("client.ts at a terminal has the room and the name in its prompt", async () => {
  await using server = await openChat();
  await using ada = await join(server, "Ada");
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => /^\[lobby \S+ ms\] guest-2>$/.test(rows.at(-1)!));
  pty.send({ keys: "/nick Böb\r/join den\r" });
  await pty.until(({ rows }) => /^\[den \S+ ms\] Böb>$/.test(rows.at(-1)!));
  await ada.send("/join den");
  await ada.send("/nick Eve");
  await pty.until((screen) =>
    said(screen).includes("* Ada is now Eve.") &&
    /^\[den \S+ ms\] Böb>$/.test(screen.rows.at(-1)!)
  );
  pty.send({ keys: "half" });
  await pty.until(({ rows }) => / Böb> half$/.test(rows.at(-1)!));
  pty.send({ resize: [30, 12] });
  await pty.until(({ rows }) => rows.at(-1) === "[den] Böb> half");
});

test("client.ts at a terminal wraps words at the width of the window", async () => {
  await using server = await openChat();
  await using ada = await join(server, "Ada");
  await using pty = await Pty.open(40, 12, [CLIENT, server.endpoints[0]]);
  await pty.until((screen) => said(screen).some((row) => row.startsWith("* Welcome")));
  await pty.until(({ rows }) => /^\[lobby/.test(rows.at(-1)!));
  await ada.send("the quick brown fox jumps over the lazy dog");
  await ada.send("漢字".repeat(12));
  await pty.until(({ rows }) => rows.at(-2)!.includes("漢字") && /^\[lobby/.test(rows.at(-1)!));
  assertEquals(said(pty.screen).slice(-5, -1), [
    "Ada: the quick brown fox jumps",
    "      over the lazy dog",
    "Ada: 漢字漢字漢字漢字漢字漢字漢字",
    "      漢字漢字漢字漢字漢字",
  ]);
});

test("client.ts at a terminal tells of an outage in one line, however many attempts there are", async () => {
  const server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await server.close({ grace: 0 });
  // Who comes now is sent away without a word.
  const port = Number(/:(\d+)/.exec(server.endpoints[0])![1]);
  const attempts = Promise.withResolvers<void>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const turningAway = (async () => {
    let count = 0;
    for await (const conn of listener) {
      conn.close();
      if (++count === 3) attempts.resolve();
    }
  })();
  pty.send({ keys: "half a li" });
  await attempts.promise;
  listener.close();
  await turningAway;
  await pty.until(({ rows }) =>
    /^\[offline \d+ s, again in \d+ s\] guest-1> half a li$/.test(rows.at(-1)!)
  );
  const lost = said(pty.screen).filter((row) => row === "the peer closed the connection");
  assertEquals(lost.length, 1, pty.screen.text);
  await using _again = await openChat(server.endpoints[0]);
  await pty.until(({ rows }) => prompts(rows.at(-1), "half a li"));
  assert(said(pty.screen).some((row) => /^connected again, after \d+ s$/.test(row)));
  assertEquals(said(pty.screen).filter((row) => row.startsWith("* Welcome")).length, 2);
});

test("client.ts at a terminal tells what was said and perhaps lost with the connection", async () => {
  const welcome = { type: "welcome", name: "Ada", room: "lobby", time: Date.now(), members: 1 };
  const event = (fields: object) => JSON.stringify({ ...welcome, ...fields });
  let connections = 0;
  await using server = await listen("tcp://127.0.0.1:0", { format: text() }, async (peer) => {
    connections++;
    await peer.send("* Welcome.");
    for await (const line of peer) {
      if (line === "/json") await peer.send(event({}));
      if (line === "seen") {
        await peer.send(event({ type: "say", text: line, id: 1 }));
        await peer.send(event({ type: "say", name: "Bob", text: "it has come", id: 2 }));
      }
      if (line === "lost" && connections === 1) peer.abort();
    }
  });
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => rows.at(-1) === "[lobby] Ada>");
  pty.send({ keys: "seen\r" });
  // What is on its way when a connection is aborted may be lost with it.
  await pty.until((screen) => screen.text.includes("it has come"));
  pty.send({ keys: "lost\r" });
  await pty.until((screen) => said(screen).includes("perhaps nobody has seen: lost"));
  assert(!pty.screen.text.includes("nobody has seen: seen"));
});

test("client.ts at a terminal leaves what is typed to a peer that is no chat, and has no margin", async () => {
  await using server = await listen("tcp://127.0.0.1:0", { format: text() }, async (peer) => {
    for await (const line of peer) await peer.send(line);
  });
  await using pty = await Pty.open(40, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => rows.at(-1) === "[open]");
  const line = "a line that is longer than the window is wide";
  pty.send({ keys: `${line}\r` });
  await pty.until(({ rows }) => rows.length === 5 && rows.at(-1) === "[open]");
  assertEquals(pty.screen.rows, [
    "[open] a line that is longer than the wi",
    "ndow is wide",
    "a line that is longer than the window is",
    " wide",
    "[open]",
  ]);
});
