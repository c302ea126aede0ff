/** The options of a chat. */

import { checkInteger } from "../internal/check.ts";
import type { FloodLimits } from "./engine/flood.ts";
import type { ChatCluster } from "./engine/order.ts";
import type { History } from "./history/history.ts";
import { memoryHistory } from "./history/memory.ts";

/** Options of a chat. */
export interface ChatOptions {
  /**
   * Tells the time.
   *
   * @default `() => new Date()`
   */
  now?: () => Date;
  /**
   * Calls `callback` every `interval` milliseconds. Returns a function that ends this.
   *
   * @default `setInterval`
   */
  every?: (callback: () => void, interval: number) => () => void;
  /**
   * Keeps the messages, the topics and the bans. The chat does not close it. Close it yourself.
   *
   * @default `memoryHistory()`
   */
  history?: History;
  /**
   * Makes one chat of this one and those of other servers. It has its own history, which takes the
   * place of `history`.
   */
  cluster?: ChatCluster;
  /**
   * How many of a room's last messages newcomers are shown, 0 to 100.
   *
   * @default 10
   */
  greeting?: number;
  /** The token for `/operator TOKEN`. Without it nobody can become an operator. */
  operatorToken?: string;
  /**
   * A newcomer that says nothing for this time is a member, of whom the others are told, in
   * milliseconds. With 0 it is one at once. A newcomer that says a word is one then.
   *
   * @default 5_000
   */
  announceAfter?: number;
  /**
   * A member that says nothing for this time counts as silent, in milliseconds.
   *
   * @default 600_000
   */
  silentAfter?: number;
  /**
   * A program that promised to answer pings, and says nothing for this time, is asked whether it is
   * there, in milliseconds. With 0 nobody is asked. Times are counted in whole seconds.
   *
   * @default 30_000
   */
  pingInterval?: number;
  /**
   * A program that was asked, and says nothing for this further time, is lost, in milliseconds.
   *
   * @default 20_000
   */
  pongTimeout?: number;
  /** How fast one member may talk. */
  flood?: FloodLimits;
  /**
   * The longest line that a member may say, in UTF-16 code units.
   *
   * @default 4_096
   */
  maxLineLength?: number;
  /**
   * How many rooms there may be at a time.
   *
   * @default 10_000
   */
  maxRooms?: number;
  /**
   * How many members one room may have. Newcomers are turned away when the lobby is full.
   *
   * @default 10_000
   */
  maxMembersPerRoom?: number;
  /**
   * Called when the history begins to fail.
   *
   * @default prints it to the console
   */
  onError?: (error: unknown) => void;
}

/** All options given. */
export type ChatSettings =
  & Required<Omit<ChatOptions, "operatorToken" | "flood" | "cluster">>
  & Pick<ChatOptions, "cluster">
  & { readonly operatorToken: string | undefined; readonly flood: Required<FloodLimits> };

/** The most messages that one command shows. */
export const MAX_SHOWN_MESSAGES = 100;

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws {RangeError} naming the option and its value.
 * @throws {TypeError} for an empty token.
 */
export function resolveChatOptions(options: ChatOptions): ChatSettings {
  const {
    now = () => new Date(),
    every = everyInterval,
    cluster,
    history = cluster?.history ?? memoryHistory(),
    greeting = 10,
    operatorToken,
    announceAfter = 5_000,
    silentAfter = 600_000,
    pingInterval = 30_000,
    pongTimeout = 20_000,
    maxLineLength = 4_096,
    maxRooms = 10_000,
    maxMembersPerRoom = 10_000,
    onError = (error) => console.error("Error in the chat's history:", error),
  } = options;
  const { burst = 5, perSecond = 2 } = options.flood ?? {};
  checkInteger("greeting", greeting, 0, MAX_SHOWN_MESSAGES);
  checkInteger("announceAfter", announceAfter, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("pingInterval", pingInterval, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("pongTimeout", pongTimeout, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("burst", burst, 1, 2 ** 31);
  if (!(perSecond > 0 && perSecond <= 2 ** 31)) {
    throw new RangeError(`Cannot use perSecond ${perSecond}: it must be above 0, up to 2147483648`);
  }
  for (const [name, value] of Object.entries({ silentAfter, maxLineLength, maxRooms })) {
    checkInteger(name, value, 1, Number.MAX_SAFE_INTEGER);
  }
  checkInteger("maxMembersPerRoom", maxMembersPerRoom, 1, Number.MAX_SAFE_INTEGER);
  if (cluster !== undefined && options.history !== undefined) {
    throw new TypeError("Cannot use history with cluster: a cluster has its own");
  }
  if (operatorToken?.trim() === "") throw new TypeError("Cannot use operatorToken: it is empty");
  return {
    now,
    every,
    history,
    cluster,
    greeting,
    operatorToken: operatorToken?.trim(),
    announceAfter,
    silentAfter,
    pingInterval,
    pongTimeout,
    flood: { burst, perSecond },
    maxLineLength,
    maxRooms,
    maxMembersPerRoom,
    onError,
  };
}

function everyInterval(callback: () => void, interval: number): () => void {
  const timer = setInterval(callback, interval);
  return () => clearInterval(timer);
}
