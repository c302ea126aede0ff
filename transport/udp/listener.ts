/** The listening end of UDP: its sockets, and a transport for each address that sends to it. */

import { errors } from "../../internal/runtime/errors.ts";
import { os } from "../../internal/runtime/os.ts";
import { Deque } from "@std/data-structures";
import type { Framing } from "../../codec.ts";
import { isWildcard } from "../../internal/address.ts";
import { checkDelay } from "../../internal/check.ts";
import { formatAddress, type UdpEndpoint, type UdpListenOptions } from "../../transport.ts";
import type { AcceptedPeer, TransportListener } from "../kind.ts";
import {
  canonical,
  hasAllNet,
  isIPv6,
  isMulticast,
  requireNet,
  resolve,
  wildcardFor,
} from "./addresses.ts";
import { datagramFraming } from "./framing.ts";
import { applyTtl } from "./options.ts";
import { type PeerOwner, UdpPeer } from "./peer.ts";
import type { UdpSocket } from "./socket.ts";
import { type Events, UdpSockets } from "./sockets.ts";

/** How many peers may wait to be accepted. */
const MAX_WAITING_PEERS = 1024;
/** How many refused addresses are remembered, and for how long, in milliseconds. */
const MAX_REFUSED = 4096;
const REFUSED_TIME = 1_000;

/** Binds to the endpoint, and joins its multicast group. */
export async function listenUdp(
  endpoint: UdpEndpoint,
  options: UdpListenOptions,
): Promise<TransportListener> {
  const { idleTimeout = 60_000 } = options;
  checkDelay("udp.idleTimeout", idleTimeout);
  const { group } = endpoint;
  if (group !== undefined && !isMulticast(group)) {
    throw new TypeError(
      `Cannot use group ${group}: it must be a multicast address, such as 239.1.2.3 or ff02::1:2:3`,
    );
  }
  const hostname = await resolve(endpoint.hostname);
  if (group !== undefined && isIPv6(group) !== isIPv6(hostname)) {
    throw new TypeError(
      `Cannot use group ${group} together with host ${hostname}: both must be IPv4 or both IPv6; ` +
        `${formatAddress(wildcardFor(group), endpoint.port)} lets the system choose where to join`,
    );
  }
  const handlers: Events = { received() {}, failed() {} };
  const sockets = await UdpSockets.bind(
    hostname,
    endpoint.port,
    { received: (...what) => handlers.received(...what), failed: () => handlers.failed() },
    group === undefined ? undefined : hostForGroup(group),
  );
  return new UdpListener(endpoint, hostname, idleTimeout, sockets, handlers);
}

class UdpListener implements TransportListener, PeerOwner {
  readonly endpoint: UdpEndpoint;
  readonly framing: Framing;
  readonly idleTimeout: number;
  readonly budget = { used: 0 };
  /** How many datagrams belonged to no connection: their peer was refused, or too many peers waited. */
  dropped = 0;
  readonly #sockets: UdpSockets;
  /** The peers that have not expired, by address and port. */
  readonly #peers = new Map<string, UdpPeer>();
  readonly #waiting = new Deque<UdpPeer>();
  /** The refused peers, and until when their datagrams are dropped; the oldest first. */
  readonly #refused = new Map<string, number>();
  readonly #mayAnswerAll = hasAllNet();
  /** The peers that were opened and are not closed, expired or not. */
  readonly #open = new Set<UdpPeer>();
  #accepting: PromiseWithResolvers<void> | undefined;
  #state: "open" | "closed" = "open";

  constructor(
    endpoint: UdpEndpoint,
    hostname: string,
    idleTimeout: number,
    sockets: UdpSockets,
    handlers: Events,
  ) {
    const { group, ttl, broadcast } = endpoint;
    this.idleTimeout = idleTimeout;
    this.framing = datagramFraming(isIPv6(hostname), endpoint.framing === "line");
    this.#sockets = sockets;
    handlers.received = (...what) => this.#received(...what);
    // On Windows, a peer that has gone makes one receive fail. The other peers go on.
    handlers.failed = () => this.dropped++;
    const { main } = this.#sockets;
    try {
      if (group !== undefined) {
        main.join(group, isWildcard(hostname) ? undefined : hostname);
      }
      applyTtl(main, ttl);
      if (broadcast) this.#sockets.permitBroadcast();
    } catch (error) {
      this.#sockets.close();
      throw error;
    }
    this.endpoint = { ...endpoint, port: main.port };
  }

  async accept(): Promise<AcceptedPeer> {
    while (this.#waiting.isEmpty()) {
      if (this.#state === "closed") {
        throw new errors.BadResource("listener has been closed");
      }
      this.#accepting ??= Promise.withResolvers<void>();
      await this.#accepting.promise;
    }
    const peer = this.#waiting.popFront()!;
    return {
      hostname: peer.hostname,
      open: () => {
        this.#open.add(peer);
        peer.open();
        return peer;
      },
      refuse: () => {
        this.#refuse(peer.key);
        peer.close();
      },
    };
  }

  /**
   * Stops accepting new peers. As with TCP, the connected peers go on. The socket stays open until the
   * last of them has closed.
   */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const peer of this.#waiting) peer.close();
    this.#waiting.clear();
    this.#refused.clear();
    this.#accepting?.resolve();
    this.#closeSocketIfUnused();
  }

  async send(datagram: Uint8Array, { hostname, port, socket }: UdpPeer): Promise<number> {
    if (!this.#mayAnswerAll) requireNet(hostname, port);
    return await socket.send(datagram, hostname, port);
  }

  forget(peer: UdpPeer): void {
    // A newer peer may have the same address by now.
    if (this.#peers.get(peer.key) === peer) this.#peers.delete(peer.key);
  }

  release(peer: UdpPeer): void {
    this.forget(peer);
    this.#open.delete(peer);
    this.#closeSocketIfUnused();
  }

  #closeSocketIfUnused(): void {
    if (this.#state === "closed" && this.#open.size === 0) this.#sockets.close();
  }

  #received(datagram: Uint8Array, hostname: string, port: number, socket: UdpSocket): void {
    const key = `${hostname} ${port} ${socket.hostname}`;
    const known = this.#peers.get(key);
    if (known !== undefined) return known.received(datagram);
    const isFull = this.#waiting.length >= MAX_WAITING_PEERS;
    if (this.#state === "closed" || isFull || this.#isRefused(key)) {
      this.dropped++;
      return;
    }
    const peer = new UdpPeer(this, key, hostname, port, socket);
    this.#peers.set(key, peer);
    this.#waiting.pushBack(peer);
    peer.received(datagram);
    this.#accepting?.resolve();
    this.#accepting = undefined;
  }

  #isRefused(key: string): boolean {
    const until = this.#refused.get(key);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#refused.delete(key);
    return false;
  }

  #refuse(key: string): void {
    this.#refused.delete(key);
    this.#refused.set(key, performance.now() + REFUSED_TIME);
    if (this.#refused.size <= MAX_REFUSED) return;
    const [oldest] = this.#refused.keys();
    this.#refused.delete(oldest);
  }
}

/**
 * The address to bind to for a group. A socket that is bound to the group's address gets only what is
 * sent to the group. Windows cannot do that.
 */
function hostForGroup(group: string): string {
  return os === "windows" ? wildcardFor(group) : canonical(group, { keepZone: true });
}
