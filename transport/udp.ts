/**
 * UDP: `udp://HOST:PORT`, a message is a datagram.
 *
 * A message arrives whole or not at all: up to 65,507 bytes over IPv4 and 65,527 over IPv6, and empty
 * ones too. Messages above some 1,400 bytes travel in pieces, and are lost with any of them. UDP does
 * not promise
 *
 * - that a message arrives: networks and full queues drop it, at the receiver those above 1 MiB that
 *   wait to be read. `send()` resolves when the system has taken it; nobody is held back;
 * - that messages arrive in order, or only once;
 * - that anyone is told of an end: `close()` says nothing to the peer. A listener takes a peer for
 *   gone when no datagram went either way for `udp.idleTimeout`. One that connects never learns it,
 *   and does not learn either that nothing listens there: `node:dgram`, which needs no unstable
 *   flag, hands over no such word of the network's (but Windows' does);
 * - who sent it: a source address is easily forged. An answer may go to somebody who never asked;
 *   where it is larger than the question, that makes an attack stronger (RFC 8085, 6), and forged
 *   addresses can take up all connections of a server until they expire.
 *
 * A listener makes a connection of each remote address and port that sends to it. After the
 * connection has ended, by either reason, the next datagram from there makes a new one. With
 * `?group=ADDRESS` it joins the multicast group on the interface that has the host's address, or with
 * host `0.0.0.0` on the one that the system chooses, and receives what is sent to the group only.
 *
 * One that connects hears only whom it connected to, except where that is a multicast group or, with
 * `?broadcast=1`, a broadcast address: then all may answer, and messages do not tell who did.
 */

import type { UdpEndpoint } from "../transport.ts";
import type { TransportKind } from "./kind.ts";
import { connectUdp } from "./udp/client.ts";
import { listenUdp } from "./udp/listener.ts";

/** UDP by `node:dgram`. */
export const udp: TransportKind<UdpEndpoint> = {
  listen: (endpoint, { udp = {} }) => listenUdp(endpoint, udp),
  connect: (endpoint, { signal }) => connectUdp(endpoint, signal),
};
