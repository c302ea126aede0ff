/** Options of `udp:` endpoints. */

import { isIPv6 } from "./addresses.ts";
import type { UdpSocket } from "./socket.ts";

/**
 * Sets how many networks far multicast datagrams go.
 *
 * @throws {TypeError} {RangeError} for what the system would ignore or refuse.
 */
export function applyTtl(socket: UdpSocket, ttl: number | undefined): void {
  if (ttl === undefined) return;
  if (isIPv6(socket.hostname)) throw new TypeError(`Cannot use ttl ${ttl}: it is only for IPv4`);
  if (ttl < 1 || ttl > 255) {
    throw new RangeError(`Cannot use ttl ${ttl}: it must be an integer from 1 to 255`);
  }
  socket.setMulticastTtl(ttl);
}
