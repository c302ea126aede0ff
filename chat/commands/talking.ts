/** The commands that others hear of. */

import { counted } from "../engine/events.ts";
import { COST } from "../engine/flood.ts";
import { MAX_IGNORED } from "../engine/ignoring.ts";
import { type Command, split } from "./command.ts";

/** The longest topic, and the longest reason for being away, in UTF-16 code units. */
const MAX_PHRASE_LENGTH = 200;

/** Name, room, and all that is said. */
export const TALKING: Readonly<Record<string, Command>> = {
  nick: {
    usage: "/nick NAME",
    help: "takes another name",
    cost: COST.change,
    run: (chat, member, name) => chat.rename(member, name),
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
    run: (chat, member) => chat.move(member, chat.rooms.lobby.name),
  },
  msg: {
    usage: "/msg NAME TEXT",
    help: "tells one member something, in whatever room it is",
    cost: COST.message,
    run(chat, member, argument) {
      const [name, text] = split(argument);
      if (text === "") return "usage";
      const { audience, ignoring } = chat;
      const to = chat.find(name);
      if (to === undefined) {
        return audience.notice(member, `Nobody here is called "${name}".`, "error");
      }
      if (ignoring.has(to, member.name)) {
        return audience.notice(member, `${to.name} does not listen to you.`, "error");
      }
      const tell = { from: member.name, to: to.name, text, time: chat.now };
      audience.tell(member, { type: "tell", ...tell });
      if (to !== member) audience.tell(to, { type: "tell", ...tell });
      if (to.away !== undefined) audience.tell(member, awayOf(to));
    },
  },
  me: {
    usage: "/me TEXT",
    help: "says what you do",
    cost: COST.message,
    run: (chat, member, text) => text === "" ? "usage" : chat.say(member, "me", text),
  },
  topic: {
    usage: "/topic [TEXT]",
    help: "shows what the room is about, or sets it; /topic - clears it",
    cost: COST.change,
    run(chat, member, argument) {
      const { room, name } = member;
      const { audience, archive } = chat;
      if (argument === "") {
        const is = room.topic === "" ? `${room.name} has no topic.` : `The topic: ${room.topic}`;
        return audience.notice(member, is);
      }
      const text = argument === "-" ? "" : argument;
      if (text.length > MAX_PHRASE_LENGTH) {
        const limit = `a topic has at most ${MAX_PHRASE_LENGTH} characters`;
        return audience.notice(member, `Cannot set the topic: ${limit}.`, "error");
      }
      room.topic = text;
      chat.roomsChanged();
      audience.room(room, { type: "topic", room: room.name, name, text });
      if (!archive.set(room.topicKey, text === "" ? undefined : text)) {
        audience.notice(member, "The topic holds only until the room is empty.", "error");
      }
    },
  },
  away: {
    usage: "/away [TEXT]",
    help: "tells that you are away and why, or that you are back",
    cost: COST.change,
    run(chat, member, text) {
      const { audience } = chat;
      if (text.length > MAX_PHRASE_LENGTH) {
        const limit = `the text has at most ${MAX_PHRASE_LENGTH} characters`;
        return audience.notice(member, `Cannot be away: ${limit}.`, "error");
      }
      if (text === "" && member.away === undefined) {
        return audience.notice(member, "You are not away. /away TEXT tells that you are.", "error");
      }
      member.away = text === "" ? undefined : text;
      audience.room(member.room, awayOf(member));
    },
  },
  ignore: {
    usage: "/ignore [NAME]",
    help: "hears no more of a name, or lists those",
    cost: COST.question,
    run(chat, member, name) {
      const { audience, ignoring } = chat;
      if (name === "") {
        const names = [...member.ignored.values()].join(", ");
        return audience.notice(
          member,
          names === "" ? "You ignore nobody." : `You ignore ${names}.`,
        );
      }
      if (/\s/.test(name)) return "usage";
      if (name.length > 64) return audience.notice(member, "Nobody is called so.", "error");
      const known = chat.find(name);
      if (known === member) return audience.notice(member, "You cannot ignore yourself.", "error");
      const shown = known?.name ?? name;
      if (!ignoring.add(member, shown)) {
        const all = counted(MAX_IGNORED, "name");
        return audience.notice(
          member,
          `Cannot ignore ${shown}: you ignore ${all} already.`,
          "error",
        );
      }
      audience.notice(member, `You ignore ${shown}. /unignore ${shown} ends that.`);
    },
  },
  unignore: {
    usage: "/unignore NAME",
    help: "hears a name again",
    cost: COST.question,
    run(chat, member, name) {
      if (name === "") return "usage";
      if (chat.ignoring.remove(member, name)) {
        chat.audience.notice(member, `You hear ${name} again.`);
      } else chat.audience.notice(member, `You do not ignore ${name}.`, "error");
    },
  },
};

function awayOf({ name, away }: { name: string; away: string | undefined }) {
  return { type: "away" as const, name, ...(away === undefined ? {} : { text: away }) };
}
