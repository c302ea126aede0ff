/**
 * The panel of rooms and people, and the titles.
 *
 * @module
 */

import { writePrefix } from "./composer.ts";
import { $, line, make } from "./elements.ts";
import { nameElement } from "./entries.ts";
import { inbox } from "./inbox.ts";
import { MAX_LISTED } from "./limits.ts";
import { closePanel } from "./panel.ts";
import { command } from "./sending.ts";
import { plural, roomLabel, textOf } from "./text.ts";
import { isMe, isUnread, sortedRooms, view } from "./view.ts";

/** Shows the rooms, now or after what is being taken. */
export function showRooms(): void {
  inbox.soon(drawRooms);
}

/** Shows who is in the room. */
export function showPeople(): void {
  inbox.soon(drawPeople);
}

/** Shows the window's title. */
export function showTitle(): void {
  inbox.soon(drawTitle);
}

/** Goes to the room above or below; if need be, to one with unread messages. */
export function step(by: 1 | -1, which: "any" | "unread"): void {
  const rooms = sortedRooms();
  const at = rooms.findIndex(({ name }) => name === view.room);
  for (let i = 1; i < rooms.length; i++) {
    const room = rooms[(at + by * i + rooms.length * i) % rooms.length];
    if (which === "any" || isUnread(room)) return goTo(room.name);
  }
}

function goTo(room: string): void {
  closePanel();
  if (room !== view.room) command(`/join ${room}`);
  line.focus();
}

function drawRooms(): void {
  const rooms = sortedRooms();
  reconcile($("rooms"), rooms, (row, room) => {
    row.label.textContent = roomLabel(room.name);
    row.label.dir = "auto";
    row.count.textContent = String(room.members ?? "");
    row.count.title = plural(room.members ?? 0, "person", "people");
    row.tag.textContent = isUnread(room) ? "new" : "";
    row.button.title = textOf(room.topic);
    row.button.classList.toggle("unread", isUnread(room));
    if (room.name === view.room) row.button.setAttribute("aria-current", "page");
    else row.button.removeAttribute("aria-current");
    row.button.onclick = () => goTo(room.name);
  });
  $("menu").classList.toggle("unread", rooms.some(isUnread));
  $("room").textContent = roomLabel(view.room);
  $("topic").textContent = view.topic;
  $("topic").title = view.topic;
  line.placeholder = `Message ${roomLabel(view.room)}`;
}

function drawPeople(): void {
  const people = [...view.people.values()].sort((a, b) => a.name.localeCompare(b.name));
  reconcile($("people"), people.slice(0, MAX_LISTED), (row, person) => {
    const marks = [
      person.operator && "operator",
      person.away !== undefined ? "away" : person.silent && "silent",
      isMe(person.name) && "you",
    ].filter(Boolean);
    row.label.replaceChildren(nameElement(person.name));
    row.tag.textContent = marks.join(", ");
    row.button.classList.toggle("away", person.away !== undefined || person.silent === true);
    row.button.title = person.away ? `Away: ${textOf(person.away)}` : "Write privately";
    row.button.onclick = () => writePrefix(`/msg ${person.name} `);
  });
  const count = people.length + view.unlisted;
  $("rest").hidden = count <= MAX_LISTED;
  $("rest").textContent = `and ${count - MAX_LISTED} more`;
  $("people-title").textContent = `People (${count})`;
  $("my-name").textContent = view.me || "not here yet";
}

function drawTitle(): void {
  const missed = view.missed > 0 ? `(${view.missed}) ` : "";
  const elsewhere = view.rooms.some(isUnread) ? "• " : "";
  document.title = `${missed}${elsewhere}${roomLabel(view.room)} – Lengthwise`;
}

/** One row of a list: a button with three words in it. */
interface Row {
  readonly button: HTMLButtonElement;
  readonly label: HTMLElement;
  readonly tag: HTMLElement;
  readonly count: HTMLElement;
}

/** Brings a list up to date without touching what stays, so that the focus stays too. */
function reconcile<T extends { readonly name: string }>(
  list: HTMLElement,
  items: readonly T[],
  update: (row: Row, item: T) => void,
): void {
  const children = [...list.children] as HTMLElement[];
  const old = new Map(children.map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const child = old.get(item.name) ?? newRow(item.name);
    old.delete(item.name);
    const button = child.querySelector("button")!;
    const [label, tag, count] = [...button.children] as HTMLElement[];
    update({ button, label, tag, count }, item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

function newRow(key: string): HTMLElement {
  const parts = ["label", "tag", "count"].map((className) => make("span", { className }));
  const row = make("li", {}, make("button", { type: "button" }, ...parts));
  row.dataset.key = key;
  return row;
}
