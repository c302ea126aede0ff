/** The settings of those who come in: of connections, of sessions and of the carriers of sessions. */

import type { Framing, FramingText } from "../codec.ts";
import { type ConnectionSettings, resolveSettings } from "../connection/internal.ts";
import type { SessionOptions } from "../session.ts";
import { carrierSettings } from "../session/internal.ts";
import type { TransportListener } from "../transport/internal.ts";
import type { ListenOptions } from "./options.ts";

/** The largest message that a server accepts by default, in bytes. */
const SERVER_MAX_MESSAGE_BYTES = 1024 * 1024;

/** How connections come in: their settings. */
export interface Road<T> {
  /** The settings of its connections. */
  readonly settings: ConnectionSettings<T>;
  /** The settings of the carriers, if connections are sessions. */
  readonly carrier?: ConnectionSettings<Uint8Array>;
  /** The same for those that offer the subprotocol of sessions, if those become sessions. */
  readonly offered?: Pick<Road<T>, "settings" | "carrier">;
  /** The endpoint as a URL. */
  readonly name: string;
}

/** One open endpoint and the settings of its connections. */
export interface OpenEndpoint<T> extends Road<T> {
  /** Accepts the peers. */
  readonly listener: TransportListener;
}

/** What an endpoint says of its connections. */
interface RoadOptions {
  /** The framing of what they are, or of the carriers. */
  readonly framing: FramingText | Framing;
  /** Whether they are sessions. */
  readonly hasSession: boolean;
  /** Whether those that are not become sessions when they offer it. */
  readonly takesOffers: boolean;
}

/** The settings of connections, and of their carriers where they are sessions. */
export function roadOf<T, U>(
  options: ListenOptions<T, U>,
  { framing, hasSession, takesOffers }: RoadOptions,
): Omit<Road<T>, "name"> {
  const settings = resolveSettings<T>(
    { ...options, framing: hasSession ? "u32be" : framing, signal: undefined },
    SERVER_MAX_MESSAGE_BYTES,
  );
  if (hasSession) return { settings, carrier: carrierSettings(framing, options) };
  if (!takesOffers) return { settings };
  const offered = roadOf(options, { framing: "u32be", hasSession: true, takesOffers });
  return { settings, offered };
}

/** The settings of connections that come in by no endpoint. They are made when the first one comes. */
export function guestRoad<T, U>(options: ListenOptions<T, U>): (name: string) => Road<T> {
  let road: Omit<Road<T>, "name"> | undefined;
  const { framing = "u32be", session, offeredSessions } = options;
  const hasSession = Boolean(session);
  const takesOffers = Boolean(offeredSessions);
  return (name) => ({
    ...(road ??= roadOf(options, { framing, hasSession, takesOffers })),
    name,
  });
}

/** The settings of carriers that another server of the cluster has let in. */
export function carriedRoad<T, U>(options: ListenOptions<T, U>): (name: string) => Road<T> {
  return guestRoad({ ...options, framing: "u32be", session: true });
}

/** The options of all sessions of a server. */
export function sessionOptionsOf<T, U>(
  { session, offeredSessions }: ListenOptions<T, U>,
): SessionOptions {
  return [session, offeredSessions].find((options) => typeof options === "object") ?? {};
}
