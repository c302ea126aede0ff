/** The commands that only the member itself hears of. */

import { COST } from "../engine/flood.ts";
import { MAX_SHOWN_MESSAGES } from "../options.ts";
import type { Command } from "./command.ts";

/** How many messages `/search` shows, and `/history` if it gets no number. */
const SHOWN_MESSAGES = 20;

/** The longest text to search for, in UTF-16 code units. The history has the same limit. */
const MAX_QUERY_LENGTH = 256;

/** Questions, and good-bye. */
export const ASKING: Readonly<Record<string, Command>> = {
  who: {
    usage: "/who",
    help: "tells who is here",
    cost: COST.question,
    run: (chat, member) => chat.audience.who(member),
  },
  rooms: {
    usage: "/rooms",
    help: "tells which rooms there are",
    cost: COST.question,
    run: (chat, member) => chat.answers.rooms(member),
  },
  history: {
    usage: "/history [N] [before or after ID]",
    help: "shows what was said here",
    cost: COST.question,
    run(chat, member, argument) {
      const match = /^(\d{1,9})?\s*(?:(before|after)\s+(\d{1,15}))?$/i.exec(argument);
      if (match === null) return "usage";
      const [, count = String(SHOWN_MESSAGES), which, id] = match;
      const shown = Math.min(Number(count), MAX_SHOWN_MESSAGES);
      if (which?.toLowerCase() === "after") return chat.answers.missed(member, shown, Number(id));
      chat.answers.history(member, shown, {
        isAsked: true,
        before: id === undefined ? undefined : Number(id),
      });
    },
  },
  search: {
    usage: "/search TEXT",
    help: "finds messages of this room with all these words",
    cost: COST.message,
    run(chat, member, query) {
      if (query === "") return "usage";
      const { audience } = chat;
      const { room } = member;
      if (query.length > MAX_QUERY_LENGTH) {
        const text = `Cannot search: the text has at most ${MAX_QUERY_LENGTH} characters.`;
        return audience.notice(member, "query-too-long", text, { limit: MAX_QUERY_LENGTH });
      }
      const found = chat.state.archive.search(room, query, SHOWN_MESSAGES);
      if (found === undefined) {
        return audience.notice(member, "history-failed", "The history cannot be read.");
      }
      const messages = chat.state.ignoring.filter(member, found);
      audience.tell(member, { type: "found", room: room.name, query, messages });
    },
  },
  ping: {
    usage: "/ping [TEXT]",
    help: "is answered with a pong",
    cost: COST.free,
    isPrivate: true,
    run: (chat, member, text) => chat.audience.tell(member, { type: "pong", text }),
  },
  pong: {
    usage: "/pong",
    help: "promises to answer the chat's pings, and answers one, for programs",
    cost: COST.free,
    isPrivate: true,
    run(chat, member) {
      if (member.canBeAsked) chat.liveness.promised(member);
    },
  },
  json: {
    usage: "/json",
    help: "answers in JSON from now on, for programs",
    cost: COST.question,
    run: (chat, member) => chat.speakJson(member),
  },
  quit: {
    usage: "/quit",
    help: "leaves",
    cost: COST.free,
    isPrivate: true,
    run(chat, member) {
      chat.audience.notice(member, "bye", "Bye.");
      return "quit";
    },
  },
};
