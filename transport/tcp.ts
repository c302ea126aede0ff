/** TCP: `tcp://HOST:PORT`. */

import type { TcpEndpoint, Transport } from "../transport.ts";
import { prepare } from "./acknowledgments.ts";
import { dial } from "./dial.ts";
import { DenoListener, DenoTransport, requireDeno } from "./deno_conn.ts";
import type { TransportKind } from "./kind.ts";

/** TCP by `Deno.listen` and `Deno.connect`. */
export const tcp: TransportKind<TcpEndpoint> = {
  listen(endpoint, { backlog }) {
    requireDeno();
    const { hostname, port } = endpoint;
    const listener = Deno.listen({ hostname, port, tcpBacklog: backlog });
    return Promise.resolve(
      new DenoListener(listener, { ...endpoint, port: listener.addr.port }, overTcp),
    );
  },
  async connect(endpoint, { signal, proxy }) {
    requireDeno();
    return overTcp(await dial(endpoint, { signal, proxy }));
  },
};

function overTcp(conn: Deno.TcpConn): Transport {
  return new DenoTransport(conn, prepare(conn));
}
