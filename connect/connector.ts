/** Several endpoints of one service: which one is tried when, and what it means if one fails. */

import type { Connection } from "../connection.ts";
import { ConnectError } from "../errors.ts";
import { connectOnce } from "./attempt.ts";
import type { ConnectOptions } from "./options.ts";
import { openRoad } from "./open_session.ts";
import { type Place, type Road, roadTo, shuffled, together } from "./roads.ts";

/** So many endpoints are enough for each server of a large cluster to be found by some client. */
const MAX_ENDPOINTS = 64;

/**
 * Connects to one of several endpoints. Each is tried once in each round, in an order that is drawn by
 * lot, so that the clients of a server that has gone spread over the others. The endpoint that was used
 * last comes last.
 */
export class Connector<T> {
  /** Whether it makes sessions. */
  readonly isSession: boolean;

  readonly #roads: readonly Road<T>[];
  readonly #random: () => number;
  /** The one that was used last. */
  #last: Road<T> | undefined;

  /**
   * Checks all places.
   *
   * @throws {TypeError} {RangeError} for a wrong endpoint or option, or places that do not fit together.
   */
  constructor(places: readonly Place<T>[], random: () => number = Math.random) {
    if (places.length === 0) throw new TypeError("Cannot connect: there are no endpoints");
    if (places.length > MAX_ENDPOINTS) {
      throw new RangeError(
        `Cannot connect to ${places.length} endpoints: limit is ${MAX_ENDPOINTS}`,
      );
    }
    this.#roads = places.map(roadTo);
    this.#random = random;
    const [first, ...others] = this.#roads;
    this.isSession = first.session !== undefined;
    const other = others.find(({ session }) => (session !== undefined) !== this.isSession);
    if (other !== undefined) {
      throw new TypeError(
        `Cannot use "${first.endpoint}" together with "${other.endpoint}": only one of them has sessions`,
      );
    }
  }

  /**
   * Connects to the first endpoint that works. With `lossIsEnd`, a loss ends only the iteration over the
   * connection, without an error.
   *
   * @throws {ConnectError} if none works. With several, `cause` is an `AggregateError` with the error of
   * each, in the order in which they were tried.
   * @throws what the signal of the options was aborted with.
   */
  async connect({ lossIsEnd = false } = {}): Promise<Connection<T>> {
    const failures: ConnectError[] = [];
    for (const road of this.#round()) {
      try {
        const connection = await this.#open(road, lossIsEnd);
        this.#last = road;
        road.options.telemetry?.connected(connection, "client");
        return connection;
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        failures.push(error);
      }
    }
    throw together(failures);
  }

  /** All roads, in the order in which they are tried now. */
  #round(): Road<T>[] {
    const roads = shuffled(this.#roads, this.#random);
    const last = this.#last;
    return last === undefined ? roads : [...roads.filter((road) => road !== last), last];
  }

  async #open(road: Road<T>, lossIsEnd: boolean): Promise<Connection<T>> {
    const { wanted, session, options } = road;
    const settings = lossIsEnd ? road.settings.withLossAsEnd() : road.settings;
    if (session === undefined) return await connectOnce(wanted, settings, options);
    const others = shuffled(this.#roads.filter((other) => other !== road), this.#random);
    return await openRoad(road, others, settings);
  }
}

/**
 * Connects to one endpoint or several, with the same options.
 *
 * @throws {TypeError} {RangeError} as the connector's constructor.
 */
export function connectorOf<T>(
  endpoint: string | readonly string[],
  options: ConnectOptions<T>,
): Connector<T> {
  const endpoints = typeof endpoint === "string" ? [endpoint] : endpoint;
  return new Connector(endpoints.map((endpoint) => ({ endpoint, options })));
}
