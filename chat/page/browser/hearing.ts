/**
 * What the server says, to where it belongs.
 *
 * @module
 */

import { onNotice, onWelcome } from "./admission.ts";
import { type ChatEvent, type EventOf, readEvent } from "./events.ts";
import { onFound, onHistory, onMessage, onPlaced, onTell } from "./history.ts";
import { link } from "./link.ts";
import { notice } from "./log.ts";
import { onAway, onCame, onNick, onSilent, onWho } from "./people.ts";
import { enterRoom, onRooms, onTopic } from "./rooms.ts";
import { showRoundTrip } from "./status.ts";
import { textOf } from "./text.ts";

/** Takes what the server says: in its own words until it has taken `/json`. */
export function hear(text: string): void {
  const { kind } = link.state;
  const welcomed = kind === "open" || kind === "interrupted" || kind === "leaving";
  // Said before the connection ended, which was the last that mattered.
  if (!welcomed && kind !== "connecting") return;
  const said = readEvent(text);
  if (said === undefined) return;
  if (typeof said !== "string") {
    // What comes before the welcome is not for people.
    if (welcomed || said.type === "welcome") act(said);
  } else if (welcomed) notice(plainLine(said));
  else link.noteWords(plainLine(said));
}

/** A line of the server as people read it: its own lines begin with a star. */
function plainLine(text: string): string {
  return text.replace(/^\* /, "").trimEnd();
}

function act(event: ChatEvent): void {
  switch (event.type) {
    case "welcome":
      // From now on the chat may ask whether this page is still there.
      link.send("/pong");
      return onWelcome(event);
    case "say":
    case "me":
      return onMessage(event);
    case "tell":
      return onTell(event);
    case "join":
    case "leave":
      return onCame(event);
    case "nick":
      return onNick(event);
    case "away":
      return onAway(event);
    case "silent":
      return onSilent(event);
    case "topic":
      return onTopic(event);
    case "room":
      return enterRoom(event.name, event.topic);
    case "who":
      return onWho(event);
    case "rooms":
      return onRooms(event);
    case "history":
      return onHistory(event);
    case "found":
      return onFound(event);
    case "pong":
      return onPong(event);
    case "placed":
      return onPlaced(event);
    case "ping":
      return; // The link has answered it.
    case "notice":
      return onNotice(event);
  }
}

function onPong({ text }: EventOf<"pong">): void {
  const pong = link.pong(text);
  if (pong === undefined) notice(`pong ${textOf(text)}`.trim());
  else if (pong.after !== undefined) showRoundTrip(pong.after);
}
