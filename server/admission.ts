/** Who may come in: connections counted, in all and by address, and how fast they come. */

import { Rate } from "../rate.ts";
import { isLoopback, networkOf } from "./addresses.ts";
import { Recent } from "./recent.ts";

export { isLoopback };

/** What turns connections away. */
export interface AdmissionLimits {
  /** Connections at a time. */
  readonly maxConnections: number;
  /**
   * Connections at a time from one remote address other than loopback. IPv6 addresses that share
   * their first 64 bits count as one.
   */
  readonly maxConnectionsPerAddress: number;
  /** Connections per second from one such address, after twice as many at once. Without it, any. */
  readonly maxConnectionRate?: number;
  /** Tells whether an address may not come in at all. Without it, all may. */
  readonly denied?: (hostname: string) => boolean;
}

/** What a connection can be turned away for. */
export type Limit = keyof AdmissionLimits;

/** What the rate of one address may be, in seconds' worth of it. */
const BURST_SECONDS = 2;
const DEBT_SECONDS = 20;
/** Addresses whose rate is remembered. */
const MAX_ADDRESSES = 10_000;
/** What a wrong token costs, in connections. */
const PENALTY = 10;

/**
 * Counts connections. Holds one number per address that has any, and the rates of the last 10 000
 * addresses at most, each until it is as if it had never come.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #rates: Recent<Rate> | undefined;
  readonly #refusals: Record<Limit, number> = {
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    maxConnectionRate: 0,
    denied: 0,
  };
  #connections = 0;

  /** `now` is the clock, in milliseconds. */
  constructor(limits: AdmissionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    const { maxConnectionRate: perSecond } = limits;
    if (perSecond === undefined) return;
    const rate = {
      perSecond,
      burst: perSecond * BURST_SECONDS,
      // Those that are in may all be wrong at once; but no address is kept out for long.
      maxDebt: perSecond * DEBT_SECONDS,
    };
    this.#rates = new Recent(
      { maxKeys: MAX_ADDRESSES, maxAge: (BURST_SECONDS + DEBT_SECONDS) * 1000 },
      () => new Rate(rate, now),
      now,
    );
  }

  /** How many were turned away. */
  get refused(): number {
    return Object.values(this.#refusals).reduce((sum, count) => sum + count);
  }

  /** How many were turned away for what. */
  get refusals(): Readonly<Record<Limit, number>> {
    return this.#refusals;
  }

  /** Addresses of which a rate is remembered; one may count twice. */
  get remembered(): number {
    return this.#rates?.size ?? 0;
  }

  /** Lets a connection in, or names what it is turned away for. */
  enter(hostname: string): Limit | undefined {
    const address = limitedAs(hostname);
    const refusal = this.#refusal(hostname, address);
    if (refusal !== undefined) {
      this.#refusals[refusal]++;
      return refusal;
    }
    this.#connections++;
    if (address !== undefined) {
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    }
  }

  /** A connection that was let in has ended. */
  leave(hostname: string): void {
    this.#connections--;
    const address = limitedAs(hostname);
    if (address === undefined) return;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }

  /**
   * A peer gave a wrong token: costs its address as much as ten connections, so that guessing is slow.
   * Without `maxConnectionRate`, and on loopback, it costs nothing.
   */
  penalize(hostname: string): void {
    const address = limitedAs(hostname);
    if (address !== undefined) this.#rates?.get(address).charge(PENALTY);
  }

  #refusal(hostname: string, address: string | undefined): Limit | undefined {
    const { maxConnections, maxConnectionsPerAddress, denied } = this.#limits;
    if (denied?.(hostname)) return "denied";
    if (this.#connections >= maxConnections) return "maxConnections";
    if (address === undefined) return undefined;
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= maxConnectionsPerAddress) return "maxConnectionsPerAddress";
    // Last, since it takes something of the rate.
    if (this.#rates?.get(address).take() === false) return "maxConnectionRate";
  }
}

/** What an address is counted as, if it is: this machine has no limits of its own. */
function limitedAs(hostname: string): string | undefined {
  return isLoopback(hostname) ? undefined : networkOf(hostname);
}
