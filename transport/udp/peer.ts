/** One peer of a listening UDP socket. */

import type { Framing } from "../../codec.ts";
import { Deadline } from "../../internal/time.ts";
import { formatAddress, type Transport, type TransportAbilities } from "../../transport.ts";
import { abilitiesOf, type Budget, Mailbox, MIN_PEER_COST } from "./mailbox.ts";

/** The socket that a peer's datagrams come and go through. */
export interface PeerOwner {
  /** Where it listens. */
  readonly local: string;
  /** The framing of its datagrams. */
  readonly framing: Framing;
  /** After how long a quiet peer has gone, in milliseconds. */
  readonly idleTimeout: number;
  /** What all its mailboxes hold. */
  readonly budget: Budget;
  /** Hands a datagram over to the system. */
  send(datagram: Uint8Array, hostname: string, port: number): Promise<number>;
  /** The peer is quiet: further datagrams are those of a new peer. */
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
  ) {
    this.#owner = owner;
    this.remote = formatAddress(hostname, port);
    this.#mailbox = new Mailbox(owner.budget);
    this.abilities = abilitiesOf(owner.framing, this.#mailbox);
    this.#idle = new Deadline(owner.idleTimeout, () => this.#expire(), { idle: true });
  }

  get local(): string {
    return this.#owner.local;
  }

  /** It was let in: from now on it can expire, and may have more waiting. */
  open(): void {
    this.#state = "open";
    this.#idle.start();
  }

  /** A datagram came from it. */
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
      return Promise.reject(new Deno.errors.BadResource("connection has been closed"));
    }
    if (this.#state === "open") this.#idle.start();
    return this.#owner.send(chunk, this.hostname, this.port);
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

  /** It has said nothing for long, and would not say that it left. */
  #expire(): void {
    this.#state = "expired";
    this.#mailbox.end();
    this.#owner.forget(this);
  }
}
