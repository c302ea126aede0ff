/** What a backplane is, and what it gives a hub. */

/** The methods of a hub that a backplane calls. */
export interface BackplanePort {
  /**
   * Brings a message that another hub published to a room. This hub has subscribed to that room.
   */
  deliver(room: string, message: Uint8Array): void;
  /** Says that messages may have been lost, in either direction. */
  failed(error: unknown): void;
}

/**
 * One hub's link to a backplane. No method waits for the network or throws because of it. Failures
 * go to `failed()`.
 */
export interface BackplaneLink {
  /** From now on, messages of the room are delivered. */
  subscribe(room: string): void;
  /** From now on, messages of the room are not delivered any more. */
  unsubscribe(room: string): void;
  /**
   * Sends a message to the other hubs that have subscribed to the room, never back to this one.
   * `bytes` is called only if there may be such hubs. The bytes do not change afterwards. `isText()`
   * of connection.ts tells whether they are a text; a link that carries them elsewhere should say so
   * there, and use `markText()` before it delivers them.
   */
  publish(room: string, bytes: () => Uint8Array): void;
  /**
   * Channels between hubs, if the backplane has them. Without them, `hub.presence()` tells of the
   * members of its own hub only.
   */
  readonly channels?: BackplaneChannels;
  /** Leaves the backplane. */
  close(): void;
}

/**
 * What hubs say to each other, and not to the members of rooms. Channels have names of their own, which
 * are never those of rooms. As in rooms, the messages of one hub to one channel stay in order and come at
 * most once, and may be lost. Nobody is told of a loss, so whoever uses a channel must notice it.
 */
export interface BackplaneChannels {
  /** The largest message that a channel takes, in bytes. */
  readonly maxMessageBytes: number;
  /**
   * Whether another hub has subscribed to a channel, as far as can be known now. Resolves to undefined if
   * that cannot be known, as while a broker is away. Without it, nobody is known to have gone.
   */
  isHeard?(channel: string): Promise<boolean | undefined>;
  /**
   * Resolves when little waits to be sent. Undefined means now. Whoever publishes much and can wait
   * should wait for it.
   */
  room?(): Promise<void> | undefined;
  /** From now on, `take` gets what other hubs publish to the channel. It does not throw. */
  subscribe(channel: string, take: (message: Uint8Array) => void): void;
  /** From now on, it does not get that any more. */
  unsubscribe(channel: string): void;
  /**
   * Sends a message to the other hubs that have subscribed to the channel, never back to this one. The
   * bytes do not change afterwards.
   */
  publish(channel: string, message: Uint8Array): void;
}

/**
 * A backplane connects hubs. It keeps the order of the messages that one hub publishes to one room,
 * and delivers each message at most once. A hub delivers to its own members first. So when two hubs
 * publish at the same time, the members of each may see the two messages in different orders.
 */
export interface Backplane {
  /** Connects a hub. */
  attach(port: BackplanePort): BackplaneLink;
}
