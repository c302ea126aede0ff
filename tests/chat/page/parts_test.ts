/** What the page's pure parts make of names, texts, events, histories and half a line. */

import { assertEquals } from "@std/assert";
import {
  beginCompletion,
  candidatesFor,
  completedLine,
  nextCompletion,
} from "../../../chat/page/browser/completion.ts";
import { readEvent } from "../../../chat/page/browser/events.ts";
import { meaningOf } from "../../../chat/page/browser/meaning.ts";
import { answers, askedAgain, stillLoading } from "../../../chat/page/browser/loading.ts";
import { Recall } from "../../../chat/page/browser/recall.ts";
import {
  dateOf,
  hueOf,
  isGuest,
  keyOf,
  mentionPattern,
  partsOf,
  roomLabel,
  textOf,
} from "../../../chat/page/browser/text.ts";

Deno.test("keyOf() is the same for names that look the same", () => {
  assertEquals([keyOf("ADA"), keyOf("ａｄａ")], ["ada", "ada"]);
  assertEquals(hueOf("ADA"), hueOf("ada"));
  assertEquals(["guest-7", "Guest-12", "guest-x", "my guest-7"].map(isGuest), [
    true,
    true,
    false,
    false,
  ]);
  assertEquals([roomLabel("dev"), roomLabel("#dev")], ["#dev", "#dev"]);
});

Deno.test("textOf() and dateOf() make something of everything", () => {
  assertEquals([undefined, null, 5, "x"].map(textOf), ["", "", "5", "x"]);
  assertEquals(textOf("x".repeat(20_001)).slice(19_999), "x… (20001 characters)");
  assertEquals(dateOf("1000").getTime(), 1000);
  assertEquals(Number.isNaN(dateOf("never").getTime()), false);
});

Deno.test("mentionPattern() finds a name as a word, whatever is in it", () => {
  const found = (name: string, text: string) => text.match(mentionPattern(name) ?? /$^/g) ?? [];
  assertEquals(found("ada", "Ada: adam and nada ask ADA."), ["Ada", "ADA"]);
  assertEquals(found("a.b*", "a.b* axb"), ["a.b*"]);
  assertEquals(found("é", "é élan"), ["é"]);
  assertEquals(mentionPattern(""), undefined);
});

Deno.test("partsOf() finds links that lead to where they say", () => {
  const text = "See https://a.test/x?(y). Or http://b.test@evil.test/ or javascript:x";
  assertEquals([...partsOf(text)], [
    { text: "See " },
    { text: "https://a.test/x?(y", href: "https://a.test/x?(y" },
    { text: "). Or http://b.test@evil.test/ or javascript:x" },
  ]);
  assertEquals([...partsOf(text)].map((part) => part.text).join(""), text);
});

Deno.test("readEvent() takes events that are whole, and what is whole in lists", () => {
  const read = (value: unknown) => readEvent(JSON.stringify(value));
  const said = { type: "say", id: 1, room: "lobby", name: "ada", text: "hi", time: 0 } as const;
  assertEquals(read(said), said);
  assertEquals(read({ ...said, id: "1" }), undefined);
  assertEquals(read({ type: "nick", from: "ada" }), undefined);
  assertEquals(read({ type: "later than this page" }), undefined);
  assertEquals(read({ type: "toString" }), undefined);
  assertEquals(read({ type: "who", room: "lobby", members: [null, {}, { name: "ben" }] }), {
    type: "who",
    room: "lobby",
    members: [{ name: "ben" }],
  });
  assertEquals(read({ type: "history", room: "lobby", messages: 5 }), undefined);
});

Deno.test("readEvent() leaves the server's own words as they are", () => {
  for (const text of ["* Welcome", "{not JSON}", "null", "5", '{"kind":"other"}']) {
    assertEquals(readEvent(text), text);
  }
});

Deno.test("answers() tells the history that was asked for from another one", () => {
  const messages = [{ id: 4 }, { id: 5 }];
  const older = { kind: "older", before: 6, since: 0 } as const;
  assertEquals(answers({ kind: "entering" }, messages), true);
  assertEquals(answers({ kind: "idle" }, messages), false);
  assertEquals(answers(older, messages), true);
  assertEquals(answers(older, []), true);
  assertEquals(answers({ ...older, before: 5 }, messages), false);
});

Deno.test("stillLoading() does not wait for ever for an answer, but for the first one", () => {
  const older = { kind: "older", before: 6, since: 1000 } as const;
  assertEquals(stillLoading(older, 1500, 500), older);
  assertEquals(stillLoading(older, 1501, 500), { kind: "idle" });
  assertEquals(stillLoading({ kind: "entering" }, 99_999, 500), { kind: "entering" });
});

Deno.test("askedAgain() waits anew for what was asked for, and changes nothing else", () => {
  const older = { kind: "older", before: 6, since: 1000 } as const;
  assertEquals(askedAgain(older, 1500), { ...older, since: 1500 });
  assertEquals(askedAgain({ kind: "entering" }, 1500), { kind: "entering" });
  assertEquals(askedAgain({ kind: "idle" }, 1500), { kind: "idle" });
});

const CHOICES = { rooms: ["lobby", "dev"], people: ["Ben", "Ada", "adam"] };

Deno.test("candidatesFor() offers commands, rooms and names where each can stand", () => {
  assertEquals(candidatesFor("", "/h", CHOICES), ["/help ", "/history "]);
  assertEquals(candidatesFor("/join ", "de", CHOICES), ["dev"]);
  assertEquals(candidatesFor("", "ad", CHOICES), ["Ada: ", "adam: "]);
  assertEquals(candidatesFor("hi ", "@AD", CHOICES), ["Ada ", "adam "]);
  assertEquals(candidatesFor("hi ", "@", CHOICES), []);
  assertEquals(candidatesFor("hi ", "/h", CHOICES), []);
});

Deno.test("A completion goes through all ways, and keeps what is after the caret", () => {
  const first = beginCompletion("ad there", 2, CHOICES)!;
  assertEquals(completedLine(first), "Ada:  there");
  const second = nextCompletion(first)!;
  assertEquals(completedLine(second), "adam:  there");
  assertEquals(nextCompletion(second), undefined);
  assertEquals(beginCompletion("ad there", 0, CHOICES), undefined);
  assertEquals(beginCompletion("xyz", 3, CHOICES), undefined);
});

Deno.test("Recall goes back through the lines, and gives back what was begun", () => {
  const recall = new Recall();
  assertEquals(recall.step(-1, "draft"), undefined);
  for (const text of ["one", "two", "two"]) recall.add(text);
  assertEquals(recall.step(-1, "draft"), "two");
  assertEquals(recall.step(-1, "two"), "one");
  assertEquals(recall.step(-1, "one"), undefined);
  assertEquals(recall.stop(), "draft");
  assertEquals(recall.stop(), undefined);
  assertEquals(recall.step(-1, "draft"), "two");
  assertEquals(recall.step(1, "two"), "draft");
  assertEquals(recall.step(1, "draft"), undefined);
});

Deno.test("meaningOf() knows who was sent away, and whose name or room was refused", () => {
  assertEquals(meaningOf("kicked"), "sent away");
  assertEquals(meaningOf("member-kicked"), "other");
  assertEquals(meaningOf("closing"), "other");
  assertEquals(meaningOf("room-full"), "room refused");
  assertEquals(meaningOf("room-already"), "other");
  assertEquals(meaningOf("name-taken"), "name refused");
});
