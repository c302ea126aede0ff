/** What the servers in bare Deno share: accepting, arguments and commands. */

import { answer, say, Tally } from "./answer.mjs";

/** As much as one read or one write moves. */
export const CHUNK_BYTES = 64 * 1024;

/** What the connections have done. */
export const tally = new Tally();

/** The arguments of the process: the service, bytes of a message, milliseconds of a run. */
export const [service, size, duration] = [
  Deno.args[0],
  Number(Deno.args[1]),
  Number(Deno.args[2]),
];

/** Serves until the process is ended. */
export async function serve(
  services: Record<string, (conn: Deno.TcpConn) => Promise<void>>,
  client: Record<string, (options: never) => unknown>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
  answer({ ...tally.commands, ...client });
  say({ port: listener.addr.port });
  for (;;) {
    const conn = await listener.accept();
    // A load that ends in the middle of a fan-out resets its connections.
    serveOne(conn, services[service]).catch(() => {});
  }
}

async function serveOne(
  conn: Deno.TcpConn,
  service: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  tally.opened();
  conn.setNoDelay(true);
  try {
    await service(conn);
  } finally {
    conn.close();
  }
}

/** What a run of a client takes. */
export interface SendOptions {
  readonly port: number;
  readonly size: number;
  readonly duration: number;
}

/** Sends, and waits until the server has read everything and closed. */
export async function sendWith(
  sendFor: (conn: Deno.TcpConn, size: number, duration: number) => Promise<number>,
  { port, size, duration }: SendOptions,
) {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const start = performance.now();
  const messages = await sendFor(conn, size, duration);
  await conn.closeWrite();
  await conn.read(new Uint8Array(1));
  conn.close();
  return { messages, seconds: (performance.now() - start) / 1000 };
}
