/** The connecting end of UDP. */

import type { Framing } from "../../codec.ts";
import { isLoopback, isWildcard, loopbackFor } from "../../internal/address.ts";
import {
  formatAddress,
  type Transport,
  type TransportAbilities,
  type UdpEndpoint,
} from "../../transport.ts";
import { canonical, isIPv6, isMulticast, requireNet, resolve, wildcardFor } from "./addresses.ts";
import { datagramFraming } from "./framing.ts";
import { abilitiesOf, Mailbox } from "./mailbox.ts";
import { applyTtl } from "./options.ts";
import { UdpSocket } from "./socket.ts";

/**
 * Makes a socket for one peer, or for all peers of a multicast group or broadcast address. Without
 * `source`, the system chooses the address of this machine.
 */
export async function connectUdp(
  endpoint: UdpEndpoint,
  signal: AbortSignal,
  source?: string,
): Promise<Transport> {
  const { port, group, ttl, broadcast = false } = endpoint;
  if (group !== undefined) {
    throw new TypeError(
      `Cannot use group ${group} for connecting: it is only for listening; to send to it, ` +
        `connect to udp://${formatAddress(group, port)}`,
    );
  }
  const family = source === undefined ? undefined : isIPv6(source) ? 6 : 4;
  const found = await resolve(endpoint.hostname, family);
  signal.throwIfAborted();
  // As with TCP, the wildcard address means this machine here.
  const hostname = isWildcard(found) ? loopbackFor(found) : found;
  requireNet(hostname, port);
  if (source !== undefined && isIPv6(source) !== isIPv6(hostname)) {
    throw new Error(`${source} and ${hostname} are of IPv4 and IPv6: both must be of the same`);
  }
  const framing = datagramFraming(isIPv6(hostname), endpoint.framing === "line");
  const isForMany = broadcast || isMulticast(hostname);
  const transport = new UdpClient({ hostname, port, isForMany, source }, framing);
  try {
    transport.prepare(ttl, broadcast);
    return transport;
  } catch (error) {
    transport.close();
    throw error;
  }
}

/** Whom a client talks with, and from where. */
interface UdpPath {
  readonly hostname: string;
  readonly port: number;
  /** Whether anybody may answer. */
  readonly isForMany: boolean;
  readonly source: string | undefined;
}

class UdpClient implements Transport {
  readonly abilities: TransportAbilities;
  readonly #hostname: string;
  readonly #canonical: string;
  readonly #port: number;
  /** Whether anybody may answer. */
  readonly #isForMany: boolean;
  readonly #mailbox = new Mailbox({ used: 0 });
  readonly #socket: UdpSocket;
  /** Who answered in the place of the peer. */
  #stranger: string | undefined;

  constructor({ hostname, port, isForMany, source }: UdpPath, framing: Framing) {
    this.abilities = this.#abilities(abilitiesOf(framing, this.#mailbox));
    this.#hostname = hostname;
    this.#canonical = canonical(hostname);
    this.#port = port;
    this.#isForMany = isForMany;
    // Bound to loopback, the socket cannot be reached from the network. From ::1 the system does not
    // reach IPv4-mapped loopback.
    const loopback = loopbackFor(hostname);
    const isNear = isLoopback(hostname) && isIPv6(loopback) === isIPv6(hostname);
    const local = source ?? (isNear && !isForMany ? loopback : wildcardFor(hostname));
    this.#socket = new UdpSocket(local, 0, {
      received: (datagram, from, port) => this.#received(datagram, from, port),
      // Only Windows tells such a socket that nothing listens at the peer's address.
      failed: (error) => this.#mailbox.end({ error }),
    });
  }

  get local(): string {
    return formatAddress(this.#socket.hostname, this.#socket.port);
  }

  get remote(): string {
    return formatAddress(this.#hostname, this.#port);
  }

  /** Sets what the endpoint asks for. */
  prepare(ttl: number | undefined, broadcast: boolean): void {
    applyTtl(this.#socket, ttl);
    if (broadcast) this.#socket.permitBroadcast();
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#mailbox.read();
  }

  write(chunk: Uint8Array): Promise<number> {
    return this.#socket.send(chunk, this.#hostname, this.#port);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#socket.close();
    this.#mailbox.close();
  }

  /** Drops datagrams from others: the system does it only for connected sockets, and this is none. */
  #received(datagram: Uint8Array, from: string, port: number): void {
    const isExpected = this.#isForMany ||
      port === this.#port && (from === this.#hostname || canonical(from) === this.#canonical);
    if (isExpected) this.#mailbox.put(datagram);
    else if (port === this.#port) this.#stranger ??= formatAddress(from, port);
  }

  #abilities(abilities: TransportAbilities): TransportAbilities {
    return Object.create(abilities, { stranger: { get: () => this.#stranger, enumerable: true } });
  }
}
