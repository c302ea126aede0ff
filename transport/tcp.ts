/** TCP: `tcp://HOST:PORT`. */

import { sockets } from "../internal/runtime/sockets.ts";
import type { TcpSocket } from "../internal/runtime/stream_socket.ts";
import type { TcpEndpoint, Transport } from "../transport.ts";
import { prepare } from "./acknowledgments.ts";
import { dial } from "./dial.ts";
import type { TransportKind } from "./kind.ts";
import { portOf } from "./port.ts";
import { behindProxy } from "./proxied.ts";
import { StreamListener, StreamTransport } from "./stream.ts";

/** TCP by the sockets of the runtime. */
export const tcp: TransportKind<TcpEndpoint> = {
  async listen(endpoint, options) {
    const listener = await (await sockets()).listenTcp(portOf(endpoint, options));
    const peerOf = behindProxy(endpoint, overTcp, options.isProxy);
    const open = { ...endpoint, port: listener.addr.port };
    return new StreamListener(listener, open, overTcp, peerOf);
  },
  async connect(endpoint, { signal, proxy, source }) {
    return overTcp(await dial(endpoint, { signal, proxy, source }));
  },
};

function overTcp(conn: TcpSocket): Transport {
  return new StreamTransport(conn, prepare(conn));
}
