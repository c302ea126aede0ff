/** What the page knows of messages that are not known to have arrived. */

import { assertEquals } from "@std/assert";
import { Outbox } from "../../../chat/page/browser/outbox.ts";
import { BURST, PACE, Pace } from "../../../chat/page/browser/pace.ts";

/** An outbox with these messages on their way since a time. */
function sent(at: number, ...texts: string[]): Outbox {
  const outbox = new Outbox();
  for (const text of texts) outbox.add(text, "lobby");
  for (const item of outbox.items) item.delivery = { kind: "sent", at };
  return outbox;
}

function left(outbox: Outbox): string[] {
  return outbox.items.map(({ text, delivery }) => `${text}: ${delivery.kind}`);
}

Deno.test("Outbox confirms a message that came back, whichever it was", () => {
  const outbox = sent(0, "one", "two", "/me waves", "//slash");
  assertEquals(outbox.confirm({ type: "say", text: "two" }), true);
  assertEquals(outbox.confirm({ type: "me", text: "waves" }), true);
  assertEquals(outbox.confirm({ type: "say", text: "/slash" }), true);
  assertEquals(left(outbox), ["one: sent"]);
});

Deno.test("Outbox confirms the oldest message when the server shows it otherwise", () => {
  const outbox = sent(0, "a\u0301 la carte", "/me waves", "later");
  assertEquals(outbox.confirm({ type: "say", text: "\u00e1 la carte" }), true);
  assertEquals(left(outbox), ["/me waves: sent", "later: sent"]);
});

Deno.test("Outbox does not take what waits, or only resembles what is doubtful, for arrived", () => {
  const outbox = sent(0, "perhaps");
  outbox.doubt();
  outbox.add("waits", "lobby");
  assertEquals(outbox.confirm({ type: "say", text: "waits" }), false);
  assertEquals(outbox.confirm({ type: "say", text: "other" }), false);
  assertEquals(outbox.confirm({ type: "say", text: "perhaps" }), true);
  assertEquals(left(outbox), ["waits: waiting"]);
});

Deno.test("Outbox gives what waits for a room, oldest first", () => {
  const outbox = new Outbox();
  outbox.add("one", "lobby");
  outbox.add("two", "dev");
  outbox.add("three", "dev");
  assertEquals(outbox.next("dev")?.text, "two");
  outbox.next("dev")!.delivery = { kind: "sent", at: 0 };
  assertEquals(outbox.next("dev")?.text, "three");
  assertEquals(outbox.next("empty"), undefined);
  outbox.renameRoom("lobby", "Lobby");
  assertEquals(outbox.next("Lobby")?.text, "one");
});

Deno.test("Outbox refuses the oldest message on its way, and doubts what is late", () => {
  const outbox = sent(1000, "one", "two");
  outbox.refuse();
  outbox.doubtLate(11_000, 10_000);
  assertEquals(left(outbox), ["one: refused", "two: sent"]);
  outbox.doubtLate(11_001, 10_000);
  assertEquals(left(outbox), ["one: refused", "two: doubtful"]);
  outbox.refuse();
  assertEquals(left(outbox), ["one: refused", "two: doubtful"]);
});

Deno.test("Outbox counts what is on its way, and waits anew for it after an outage", () => {
  const outbox = sent(1_000, "one", "two");
  outbox.add("three", "lobby");
  assertEquals(outbox.onTheirWay, 2);
  outbox.sentAgain(50_000);
  outbox.doubtLate(60_000, 10_000);
  assertEquals(left(outbox), ["one: sent", "two: sent", "three: waiting"]);
  outbox.doubtLate(60_001, 10_000);
  assertEquals([outbox.onTheirWay, left(outbox)[0]], [0, "one: doubtful"]);
});

Deno.test("Outbox survives a reload; what was on its way is doubtful then", () => {
  const outbox = sent(0, "sent");
  outbox.add("waiting", "dev");
  const kept = JSON.parse(JSON.stringify(outbox));
  assertEquals(kept, [
    { text: "sent", room: "lobby", state: "doubtful" },
    { text: "waiting", room: "dev", state: "waiting" },
  ]);
  assertEquals(left(new Outbox(kept)), ["sent: doubtful", "waiting: waiting"]);
});

Deno.test("Outbox takes from storage only what it put there, and not too much", () => {
  const item = { text: "one", room: "lobby", state: "waiting" };
  const strange = [null, 5, {}, { ...item, text: 5 }, { ...item, state: "sent" }];
  assertEquals(left(new Outbox([...strange, item])), ["one: waiting"]);
  const full = new Outbox(Array(200).fill(item));
  assertEquals([full.items.length, full.full], [100, true]);
  full.drop(full.items[0]);
  assertEquals([full.items.length, full.full], [99, false]);
});

Deno.test("Pace lets through a few at once, and then one by one", () => {
  const pace = new Pace();
  const now = 1_000_000;
  const taken = (time: number) => Array.from({ length: 5 }, () => pace.take(time)).filter(Boolean);
  assertEquals(taken(now).length, BURST);
  assertEquals(taken(now + PACE - 1).length, 0);
  assertEquals(taken(now + PACE).length, 1);
  assertEquals(taken(now + 100 * PACE).length, BURST);
});

Deno.test("Pace lets through one by one what waited while there was no network", () => {
  const pace = new Pace();
  const now = 1_000_000;
  const taken = (time: number) => Array.from({ length: 5 }, () => pace.take(time)).filter(Boolean);
  pace.spend(now);
  assertEquals([taken(now), taken(now + PACE).length], [[], 1]);
});
