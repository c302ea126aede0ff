/** The commands whose effect other members see. */

import type { Engine } from "../engine/engine.ts";
import { counted } from "../engine/events.ts";
import { COST } from "../engine/flood.ts";
import { MAX_IGNORED } from "../engine/ignoring.ts";
import type { Member } from "../engine/member.ts";
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
      if (name === "") return tellKey(chat, member);
      if (key === "") return "usage";
      const holder = chat.find(name);
      if (holder !== undefined && holder !== member && holder.hasKey(key)) {
        const text = `${holder.name} was taken over by another connection, with its key.`;
        chat.disconnect(holder, "taken-over", text, { name: holder.name });
      }
      chat.rename(member, name);
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
        return audience.notice(member, "no-such-member", `Nobody here is called "${name}".`, {
          name,
        });
      }
      if (ignoring.has(to, member.name)) {
        const text = `${to.name} does not listen to you.`;
        return audience.notice(member, "not-heard", text, { name: to.name });
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
        return audience.notice(member, "topic", is, { room: room.name });
      }
      const text = argument === "-" ? "" : argument;
      if (text.length > MAX_PHRASE_LENGTH) {
        const text = `Cannot set the topic: a topic has at most ${MAX_PHRASE_LENGTH} characters.`;
        return audience.notice(member, "topic-too-long", text, { limit: MAX_PHRASE_LENGTH });
      }
      room.topic = text;
      chat.roomsChanged();
      audience.room(room, { type: "topic", room: room.name, name, text });
      if (!archive.set(room.topicKey, text === "" ? undefined : text)) {
        const text = "The topic holds only until the room is empty.";
        audience.notice(member, "topic-not-kept", text, { room: room.name });
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
        const text = `Cannot be away: the text has at most ${MAX_PHRASE_LENGTH} characters.`;
        return audience.notice(member, "away-too-long", text, { limit: MAX_PHRASE_LENGTH });
      }
      if (text === "" && member.away === undefined) {
        const text = "You are not away. /away TEXT tells that you are.";
        return audience.notice(member, "not-away", text);
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
      const shown = known?.name ?? name;
      if (!ignoring.add(member, shown)) {
        const all = counted(MAX_IGNORED, "name");
        const text = `Cannot ignore ${shown}: you ignore ${all} already.`;
        const fields = { name: shown, limit: MAX_IGNORED };
        return audience.notice(member, "ignored-too-many", text, fields);
      }
      const text = `You ignore ${shown}. /unignore ${shown} ends that.`;
      audience.notice(member, "ignoring", text, { name: shown });
    },
  },
  unignore: {
    usage: "/unignore NAME",
    help: "hears a name again",
    cost: COST.question,
    run(chat, member, name) {
      if (name === "") return "usage";
      if (chat.ignoring.remove(member, name)) {
        chat.audience.notice(member, "hearing-again", `You hear ${name} again.`, { name });
      } else chat.audience.notice(member, "not-ignored", `You do not ignore ${name}.`, { name });
    },
  },
};

function tellKey(chat: Engine, member: Member): void {
  const { name, key } = member;
  const text = `Your key is ${key}. If this connection is lost while you are ${name}, ` +
    `/claim ${name} ${key} gives the name to your next one.`;
  chat.audience.notice(member, "key", text, { name, key });
}

function awayOf({ name, away }: { name: string; away: string | undefined }) {
  return { type: "away" as const, name, ...(away === undefined ? {} : { text: away }) };
}
