/** The commands whose effect other members see. */

import { COST } from "../engine/flood.ts";
import { REF } from "../engine/once.ts";
import { type Command, split } from "./command.ts";

/** The longest topic and the longest reason for being away, in UTF-16 code units. */
const MAX_PHRASE_LENGTH = 200;

/** The commands about names, rooms and messages. */
export const TALKING: Readonly<Record<string, Command>> = {
  nick: {
    usage: "/nick NAME",
    help: "takes another name",
    cost: COST.change,
    run: (chat, member, name) => chat.rename(member, name),
  },
  claim: {
    usage: "/claim [NAME KEY]",
    help: "tells the key to your name, or takes a name again by its key",
    cost: COST.change,
    run(chat, member, argument) {
      const [name, key] = split(argument);
      if (name === "") return chat.ask({ do: "key", who: member });
      if (key === "") return "usage";
      chat.rename(member, name, key);
    },
  },
  join: {
    usage: "/join ROOM",
    help: "goes to another room, which is made if need be",
    cost: COST.change,
    run: (chat, member, name) => chat.move(member, name),
  },
  leave: {
    usage: "/leave",
    help: "goes back to the lobby",
    cost: COST.change,
    run: (chat, member) => chat.move(member, chat.state.rooms.lobby.name),
  },
  msg: {
    usage: "/msg NAME TEXT",
    help: "tells one member something, in whatever room it is",
    cost: COST.message,
    run(chat, member, argument) {
      const [name, text] = split(argument);
      if (text === "") return "usage";
      chat.ask({ do: "tell", who: member, name, to: chat.find(name), text });
    },
  },
  me: {
    usage: "/me TEXT",
    help: "says what you do",
    cost: COST.message,
    run: (chat, member, text) => text === "" ? "usage" : chat.say(member, "me", text),
  },
  once: {
    usage: "/once REF TEXT",
    help: "says it once, however often this is sent with this REF, for programs",
    cost: COST.message,
    run(chat, member, argument) {
      const [ref, line] = split(argument);
      const [, me, text] = /^(\/me\s+)?(.*)$/s.exec(line)!;
      if (!REF.test(ref) || text === "") return "usage";
      if (me !== undefined) return chat.say(member, "me", text, ref);
      if (/^\/(?!\/)/.test(text)) return "usage";
      chat.say(member, "say", text.replace(/^\/\//, "/"), ref);
    },
  },
  topic: {
    usage: "/topic [TEXT]",
    help: "shows what the room is about, or sets it; /topic - clears it",
    cost: COST.change,
    run(chat, member, argument) {
      const { room } = member;
      const { audience } = chat;
      if (argument === "") {
        const is = room.topic === "" ? `${room.name} has no topic.` : `The topic: ${room.topic}`;
        return audience.notice(member, "topic", is, { room: room.name });
      }
      const text = argument === "-" ? "" : argument;
      if (text.length > MAX_PHRASE_LENGTH) {
        const text = `Cannot set the topic: a topic has at most ${MAX_PHRASE_LENGTH} characters.`;
        return audience.notice(member, "topic-too-long", text, { limit: MAX_PHRASE_LENGTH });
      }
      chat.ask({ do: "topic", who: member, text });
    },
  },
  away: {
    usage: "/away [TEXT]",
    help: "tells that you are away and why, or that you are back",
    cost: COST.change,
    run(chat, member, text) {
      const { audience } = chat;
      if (text.length > MAX_PHRASE_LENGTH) {
        const text = `Cannot be away: the text has at most ${MAX_PHRASE_LENGTH} characters.`;
        return audience.notice(member, "away-too-long", text, { limit: MAX_PHRASE_LENGTH });
      }
      if (text === "" && member.away === undefined) {
        const text = "You are not away. /away TEXT tells that you are.";
        return audience.notice(member, "not-away", text);
      }
      chat.ask({ do: "away", who: member, ...(text === "" ? {} : { text }) });
    },
  },
  ignore: {
    usage: "/ignore [NAME]",
    help: "hears no more of a name, or lists those",
    cost: COST.question,
    run(chat, member, name) {
      const { audience } = chat;
      if (name === "") {
        const names = [...member.ignored.values()];
        const text = names.length === 0 ? "You ignore nobody." : `You ignore ${names.join(", ")}.`;
        return audience.notice(member, "ignore-list", text, { names });
      }
      if (/\s/.test(name)) return "usage";
      if (name.length > 64) {
        return audience.notice(member, "no-such-member", "Nobody is called so.");
      }
      const known = chat.find(name);
      if (known === member) {
        return audience.notice(member, "not-yourself", "You cannot ignore yourself.");
      }
      chat.ask({ do: "ignore", who: member, name: known?.name ?? name });
    },
  },
  unignore: {
    usage: "/unignore NAME",
    help: "hears a name again",
    cost: COST.question,
    run(chat, member, name) {
      if (name === "") return "usage";
      chat.ask({ do: "unignore", who: member, name });
    },
  },
};
