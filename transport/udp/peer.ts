/** One peer of a listening UDP socket. */

import { errors } from "../../internal/runtime/errors.ts";
import type { Framing } from "../../codec.ts";
import { Deadline } from "../../internal/time.ts";
import { formatAddress, type Transport, type TransportAbilities } from "../../transport.ts";
import type { UdpSocket } from "./socket.ts";
import { abilitiesOf, type Budget, Mailbox, MIN_PEER_COST } from "./mailbox.ts";

/** The owner of a peer: the socket that sends and receives its datagrams. */
export interface PeerOwner {
  /** The framing of its datagrams. */
  readonly framing: Framing;
  /** After how much silence a peer expires, in milliseconds. */
  readonly idleTimeout: number;
  /** The bytes that all its mailboxes hold together. */
  readonly budget: Budget;
  /** Gives a datagram to the system. */
  send(datagram: Uint8Array, peer: UdpPeer): Promise<number>;
  /** The peer has expired: further datagrams make a new peer. */
  forget(peer: UdpPeer): void;
  /** The peer is not used any more. */
  release(peer: UdpPeer): void;
}

/** A remote address and port, as a transport. */
export class UdpPeer implements Transport {
  readonly abilities: TransportAbilities;
  readonly remote: string;
  readonly #owner: PeerOwner;
  readonly #mailbox: Mailbox;
  readonly #idle: Deadline;
  #state: "waiting" | "open" | "expired" | "closed" = "waiting";

  constructor(
    owner: PeerOwner,
    readonly key: string,
    readonly hostname: string,
    readonly port: number,
    /** The socket of the address that it sent to. */
    readonly socket: UdpSocket,
  ) {
    this.#owner = owner;
    this.remote = formatAddress(hostname, port);
    this.#mailbox = new Mailbox(owner.budget);
    this.abilities = abilitiesOf(owner.framing, this.#mailbox);
    this.#idle = new Deadline(owner.idleTimeout, () => this.#expire(), { idle: true });
  }

  get local(): string {
    return formatAddress(this.socket.hostname, this.socket.port);
  }

  /** The peer was admitted: from now on it can expire, and more of its datagrams may wait. */
  open(): void {
    this.#state = "open";
    this.#idle.start();
  }

  /** A datagram came from this peer. */
  received(datagram: Uint8Array): void {
    if (this.#state === "open") {
      this.#idle.start();
      this.#mailbox.put(datagram);
    } else this.#mailbox.put(datagram, MIN_PEER_COST);
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#mailbox.read();
  }

  write(chunk: Uint8Array): Promise<number> {
    if (this.#state === "closed") {
      return Promise.reject(new errors.BadResource("connection has been closed"));
    }
    if (this.#state === "open") this.#idle.start();
    return this.#owner.send(chunk, this);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#idle.clear();
    this.#mailbox.close();
    this.#owner.release(this);
  }

  /** Nothing was sent either way for long. A UDP peer does not tell that it leaves. */
  #expire(): void {
    this.#state = "expired";
    this.#mailbox.end();
    this.#owner.forget(this);
  }
}
