/** Who decides when what members ask for happens: the chat itself, or a cluster of servers. */

import type { History } from "../history/history.ts";
import type { GuestNames } from "../names/guests.ts";
import type { Audience } from "./audience.ts";
import type { Deed } from "./deeds.ts";
import type { Doing } from "./doing.ts";
import type { Member, Person } from "./member.ts";
import type { State } from "./state.ts";

/** Decides when what is asked for happens. */
export interface Order {
  /** Returns what resolves when it has happened or will not; undefined if that is so already. */
  ask(deed: Deed & { who: Member }): Promise<void> | undefined;
  /** Whether this is the key of somebody. */
  isKeyOf(key: string, person: Person): boolean;
  /** A newcomer has come in. */
  entered?(member: Member): void;
  /** What members of this server have as their `home`. */
  readonly home?: string;
  /** The id of this server, where the chat has many. */
  readonly server?: string;
  /** How the cluster is, in a sentence for operators. */
  summary?(): string;
  /** The names of newcomers, where they must be other ones than at other servers. */
  readonly guests?: GuestNames;
}

/** What a cluster has of the chat of one server. */
export interface ChatParts {
  readonly state: State;
  readonly audience: Audience;
  readonly doing: Doing;
  /** Those who are connected to this server, by their numbers. */
  readonly connected: ReadonlyMap<number, Member>;
}

/** What makes one chat of many. {@linkcode chatCluster} of `./chat/cluster` makes one. */
export interface ChatCluster {
  /**
   * The history of all servers.
   *
   * @internal
   */
  readonly history: History;
  /**
   * Resolves when the chat knows what the others know.
   *
   * @internal
   */
  readonly ready: Promise<void>;
  /**
   * A chat is a part of it from now on.
   *
   * @internal
   */
  attach(parts: ChatParts): Order;
}
