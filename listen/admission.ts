/** Who may come in: connections counted, in all and by address, and how fast they come. */

import { Rate } from "../internal/rate.ts";
import { isLocalPeer, networkOf } from "./addresses.ts";
import { Recent } from "./recent.ts";

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

/**
 * What is counted together: connections, among them carriers of sessions that have greeted; and
 * carriers that have not. There may be as many of these again, since any of them may come to take the
 * place of a connection of which nobody knows yet that it is dead.
 */
export type CountName = "connections" | "greeting";

/** What the rate of one address may be, in seconds' worth of it. */
const BURST_SECONDS = 2;
const DEBT_SECONDS = 20;
/** Addresses whose rate is remembered. */
const MAX_ADDRESSES = 10_000;
/** What a wrong token costs, in connections. */
export const PENALTY = 10;

/**
 * Counts connections. Holds one number per address that has any, and the rates of the last 10 000
 * addresses at most, each until it is as if it had never come.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #counts: Readonly<Record<CountName, Count>> = {
    connections: new Count(),
    greeting: new Count(),
  };
  readonly #rates: Recent<Rate> | undefined;
  readonly #refusals: Record<Limit, number> = {
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    maxConnectionRate: 0,
    denied: 0,
  };

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
  enter(hostname: string, kind: CountName = "connections"): Limit | undefined {
    const refusal = this.#refusal(hostname, kind);
    if (refusal === undefined) this.#counts[kind].add(limitedAs(hostname));
    else this.#refusals[refusal]++;
    return refusal;
  }

  /** A connection that was let in has ended. */
  leave(hostname: string, kind: CountName = "connections"): void {
    this.#counts[kind].remove(limitedAs(hostname));
  }

  /** Names the limit that one more connection would exceed. */
  full(hostname: string, kind: CountName = "connections"): Limit | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const address = limitedAs(hostname);
    const count = this.#counts[kind];
    if (count.total >= maxConnections) return "maxConnections";
    if (address !== undefined && count.of(address) >= maxConnectionsPerAddress) {
      return "maxConnectionsPerAddress";
    }
  }

  /** A carrier that was let in has greeted: it counts as a connection from now on. */
  greeted(hostname: string): void {
    const address = limitedAs(hostname);
    this.#counts.greeting.remove(address);
    this.#counts.connections.add(address);
  }

  /**
   * A peer did what is wrong, by default gave a wrong token: costs its address as much as ten
   * connections, so that guessing is slow. Without `maxConnectionRate`, and on loopback, it costs
   * nothing.
   */
  penalize(hostname: string, cost: number = PENALTY): void {
    const address = limitedAs(hostname);
    if (address !== undefined) this.#rates?.get(address).charge(cost);
  }

  #refusal(hostname: string, kind: CountName): Limit | undefined {
    if (this.#limits.denied?.(hostname)) return "denied";
    const limit = this.full(hostname, kind);
    if (limit !== undefined) return limit;
    const address = limitedAs(hostname);
    // Last, since it takes something of the rate.
    if (address !== undefined && this.#rates?.get(address).take() === false) {
      return "maxConnectionRate";
    }
  }
}

/** How many there are, in all and by address. */
class Count {
  readonly #byAddress = new Map<string, number>();
  total = 0;

  of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  add(address: string | undefined): void {
    this.total++;
    if (address !== undefined) this.#byAddress.set(address, this.of(address) + 1);
  }

  remove(address: string | undefined): void {
    this.total--;
    if (address === undefined) return;
    const left = this.of(address) - 1;
    if (left <= 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}

/** What an address is counted as, if it is: this machine has no limits of its own. */
export function limitedAs(hostname: string): string | undefined {
  return isLocalPeer(hostname) ? undefined : networkOf(hostname);
}
