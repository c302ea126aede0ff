/** A bound UDP socket: `node:dgram`, with promises and with the error classes of Deno. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { errors, systemError } from "../../internal/runtime/errors.ts";
import { turnEnd } from "../../internal/turn_end.ts";
import type { Socket } from "node:dgram";
import { delay } from "@std/async/delay";
import { isIPv6, requireNet } from "./addresses.ts";

const { createSocket } = builtin("node:dgram");

/** Callbacks of a socket. They must not throw. */
export interface SocketEvents {
  /** A datagram arrived, in a block of its own. */
  received(datagram: Uint8Array, hostname: string, port: number): void;
  /** Receiving failed once. */
  failed(error: unknown): void;
}

/** How long to wait before each new attempt to send, in milliseconds: buffers may be full. */
const RETRY_DELAYS = [5, 20, 80];

/** A socket that is bound to an address of this machine. */
export class UdpSocket {
  /** Its address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  readonly #socket: Socket;
  #state: "open" | "closed" = "open";

  /**
   * Binds to an address. Port 0 means any free port. With `shared`, other sockets may bind to it, too.
   *
   * @throws the system's error.
   */
  constructor(
    hostname: string,
    port: number,
    events: SocketEvents,
    { shared = false }: { shared?: boolean } = {},
  ) {
    requireNet(hostname, port);
    const family = isIPv6(hostname) ? 6 : 4;
    const socket = createSocket({
      type: `udp${family}`,
      reuseAddr: shared,
      // Only addresses are used here. A synchronous look-up lets errors come during bind().
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    let failure: Error | undefined;
    socket.once("error", (error) => failure = error);
    socket.bind(port, hostname);
    socket.removeAllListeners("error");
    if (failure !== undefined) {
      socket.close();
      throw systemError(failure);
    }
    socket.on("error", (error) => events.failed(error));
    socket.on("message", (datagram, { address, port }) => events.received(datagram, address, port));
    this.#socket = socket;
    ({ address: this.hostname, port: this.port } = socket.address());
  }

  /** Joins a multicast group on the interface with this address, or on one that the system chooses. */
  join(group: string, address?: string): void {
    try {
      this.#socket.addMembership(group, address);
    } catch (cause) {
      const where = address === undefined ? "" : ` at ${address}`;
      throw new Error(`the system does not join group ${group}${where}`, { cause });
    }
  }

  /** Sets how many networks far multicast datagrams go. Only for IPv4. */
  setMulticastTtl(ttl: number): void {
    this.#socket.setMulticastTTL(ttl);
  }

  /** Permits sending to broadcast addresses. */
  permitBroadcast(): void {
    this.#socket.setBroadcast(true);
  }

  /** Gives a datagram to the system. */
  async send(datagram: Uint8Array, hostname: string, port: number): Promise<number> {
    for (let attempt = 0;; attempt++) {
      if (this.#state === "closed") throw new errors.BadResource("socket has been closed");
      try {
        const bytes = await this.#sendOnce(datagram, hostname, port);
        // Sending never waits by itself. So this waits for a turn of the event loop. Otherwise a busy
        // sender would block everything else, and datagrams that arrive meanwhile would be lost.
        await turnEnd();
        return bytes;
      } catch (cause) {
        const { code } = cause as { code?: string };
        if (code === "EMSGSIZE") {
          throw new Error(`a datagram of ${datagram.length} bytes is too large for the system`, {
            cause,
          });
        }
        if (attempt === RETRY_DELAYS.length) throw cannotSend(hostname, cause);
        await delay(RETRY_DELAYS[attempt]);
      }
    }
  }

  #sendOnce(datagram: Uint8Array, hostname: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.send(datagram, port, hostname, (error, bytes) => {
        if (error) reject(error);
        else resolve(bytes);
      });
    });
  }

  /** Closes. A second call does nothing. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#socket.close();
  }

  /** Closes, and waits until others may have its port. */
  async closeAndWait(): Promise<void> {
    this.#state = "closed";
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Guesses the reason, because `node:dgram` gives the same error for all reasons but size. */
function cannotSend(hostname: string, cause: unknown): Error {
  const hint = hostname.endsWith(".255")
    ? "a broadcast address needs ?broadcast=1"
    : hostname.includes("%")
    ? `is there a network interface "${hostname.split("%")[1]}"?`
    : "is there a route?";
  return new Error(`the system does not send to ${hostname}; ${hint}`, { cause });
}
