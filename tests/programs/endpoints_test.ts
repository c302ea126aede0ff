/** The client with several endpoints of one service. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { listen } from "../../mod.ts";
import { deadEndpoint } from "../support/free_port.ts";
import { runHere } from "../support/in_process.ts";
import { Pty, ptyTest } from "../support/pty.ts";
import { CLIENT, openChat, prompts, said } from "../support/talk.ts";

/** Endpoints that nothing listens on. */
function deadEndpoints(count: number): string[] {
  return Array.from({ length: count }, deadEndpoint);
}

Deno.test("client.ts with several endpoints takes one that answers, for each command", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
  const [dead, gone] = deadEndpoints(2);
  const list = [dead, server.endpoints[0], gone];
  const sent = await runHere("client.ts", [...list, "send", "a:b", "ping", "--expect", "2"]);
  assertEquals([sent.code, sent.stdout, sent.stderr], [0, "a:b\nping\n", ""]);
  const pinged = await runHere("client.ts", [...list, "ping", "--count", "1"]);
  assertEquals(pinged.code, 0, pinged.stderr);
  const piped = await runHere("client.ts", [...list, "--linger", "0"], { stdin: "x\n" });
  assertEquals([piped.code, piped.stderr], [0, ""]);
  // Sessions are asked for at each.
  const carried = await runHere("client.ts", [
    ...list,
    "send",
    "x",
    "--session",
    "--timeout",
    "500",
  ]);
  assertMatch(carried.stderr, /the server does not speak of sessions/);
});

Deno.test("client.ts with several endpoints tells what is wrong with each", async () => {
  const list = deadEndpoints(2);
  const { code, stderr } = await runHere("client.ts", [...list, "send", "x"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot connect to any of 2 endpoints: tcp:.*; tcp:.*\n$/);
  for (const endpoint of list) assert(stderr.includes(`${endpoint}: connection refused`));
  const cases: [args: string[], message: RegExp][] = [
    [[...list, "bench"], /"bench" takes one endpoint, but got 2/],
    [[...list, "ping", "--tls"], /--tls looks at one endpoint, but got 2/],
    [[...list, "ping", "--port", "1-2"], /--port looks at one endpoint, but got 2/],
    [[...list, "sned", "x"], /unknown command "sned", the nearest is "send"/],
    [[list[0], "nobody:x", "send", "y"], /Cannot use endpoint "nobody:x"/],
    [[...list, "guess", "x"], /"guess" comes first/],
    [[list[0], `${list[1]}?session=1`], /only one of them has sessions/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runHere("client.ts", args);
    assertMatch(stderr, message);
    assertEquals(code, 2, args.join(" "));
  }
});

ptyTest("client.ts at a terminal goes to another server when its own has gone", async () => {
  const servers = [await openChat(), await openChat()];
  const endpoints = servers.map((server) => server.endpoints[0]);
  await using pty = await Pty.open(80, 12, [CLIENT, ...endpoints]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  const home = servers.find(({ connections }) => connections.size === 1)!;
  const other = servers.find((server) => server !== home)!;
  await home.close({ grace: 0 });
  await pty.until((screen) =>
    said(screen).some((row) => row.startsWith("connected again at tcp://")) &&
    prompts(screen.rows.at(-1))
  );
  assertEquals(other.connections.size, 1);
  pty.send({ keys: "here I am\r" });
  await pty.until((screen) => said(screen).includes("guest-1: here I am"));
  await other.close({ grace: 0 });
});
