/** As `bare.ts`, but NATS' own client speaks with the broker. */

import { connect } from "@nats-io/transport-node";
import { writeAll } from "../../../internal/bytes.ts";
import { answer, say } from "../answer.mjs";

const SUBJECT = "bare_nats";
const members = new Set<Deno.Conn>();

const nats = await connect({ servers: `127.0.0.1:${Deno.args[0]}`, noEcho: true });
nats.subscribe(SUBJECT, {
  callback: (_, { data }) => {
    for (const member of members) writeAll(member, data).catch(() => {});
  },
});

async function serve(member: Deno.TcpConn): Promise<void> {
  member.setNoDelay(true);
  members.add(member);
  const chunk = new Uint8Array(64 * 1024);
  for (let n; (n = await member.read(chunk).catch(() => null)) !== null;) {
    nats.publish(SUBJECT, chunk.slice(0, n));
  }
  members.delete(member);
  member.close();
}

async function accept(server: Deno.TcpListener): Promise<void> {
  for await (const member of server) serve(member);
}

const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
accept(server);
answer({});
say({ port: server.addr.port });
