/** The sockets of a listener: one per address of this machine, so that answers leave from the one asked. */

import { builtin } from "../../internal/runtime/builtin.ts";
import { errors } from "../../internal/runtime/errors.ts";
import { isGranted } from "../../internal/runtime/permissions.ts";
import { isWildcard } from "../../internal/address.ts";
import { isIPv6 } from "./addresses.ts";
import { UdpSocket } from "./socket.ts";

/** What to do with what arrives. The callbacks must not throw. */
export interface Events {
  /** A datagram arrived at one of the sockets. */
  received(datagram: Uint8Array, hostname: string, port: number, socket: UdpSocket): void;
  /** Receiving failed once. */
  failed(): void;
}

/** Of 127.0.0.0/8, all of which is this machine, those that are in use: also Debian's own name. */
const LOOPBACKS = [...Array.from({ length: 9 }, (_, i) => `127.0.0.${i + 1}`), "127.0.1.1"];

/** How often the system may choose a port that another program then takes. */
const MAX_CHOICES = 10;

/** The permission that shows the addresses of this machine. */
const INTERFACES = { name: "sys", kind: "networkInterfaces" } as const;

/**
 * A socket that is bound to all addresses answers from the one that the system likes best for the way
 * back, and not from the one that was asked; who asked takes that for a stranger's, and drops it. So
 * each address has a socket of its own. The one of all addresses gets the rest: broadcasts, and
 * addresses that come later.
 *
 * The addresses are known as far as the program may look at network interfaces; loopback always is.
 */
export class UdpSockets {
  /** The one that is bound to the address that was asked for. */
  readonly main: UdpSocket;
  readonly #others: readonly UdpSocket[];

  private constructor(main: UdpSocket, others: readonly UdpSocket[]) {
    this.main = main;
    this.#others = others;
  }

  /**
   * Binds to an address, or to all; for a `group`, whose socket others may bind to as well, to that.
   *
   * @throws the system's error.
   */
  static async bind(
    hostname: string,
    wantedPort: number,
    { received, failed }: Events,
    group?: string,
  ): Promise<UdpSockets> {
    const bind = (hostname: string, port: number, shared: boolean) => {
      const socket: UdpSocket = new UdpSocket(hostname, port, {
        received: (datagram, from, fromPort) => received(datagram, from, fromPort, socket),
        failed,
      }, { shared });
      return socket;
    };
    if (group !== undefined) return new UdpSockets(bind(group, wantedPort, true), []);
    if (!isWildcard(hostname)) return new UdpSockets(bind(hostname, wantedPort, false), []);
    const main = await bindToFree((port) => bind(hostname, port, true), hostname, wantedPort);
    const { port } = main;
    const others: UdpSocket[] = [];
    for (const address of ownAddresses(isIPv6(hostname))) {
      try {
        others.push(bind(address, port, true));
      } catch {
        // It has gone meanwhile, or is not ready yet: the main socket gets what comes to it.
      }
    }
    return new UdpSockets(main, others);
  }

  /** Permits sending to broadcast addresses. */
  permitBroadcast(): void {
    for (const socket of [this.main, ...this.#others]) socket.permitBroadcast();
  }

  /** Closes all. */
  close(): void {
    for (const socket of [this.main, ...this.#others]) socket.close();
  }
}

/** Whether the addresses of this machine may be looked at. */
function mayListAddresses(): boolean {
  return isGranted(INTERFACES);
}

/**
 * Binds to a port that nobody has. If the system chose the port, another program may take it in the
 * moment before: then the system chooses again.
 */
async function bindToFree(
  bind: (port: number) => UdpSocket,
  hostname: string,
  wanted: number,
): Promise<UdpSocket> {
  for (let attempt = 1;; attempt++) {
    const port = await freePort(hostname, wanted);
    try {
      return bind(port);
    } catch (error) {
      const isTaken = wanted === 0 && error instanceof errors.AddrInUse;
      if (!isTaken || attempt === MAX_CHOICES) throw error;
    }
  }
}

/** Looks that nobody has the port: sockets that share an address with each other do so with anybody. */
async function freePort(hostname: string, wanted: number): Promise<number> {
  const alone = new UdpSocket(hostname, wanted, { received() {}, failed() {} });
  await alone.closeAndWait();
  return alone.port;
}

/** As a socket of the family has them: IPv4's are mapped for one of IPv6. */
function ownAddresses(forIPv6: boolean): string[] {
  const found = mayListAddresses() ? builtin("node:os").networkInterfaces() : {};
  const own = Object.entries(found).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, family }) =>
      family === "IPv6" && /^fe[89ab].:/i.test(address) ? `${address}%${name}` : address
    )
  );
  const ipv4 = new Set([...LOOPBACKS, ...own.filter((address) => !isIPv6(address))]);
  if (!forIPv6) return [...ipv4];
  const ipv6 = new Set(["::1", ...own.filter(isIPv6)]);
  return [...ipv6, ...Array.from(ipv4, (address) => `::ffff:${address}`)];
}
