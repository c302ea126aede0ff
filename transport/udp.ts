/**
 * UDP: `udp://HOST:PORT`, a message is a datagram.
 *
 * A message arrives whole or not at all. It may have up to 65,507 bytes over IPv4 and 65,527 bytes
 * over IPv6, and may be empty. A message above about 1,400 bytes travels in fragments; if one
 * fragment is lost, the message is lost. UDP does not promise
 *
 * - that a message arrives. Networks drop messages, and so do full queues: the receiver drops
 *   messages when more than 1 MiB wait to be read. `send()` resolves when the system has taken the
 *   message; there is no backpressure;
 * - that messages arrive in order, or only once;
 * - that the peer is told of an end. `close()` tells the peer nothing. A listener ends a peer's
 *   connection when no datagram went either way for `udp.idleTimeout`. A client never learns that
 *   the server has ended, or that nothing listens there: `node:dgram`, which needs no unstable
 *   flag, does not pass on what the network tells about that, except on Windows;
 * - who sent a message. A source address is easily forged, so an answer may go to somebody who
 *   never asked. If the answer is larger than the question, it makes an attack stronger (RFC 8085,
 *   section 6). Forged addresses can also use up all connections of a server until they expire.
 *
 * A listener on all addresses, `0.0.0.0` or `[::]`, answers from the address that was asked: it has a
 * socket for each address of loopback, and with `--allow-sys=networkInterfaces` for all others too.
 * Without that permission the system chooses the address for answers to other machines.
 *
 * A listener makes a connection for each remote address and port that sends to it. When that
 * connection has ended, the next datagram from there makes a new one. With `?group=ADDRESS` the
 * listener joins that multicast group, and receives only what is sent to the group. It joins on the
 * interface that has the host's address; with host `0.0.0.0` the system chooses the interface.
 *
 * A client receives only from the address that it connected to; `connection.stranger` tells who else
 * answered. If that is a multicast group, or a
 * broadcast address with `?broadcast=1`, everybody may answer, and a message does not tell its sender.
 */

import { notHere, runtime } from "../internal/runtime/runtime.ts";
import type { UdpEndpoint } from "../transport.ts";
import type { TransportKind } from "./kind.ts";
import { connectUdp } from "./udp/client.ts";
import { listenUdp } from "./udp/listener.ts";

/** UDP by `node:dgram`. */
export const udp: TransportKind<UdpEndpoint> = {
  async listen(endpoint, { udp = {} }) {
    requireUdp();
    return await listenUdp(endpoint, udp);
  },
  async connect(endpoint, { signal, source }) {
    requireUdp();
    return await connectUdp(endpoint, signal, source);
  },
};

function requireUdp(): void {
  if (runtime.name === "Bun") throw notHere("udp:", "it tells too late whether an address is free");
}
