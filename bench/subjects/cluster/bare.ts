/**
 * What members say goes over the NATS broker to those of the other process, by hand-written lines on bare
 * sockets: no framing, no limits, no rooms. So it costs what the processes and the runtime cost.
 */

import { indexOfNeedle } from "@std/bytes";
import { writeAll } from "../../../internal/bytes.ts";
import { answer, say } from "../answer.mjs";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NEWLINE = encoder.encode("\r\n");
const members = new Set<Deno.Conn>();

const broker = await Deno.connect({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
broker.setNoDelay(true);
const chunk = new Uint8Array(64 * 1024);
await broker.read(chunk); // It tells of itself.
const options = JSON.stringify({ verbose: false, pedantic: false, echo: false });
await writeAll(broker, encoder.encode(`CONNECT ${options}\r\nSUB bare 1\r\n`));

/** One message at a time comes in one piece. */
async function fromBroker(): Promise<void> {
  for (let n; (n = await broker.read(chunk)) !== null;) {
    const end = indexOfNeedle(chunk.subarray(0, n), NEWLINE);
    const head = decoder.decode(chunk.subarray(0, end));
    if (!head.startsWith("MSG ")) continue;
    const message = chunk.slice(end + NEWLINE.length, n - NEWLINE.length);
    for (const member of members) writeAll(member, message).catch(() => {});
  }
}

async function serve(member: Deno.TcpConn): Promise<void> {
  member.setNoDelay(true);
  members.add(member);
  const chunk = new Uint8Array(64 * 1024);
  for (let n; (n = await member.read(chunk).catch(() => null)) !== null;) {
    const head = encoder.encode(`PUB bare ${n}\r\n`);
    const line = new Uint8Array(head.length + n + NEWLINE.length);
    line.set(head);
    line.set(chunk.subarray(0, n), head.length);
    line.set(NEWLINE, head.length + n);
    await writeAll(broker, line);
  }
  members.delete(member);
  member.close();
}

async function accept(server: Deno.TcpListener): Promise<void> {
  for await (const member of server) serve(member);
}

const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
fromBroker();
accept(server);
answer({});
say({ port: server.addr.port });
