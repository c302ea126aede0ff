/**
 * Into the chat, back to one's name and room, and out again.
 *
 * @module
 */

import type { EventOf } from "./events.ts";
import { PAGE, RESTORE_TIMEOUT } from "./limits.ts";
import { link } from "./link.ts";
import { notice } from "./log.ts";
import { meaningOf } from "./meaning.ts";
import { restore } from "./restore.ts";
import { enterRoom, expectRooms } from "./rooms.ts";
import { flush, noteRefusal, typed } from "./sending.ts";
import { showPeople } from "./side.ts";
import { keyOf } from "./text.ts";
import { isMe, view } from "./view.ts";

let restoreTimer: ReturnType<typeof setTimeout> | undefined;

/** The server has let us in, under a name and into a room of its choice. */
export function onWelcome({ name, room }: EventOf<"welcome">): void {
  view.me = name;
  view.loading = { kind: "entering" };
  expectRooms();
  const { chosen } = restore;
  if (chosen !== undefined && keyOf(chosen) !== keyOf(name)) askName(chosen);
  if (room !== view.room) {
    restore.room = { name: view.room, home: room };
    link.send(`/join ${view.room}`);
  }
  clearTimeout(restoreTimer);
  restoreTimer = setTimeout(() => {
    restore.stopAsking();
    giveUpRoom();
  }, RESTORE_TIMEOUT);
  link.welcome();
  showPeople();
  flush();
}

/** The connection is gone, and with it every answer. */
export function forgetAnswers(): void {
  clearTimeout(restoreTimer);
  restore.reset();
  if (view.loading.kind !== "entering") view.loading = { kind: "idle" };
}

/** The server says something about itself, or about what one did. */
export function onNotice({ code, text, error, command, key }: EventOf<"notice">): void {
  // An older server does not ask, and does not know the answer.
  if (code === "no-such-command" && command === "pong" && !typed.has("pong")) return;
  if (code === "key") {
    restore.key = key;
    if (!typed.delete("claim")) return;
  }
  const meaning = meaningOf(code);
  if (meaning === "sent away") link.leave("server");
  if (meaning === "room refused") giveUpRoom();
  if (meaning === "name refused" && restore.askedName !== undefined) return retryName(text);
  if (error) noteRefusal();
  notice(text, error ? "error" : "plain");
}

function askName(name: string): void {
  restore.askName(name);
  link.send(restore.key === undefined ? `/nick ${name}` : `/claim ${name} ${restore.key}`);
}

/** After an outage the name may still belong to the connection that was lost. */
function retryName(text: string): void {
  const name = restore.askedName;
  const turn = restore.pauseName((wanted) => {
    if (!link.isSession && link.state.kind !== "open") return;
    if (restore.chosen === wanted && !isMe(wanted)) askName(wanted);
  });
  if (turn === "first") notice(`${text} It is tried again for two minutes.`, "error");
  flush();
  if (turn === "last") notice(`The name ${name} stays taken: /nick chooses another.`);
}

/** The room from before cannot be joined: the page shows the one that the server chose. */
function giveUpRoom(): void {
  if (restore.room === undefined) return;
  enterRoom(restore.room.home, "");
  link.send("/who");
  link.send(`/history ${PAGE}`);
}
