/** Counts of requests that outlive their connections. */

import { Distribution, SHORT_TIMES } from "../internal/distribution.ts";

/** How requests end that a handler has answered. `other` are codes of the application. */
export type RequestOutcome =
  | "ok"
  | "wrong-kind"
  | "invalid-params"
  | "invalid-result"
  | "cancelled"
  | "internal"
  | "other";

/** What is known of the requests for one method. */
export interface MethodStats {
  /** How many were answered, by outcome. */
  readonly outcomes: Readonly<Record<RequestOutcome, number>>;
  /** How long the handlers took, until the answer or the end of the stream was sent. */
  readonly times: {
    /** The upper bounds of the buckets, rising, in milliseconds. */
    readonly bounds: readonly number[];
    /** How many times are in each bucket alone; there is one more bucket, without a bound. */
    readonly counts: readonly number[];
    /** The sum of all times, in milliseconds. */
    readonly sum: number;
  };
}

/**
 * Counts the requests of peers by method and outcome, and how long the handlers take. One may serve the
 * connections of a whole server: give it to each `requests()` as `totals`, and to `metrics()`. Only
 * methods with a handler are counted, so a peer cannot make it grow.
 *
 * @example
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise";
 * import { requests, RequestTotals } from "@lengthwise/lengthwise/request";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const totals = new RequestTotals();
 * const [a, b] = memoryPair().map((transport) => new Connection(transport));
 * requests(a, { double: (n: number) => 2 * n }, { totals });
 * await using peer = requests(b);
 * await peer.request("double", 21);
 * assertEquals(totals.methods.get("double")?.outcomes.ok, 1);
 * ```
 */
export class RequestTotals {
  readonly #methods = new Map<string, Method>();

  /** What is known as of now, by method. Only methods that were asked for are in it. */
  get methods(): ReadonlyMap<string, MethodStats> {
    return new Map(
      [...this.#methods].map(([name, { outcomes, times }]) => [
        name,
        { outcomes: { ...outcomes }, times: times.snapshot() },
      ]),
    );
  }

  /**
   * A request was answered, after so many milliseconds.
   *
   * @internal
   */
  answered(method: string, code: string | undefined, time: number): void {
    let counts = this.#methods.get(method);
    if (counts === undefined) this.#methods.set(method, counts = new Method());
    const isKnown = code !== undefined && code !== "ok" && Object.hasOwn(counts.outcomes, code);
    counts.outcomes[code === undefined ? "ok" : isKnown ? code as RequestOutcome : "other"]++;
    counts.times.add(time);
  }
}

/** The counts of one method. */
class Method {
  readonly outcomes: Record<RequestOutcome, number> = {
    ok: 0,
    "wrong-kind": 0,
    "invalid-params": 0,
    "invalid-result": 0,
    cancelled: 0,
    internal: 0,
    other: 0,
  };
  readonly times: Distribution = new Distribution(SHORT_TIMES);
}
