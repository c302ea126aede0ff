/** Who may come in: connections counted, in all and by address. */

/** How many connections a server takes. */
export interface AdmissionLimits {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Connections at a time from one remote address other than loopback. */
  readonly maxConnectionsPerAddress: number;
}

/** Counts connections. Holds one number per address that has any. */
export class Admission {
  /** How many were turned away. */
  refused = 0;
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #connections = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Lets a connection in, or names the limit that it exceeds. */
  enter(hostname: string): keyof AdmissionLimits | undefined {
    const limit = this.#exceeded(hostname);
    if (limit !== undefined) {
      this.refused++;
      return limit;
    }
    this.#connections++;
    this.#byAddress.set(hostname, (this.#byAddress.get(hostname) ?? 0) + 1);
  }

  /** A connection that was let in has ended. */
  leave(hostname: string): void {
    this.#connections--;
    const left = (this.#byAddress.get(hostname) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(hostname);
    else this.#byAddress.set(hostname, left);
  }

  #exceeded(hostname: string): keyof AdmissionLimits | undefined {
    if (this.#connections >= this.#limits.maxConnections) return "maxConnections";
    const count = this.#byAddress.get(hostname) ?? 0;
    if (count >= this.#limits.maxConnectionsPerAddress && !isLoopback(hostname)) {
      return "maxConnectionsPerAddress";
    }
  }
}

/**
 * Whether an address is this machine: 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291), also IPv4-mapped, or
 * none at all.
 */
export function isLoopback(hostname: string): boolean {
  return /^(::ffff:)?127\./i.test(hostname) || hostname === "::1" || hostname === "";
}
