import { assertEquals, assertMatch } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { listen } from "../../mod.ts";
import { runHere } from "../support/in_process.ts";

/** A server of Node's, which ends with the direction that its peer ends, as it does by default. */
async function nodeServer(answer: (socket: Socket, bytes: Uint8Array) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => answer(socket, bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    endpoint: `tcp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends back what it gets, after that many milliseconds. */
const late = (delay: number) => (socket: Socket, bytes: Uint8Array) => {
  const timer = setTimeout(() => socket.writable && socket.write(bytes), delay);
  socket.once("close", () => clearTimeout(timer));
};

Deno.test("client.ts send half-closes nothing while it waits for answers", async () => {
  await using server = await nodeServer(late(300));
  const args = [server.endpoint, "send", "hello", "you", "--expect", "2"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stdout, stderr], [0, "hello\nyou\n", ""]);
});

Deno.test("client.ts in a pipe half-closes only after the linger", async () => {
  await using server = await nodeServer(late(300));
  const { code, stdout, stderr } = await runHere("client.ts", [server.endpoint], {
    stdin: "hello\n",
  });
  assertEquals([code, stdout, stderr], [0, "hello\n", ""]);
  await using later = await nodeServer(late(60_000));
  const told = await runHere("client.ts", [later.endpoint, "--half-close"], { stdin: "hello\n" });
  assertEquals([told.code, told.stdout], [0, ""]);
});

Deno.test("client.ts in a pipe prints what the peer says to the end of its direction", async () => {
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    const all = await connection.receiveAll();
    await connection.send(`${all.length} lines`);
  });
  const args = [server.endpoints[0], "--linger", "200"];
  const { code, stdout } = await runHere("client.ts", args, { stdin: "a\nb\n" });
  assertEquals([code, stdout], [0, "2 lines\n"]);
});

Deno.test("client.ts send waits for answers over a WebSocket whose server ends with its peer", async () => {
  await using server = await listen("ws://127.0.0.1:0", async (connection) => {
    for await (const message of connection) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await connection.send(message);
    }
  });
  const args = [server.endpoints[0], "send", "hello", "--expect", "1"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stdout, stderr], [0, "hello\n", ""]);
});

Deno.test("client.ts says that a peer ended when this end had half-closed, and blames nothing else", async () => {
  await using server = await nodeServer(late(60_000));
  const args = [server.endpoint, "send", "hello", "--expect", "1", "--half-close"];
  const { code, stdout, stderr } = await runHere("client.ts", args);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr,
    "error: the peer closed after 0 of 1 answers, when this end had half-closed\n",
  );
});

Deno.test("client.ts send ends with 1 where the answer that it waits for does not come", async () => {
  await using server = await nodeServer(() => {});
  const args = [server.endpoint, "send", "hello", "--expect", "1", "--timeout", "300"];
  const { code, stderr } = await runHere("client.ts", args);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: 0 of 1 answers within 300 ms; it may answer nothing, .*\n$/);
});
