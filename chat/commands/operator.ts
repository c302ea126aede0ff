/** The commands of operators, and the command that makes a member an operator. */

import { sameAs } from "../../internal/secret.ts";
import { printable } from "../../internal/text.ts";
import { counted } from "../engine/events.ts";
import { COST } from "../engine/flood.ts";
import type { NoticeCode } from "../engine/notices.ts";
import { type Command, split } from "./command.ts";

/** A member is disconnected after this many wrong tokens. */
const MAX_WRONG_TOKENS = 3;

/**
 * After this many wrong tokens from one address, no more tokens are accepted from it for this time,
 * in milliseconds.
 */
const MAX_GUESSES = 10;
const GUESS_WINDOW = 600_000;

/** How many addresses are remembered. If there are more, the oldest is forgotten. */
const MAX_GUESSERS = 10_000;

/** Counts wrong tokens by address. */
export class Guesses {
  readonly #byHost = new Map<string, { count: number; since: number }>();

  /** Whether an address has guessed too often. */
  isOver(host: string, now: number): boolean {
    const guesses = this.#byHost.get(host);
    return guesses !== undefined && guesses.count >= MAX_GUESSES &&
      now - guesses.since < GUESS_WINDOW;
  }

  /** Counts one more wrong token. */
  add(host: string, now: number): void {
    const known = this.#byHost.get(host);
    const isFresh = known !== undefined && now - known.since < GUESS_WINDOW;
    const guesses = isFresh ? known : { count: 0, since: now };
    guesses.count++;
    this.#byHost.delete(host);
    this.#byHost.set(host, guesses);
    if (this.#byHost.size > MAX_GUESSERS) this.#byHost.delete(this.#byHost.keys().next().value!);
  }
}

/** The command that makes a member an operator. Everyone may use it. */
export function operatorCommand(guesses: Guesses): Command {
  return {
    usage: "/operator TOKEN",
    help: "makes you an operator",
    cost: COST.message,
    run(chat, member, token) {
      const { audience, settings: { operatorToken } } = chat;
      const fail = (code: NoticeCode, problem: string) => audience.notice(member, code, problem);
      if (token === "") return "usage";
      if (operatorToken === undefined) {
        return fail("operator-none", "There are no operators: no token was set.");
      }
      const { now } = chat;
      const host = member.host ?? "";
      if (guesses.isOver(host, now)) {
        return fail("operator-too-many-tokens", "Too many wrong tokens. Try again later.");
      }
      if (sameAs(printable(operatorToken))(token)) {
        return chat.ask({ do: "operate", who: member });
      }
      guesses.add(host, now);
      if (++member.wrongTokens < MAX_WRONG_TOKENS) {
        return fail("operator-wrong-token", "That is not the token.");
      }
      chat.disconnect(member, "disconnected-token", "Disconnected: that was not the token, again.");
    },
  };
}

/** The commands that only operators may use. */
export const OPERATOR: Readonly<Record<string, Command>> = {
  kick: {
    usage: "/kick NAME [REASON]",
    help: "disconnects a member",
    cost: COST.question,
    run(chat, member, argument) {
      const [name, reason] = split(argument);
      if (name === "") return "usage";
      chat.ask({ do: "kick", who: member, name, whom: chat.find(name), reason });
    },
  },
  ban: {
    usage: "/ban [NAME]",
    help: "disconnects a member and lets neither its name nor its address in again, or lists bans",
    cost: COST.question,
    run(chat, member, name) {
      const { audience, state: { bans } } = chat;
      if (name === "") {
        const all = bans.all.map(({ name, host }) =>
          host === undefined ? name : `${name} (${host})`
        );
        const list = all.length === 0 ? "Nobody is banned." : `Banned: ${all.join(", ")}.`;
        return audience.notice(member, "ban-list", list, {
          names: bans.all.map(({ name }) => name),
        });
      }
      if (/\s/.test(name) || name.length > 64) return "usage";
      const victim = chat.find(name);
      if (victim === member) {
        return audience.notice(member, "not-yourself", "You cannot ban yourself.");
      }
      chat.ask({ do: "ban", who: member, name, whom: victim });
    },
  },
  unban: {
    usage: "/unban NAME",
    help: "ends a ban, by its name or its address",
    cost: COST.question,
    run(chat, member, name) {
      if (name === "") return "usage";
      chat.ask({ do: "unban", who: member, name });
    },
  },
  announce: {
    usage: "/announce TEXT",
    help: "tells everyone in all rooms something",
    cost: COST.question,
    run(chat, member, text) {
      if (text === "") return "usage";
      chat.ask({ do: "announce", who: member, text });
    },
  },
  stats: {
    usage: "/stats",
    help: "tells how much there is of everything",
    cost: COST.question,
    run(chat, member) {
      const { audience, state: { members, rooms, bans, said } } = chat;
      const { delivered, dropped } = audience.hub.stats;
      audience.notice(
        member,
        "stats",
        `${counted(members.size, "member")} in ${counted(rooms.size, "room")}. ` +
          `${counted(said, "message")} said, ${counted(delivered, "line")} told, ` +
          `${dropped} dropped. ${counted(bans.all.length, "ban")}.` +
          (chat.clusterSummary === undefined ? "" : ` ${chat.clusterSummary}`),
      );
    },
  },
};
