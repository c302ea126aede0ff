/** Servers on all addresses: from where their answers leave. Linux has all of 127.0.0.0/8. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createSocket } from "node:dgram";
import { connect, listen, ListenError } from "../../mod.ts";
import { runHere } from "../support/in_process.ts";
import { run, RunningServer } from "../support/program.ts";
import { receiveText } from "../support/texts.ts";

const linuxTest = Deno.build.os === "linux" ? Deno.test : Deno.test.ignore;

function echo(endpoint: string) {
  return listen(endpoint, async (connection) => {
    for await (const message of connection) await connection.send(message);
  });
}

function portOf(endpoint: string): number {
  return Number(/:(\d+)$/.exec(endpoint)![1]);
}

/** Asks as a program does that is bound to nothing; resolves to who answered. */
async function ask(address: string, port: number): Promise<string> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const answer = new Promise<string>((resolve) =>
    socket.on("message", (_, from) => resolve(from.address))
  );
  socket.send("hi", port, address);
  const from = await answer;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return from;
}

for (const all of ["0.0.0.0", "[::]"]) {
  linuxTest(`udp: a server on ${all} answers from the address that was asked`, async () => {
    await using server = await echo(`udp://${all}:0`);
    const port = portOf(server.endpoints[0]);
    const own = Deno.networkInterfaces().filter(({ address, family }) =>
      !/^fe80/i.test(address) && (family === "IPv4" || all === "[::]")
    );
    const addresses = ["127.0.0.2", "127.0.0.3", "127.0.1.1", ...own.map((one) => one.address)];
    for (const address of addresses) assertEquals(await ask(address, port), address);
    await using client = await connect(`udp://127.0.0.2:${port}`);
    await client.send("hi");
    assertEquals(await receiveText(client), "hi");
  });
}

linuxTest("udp: one source that asks two addresses has a connection with each", async () => {
  await using server = await listen("udp://0.0.0.0:0", async (connection) => {
    for await (const _ of connection) await connection.send(connection.id.toString());
  });
  const port = portOf(server.endpoints[0]);
  const socket = createSocket("udp4");
  const heard: string[] = [];
  const all = Promise.withResolvers<void>();
  socket.on("message", (message, from) => {
    heard.push(`${from.address}:${from.port}`);
    assert(message.length > 0);
    if (heard.length === 2) all.resolve();
  });
  for (const address of ["127.0.0.1", "127.0.0.2"]) socket.send("hi", port, address);
  await all.promise;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  assertEquals(heard.sort(), [
    `127.0.0.1:${port}`,
    `127.0.0.2:${port}`,
  ]);
  assertEquals(server.stats.accepted, 2);
});

Deno.test("udp: of two servers on all addresses at one port, the second is refused", async () => {
  await using server = await echo("udp://0.0.0.0:0");
  const port = portOf(server.endpoints[0]);
  await assertRejects(() => echo(`udp://0.0.0.0:${port}`), ListenError, "the port is in use");
  await assertRejects(() => echo(`udp://127.0.0.1:${port}`), ListenError, "the port is in use");
});

linuxTest("udp: a client tells who answered in the place of whom it asked", async () => {
  // As others do it that have one socket for all addresses.
  const socket = createSocket("udp4");
  socket.on("message", (message, { address, port }) => socket.send(message, port, address));
  await new Promise<void>((resolve) => socket.bind(0, "0.0.0.0", () => resolve()));
  const { port } = socket.address();
  const args = [`udp://127.0.0.2:${port}`, "send", "hi", "--expect", "1", "--timeout", "500"];
  const { code, stderr } = await runHere("client.ts", args);
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  assertEquals(code, 1);
  assertMatch(stderr, new RegExp(`answer came from 127.0.0.1:${port}, but 127.0.0.2:${port} was`));
});

Deno.test("server.ts says when it cannot know its addresses, and --allow-net is enough", async () => {
  const args = ["udp://0.0.0.0:0", "--service", "echo"];
  await using server = await RunningServer.start(args);
  assertMatch(await server.logLine(/addresses/), /run with --allow-sys=networkInterfaces$/);
  const endpoint = server.endpoints[0].replace("0.0.0.0", "127.0.0.1");
  assert((await run("client.ts", [endpoint, "send", "hi", "--expect", "1"])).code === 0);
});
