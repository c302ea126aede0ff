import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { fromHex, toBase64, toHex } from "../../internal/encoding.ts";
import { errors } from "../../internal/runtime/errors.ts";
import { requireRuntime } from "../../internal/runtime/runtime.ts";
import { NodeListener, sockets } from "../../internal/runtime/sockets/node.ts";
import { NodeTcpSocket } from "../../internal/runtime/sockets/node_socket.ts";
import type { TcpSocket } from "../../internal/runtime/stream_socket.ts";

Deno.test("NodeListener keeps no more peers than its limit, and tells how many it closed", async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  const listener = new NodeListener<TcpSocket>(server, (socket) => new NodeTcpSocket(socket), 2);
  await once(server, "listening");
  const { hostname, port } = listener.addr;
  const { signal } = new AbortController();
  const arrived = Promise.withResolvers<void>();
  let count = 0;
  server.on("connection", (_: Socket) => ++count === 4 && arrived.resolve());
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await sockets.connectTcp({ hostname, port }, signal));
  await arrived.promise;
  await assertRejects(() => listener.accept(), Error, "closed 2 peers: 2 waited to be accepted");
  const accepted = [await listener.accept(), await listener.accept()];
  for (const client of clients.slice(2)) {
    assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
  }
  const waiting = assertRejects(() => listener.accept(), errors.BadResource);
  listener.close();
  await waiting;
  for (const socket of [...clients, ...accepted]) socket.close();
});

Deno.test("requireRuntime() refuses versions that are too old, by name", () => {
  assertThrows(
    () => requireRuntime({ name: "Node", version: "20.20.2" }),
    Error,
    "Cannot use Node 20.20.2: 22.3 or newer is needed",
  );
  assertThrows(
    () => requireRuntime({ name: "Deno", version: "2.9.4" }),
    Error,
    "Cannot use Deno 2.9.4: before 2.9.5 it loses pending writes on close",
  );
  requireRuntime({ name: "Node", version: "22.3.0" });
  requireRuntime({ name: "Node", version: "24.0.0" });
  requireRuntime({ name: "Deno", version: "2.10.0" });
  requireRuntime({ name: "Bun", version: "1.4.5" });
});

Deno.test("toHex(), fromHex() and toBase64() are what the newest runtimes have", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assertEquals(toHex(bytes), bytes.toHex());
  assertEquals(fromHex(toHex(bytes)), bytes);
  assertEquals(toBase64(bytes), bytes.toBase64());
  assertThrows(() => fromHex("abc"), SyntaxError);
  assertThrows(() => fromHex("zz"), SyntaxError);
});
