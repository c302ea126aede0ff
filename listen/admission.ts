/**
 * Decides whether a connection may enter. Counts connections, in total and for each address, and
 * measures how fast they come.
 */

import { Rate } from "../internal/rate.ts";
import { isLocalPeer, networkOf } from "./addresses.ts";
import { Recent } from "./recent.ts";
import type { CountName, SharedCounts } from "./shared_counts.ts";

/** Limits. A connection that exceeds one is turned away. */
export interface AdmissionLimits {
  /** How many connections there may be at a time. */
  readonly maxConnections: number;
  /**
   * How many connections there may be at a time from one remote address other than loopback. IPv6
   * addresses that share their first 64 bits count as one.
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * How many connections per second one such address may make, after twice as many at once. Without
   * it there is no such limit.
   */
  readonly maxConnectionRate?: number;
  /** Tells whether an address is refused always. Without it no address is. */
  readonly denied?: (hostname: string) => boolean;
  /** The counts that this server has together with those of other threads, if it does. */
  readonly counts?: SharedCounts;
}

/** The limit that turned a connection away. */
export type Limit = Exclude<keyof AdmissionLimits, "counts">;

/**
 * There are two separate counts: live connections, and carriers that have not greeted. A carrier of
 * a session that has greeted counts as a connection. Both counts have the same limits. A carrier
 * that has not greeted may come to replace a connection that is dead but not known to be dead yet,
 * so the limit of connections must not keep it out. Peers whose proxy has not yet said who they are have
 * a count of their own, as a whole only: their address is the proxy's.
 */
export type { CountName } from "./shared_counts.ts";

/**
 * The rate limit of one address, as seconds of its rate: how much it may use at once, and how much
 * it may owe.
 */
const BURST_SECONDS = 2;
const DEBT_SECONDS = 20;
/** For how many addresses the rate is remembered. */
const MAX_ADDRESSES = 10_000;
/** A wrong token costs as much of the rate as this many connections. */
export const PENALTY = 10;

/**
 * Counts connections. It holds one number for each address that has connections, and the rates of
 * at most the last 10 000 addresses. A rate is held until forgetting it makes no difference.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #counts: Readonly<Record<CountName, Count>>;
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
    const { maxConnectionRate: perSecond, counts } = limits;
    this.#counts = {
      connections: new Count("connections", counts),
      greeting: new Count("greeting", counts),
      proxied: new Count("proxied", counts),
    };
    if (perSecond === undefined) return;
    const rate = {
      perSecond,
      burst: perSecond * BURST_SECONDS,
      // All connections of an address may give a wrong token at once. Even then the address is not
      // kept out for long.
      maxDebt: perSecond * DEBT_SECONDS,
    };
    this.#rates = new Recent(
      { maxKeys: MAX_ADDRESSES, maxAge: (BURST_SECONDS + DEBT_SECONDS) * 1000 },
      () => new Rate(rate, now),
      now,
    );
  }

  /** How many connections were turned away. */
  get refused(): number {
    return Object.values(this.#refusals).reduce((sum, count) => sum + count);
  }

  /** How many connections each limit turned away. */
  get refusals(): Readonly<Record<Limit, number>> {
    return this.#refusals;
  }

  /** For how many addresses a rate is remembered. An address may count twice. */
  get remembered(): number {
    return this.#rates?.size ?? 0;
  }

  /** Lets a connection in and counts it, or returns the limit that turns it away. */
  enter(hostname: string, kind: CountName = "connections"): Limit | undefined {
    const refusal = this.#refusal(hostname, kind) ?? this.#take(hostname, kind);
    if (refusal !== undefined) this.#refusals[refusal]++;
    return refusal;
  }

  /** Call it when a connection that was let in has ended. */
  leave(hostname: string, kind: CountName = "connections"): void {
    this.#counts[kind].remove(limitedAs(hostname));
  }

  /** Returns the limit that one more connection would exceed. */
  full(hostname: string, kind: CountName = "connections"): Limit | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const address = limitedAs(hostname);
    const count = this.#counts[kind];
    if (count.total >= maxConnections) return "maxConnections";
    if (address !== undefined && count.of(address) >= maxConnectionsPerAddress) {
      return "maxConnectionsPerAddress";
    }
  }

  /** Call it when a carrier that was let in has greeted. From then on it counts as a connection. */
  greeted(hostname: string): void {
    const address = limitedAs(hostname);
    this.#counts.greeting.remove(address);
    this.#counts.connections.add(address);
  }

  /**
   * Call it when a peer that was let in to greet is no carrier. From then on it counts as a connection,
   * or stays where it is counted, and the limit is returned that turns it away.
   */
  settled(hostname: string): Limit | undefined {
    const limit = this.full(hostname) ?? this.#take(hostname, "connections");
    if (limit === undefined) this.#counts.greeting.remove(limitedAs(hostname));
    else this.#refusals[limit]++;
    return limit;
  }

  /**
   * Call it when a peer has given a wrong token, or has done something else that is wrong. By
   * default this costs its address as much as ten connections, so guessing is slow. Without
   * `maxConnectionRate`, and on loopback, it costs nothing.
   */
  penalize(hostname: string, cost: number = PENALTY): void {
    const address = limitedAs(hostname);
    if (address !== undefined) this.#rates?.get(address).charge(cost);
  }

  /** Counts one more. Another thread may have done so at the same time, and then both give way. */
  #take(hostname: string, kind: CountName): Limit | undefined {
    const address = limitedAs(hostname);
    const count = this.#counts[kind];
    count.add(address);
    if (count.total <= this.#limits.maxConnections) return undefined;
    count.remove(address);
    return "maxConnections";
  }

  #refusal(hostname: string, kind: CountName): Limit | undefined {
    if (this.#limits.denied?.(hostname)) return "denied";
    const limit = this.full(hostname, kind);
    if (limit !== undefined) return limit;
    const address = limitedAs(hostname);
    // This comes last, because it uses up a part of the rate.
    if (address !== undefined && this.#rates?.get(address).take() === false) {
      return "maxConnectionRate";
    }
  }
}

/** A count, in total and for each address: of this server, or with those of other threads. */
class Count {
  readonly #byAddress = new Map<string, number>();
  readonly #kind: CountName;
  readonly #shared: SharedCounts | undefined;
  #total = 0;

  constructor(kind: CountName, shared: SharedCounts | undefined) {
    this.#kind = kind;
    this.#shared = shared;
  }

  get total(): number {
    return this.#shared?.total(this.#kind) ?? this.#total;
  }

  of(address: string): number {
    return this.#shared?.of(this.#kind, address) ?? this.#byAddress.get(address) ?? 0;
  }

  add(address: string | undefined): void {
    if (this.#shared !== undefined) return this.#shared.add(this.#kind, address, 1);
    this.#total++;
    if (address !== undefined) this.#byAddress.set(address, this.of(address) + 1);
  }

  remove(address: string | undefined): void {
    if (this.#shared !== undefined) return this.#shared.add(this.#kind, address, -1);
    this.#total--;
    if (address === undefined) return;
    const left = this.of(address) - 1;
    if (left <= 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}

/**
 * The key under which an address is counted, or undefined if it has no limits of its own. This
 * machine has none.
 */
export function limitedAs(hostname: string): string | undefined {
  return isLocalPeer(hostname) ? undefined : networkOf(hostname);
}
