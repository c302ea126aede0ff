/** Opening a session, and going on with it over the roads that there are. */

import type { Connection } from "../connection.ts";
import type { ConnectionSettings } from "../connection/internal.ts";
import { ConnectError } from "../errors.ts";
import { type Dial, openSession, type Session, type SessionOptions } from "../session.ts";
import { connectOnce } from "./attempt.ts";
import type { ConnectOptions } from "./options.ts";
import { type Road, roadTo, together } from "./roads.ts";

type AnyRoad = Pick<Road<unknown>, "wanted" | "session" | "options">;

/** Opens a session at the end of a road. Its `others` are other roads to the same service. */
export function openRoad<T>(
  road: Road<T>,
  others: readonly Road<T>[],
  settings: ConnectionSettings<T>,
): Promise<Session<T>> {
  const { name, session } = road;
  const dial = dialFrom(road as AnyRoad, [...others] as AnyRoad[]);
  return openSession<T>({ dial, settings, name, session: session!.options });
}

/**
 * Opens a session at one endpoint, and at no other. It may go on over others, where servers know of it.
 *
 * @throws as `connect()`.
 */
export async function openAt<T>(
  endpoint: string,
  others: readonly string[],
  options: ConnectOptions<T> & { session: true | SessionOptions },
): Promise<Session<T>> {
  const [road, ...further] = [endpoint, ...others].map((endpoint) => roadTo({ endpoint, options }));
  return await openRoad(road, further, road.settings);
}

/**
 * Makes the carriers of a session that is opened at one endpoint, its home. It goes on there if that
 * can be reached. If not, other servers may know more of it: in a cluster they carry it to its home, or
 * say that its home is gone.
 */
function dialFrom(home: AnyRoad, others: AnyRoad[]): Dial {
  let last: { readonly road: AnyRoad; readonly carrier: Connection<Uint8Array> } | undefined;
  return async (signal) => {
    // A home that takes carriers and does not answer must not keep the others from being asked.
    const isMute = last?.road === home && last.carrier.stats.messagesReceived === 0;
    const round = last === undefined ? [home] : isMute ? [...others, home] : [home, ...others];
    if (last !== undefined && others.length > 0) others.push(others.shift()!);
    const failures: ConnectError[] = [];
    for (const road of round) {
      try {
        const { wanted, session, options } = road;
        const carrier = await connectOnce(wanted, session!.carrier, options, signal);
        last = { road, carrier };
        return carrier;
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        failures.push(error);
      }
    }
    throw together(failures);
  };
}
