/** Which server the page tries, and in which order. */

import { assertEquals } from "@std/assert";
import { Servers } from "../../../chat/page/browser/servers.ts";

const OWN = "ws://a/";
const OTHERS = ["ws://b/", "ws://c/", "ws://d/"];

/** The next so many. */
function take(servers: Servers, count: number): string[] {
  return Array.from({ length: count }, () => servers.next());
}

Deno.test("Servers has each once in a round, the page's own first and the others by lot", () => {
  const lots = [0.5, 0.9, 0, 0, 0, 0];
  const servers = new Servers(OWN, OTHERS, () => lots.shift()!);
  assertEquals(take(servers, 4), [OWN, "ws://c/", "ws://d/", "ws://b/"]);
  assertEquals(take(servers, 4), [OWN, "ws://b/", "ws://c/", "ws://d/"]);
});

Deno.test("Servers begins with the page's own after startAnew(), and forgets no other", () => {
  const servers = new Servers(OWN, OTHERS);
  take(servers, 2);
  servers.startAnew();
  const round = take(servers, 4);
  assertEquals(round[0], OWN);
  assertEquals(round.toSorted(), [OWN, ...OTHERS]);
});

Deno.test("Servers of many pages take different others", () => {
  const second = () => take(new Servers(OWN, OTHERS), 2)[1];
  const seen = new Set<string>();
  for (let n = 0; n < 1_000 && seen.size < OTHERS.length; n++) seen.add(second());
  assertEquals([...seen].toSorted(), OTHERS);
});

Deno.test("Servers passes over the page's own among the others, and may be alone", () => {
  const servers = new Servers(OWN, [OWN, "ws://b/"]);
  assertEquals(take(servers, 4), [OWN, "ws://b/", OWN, "ws://b/"]);
  assertEquals(take(new Servers(OWN, []), 2), [OWN, OWN]);
});

Deno.test("Servers tells the others of one, the page's own among them", () => {
  const servers = new Servers(OWN, [OWN, ...OTHERS]);
  assertEquals(servers.except(OWN), OTHERS);
  assertEquals(servers.except("ws://c/"), [OWN, "ws://b/", "ws://d/"]);
  assertEquals(new Servers(OWN, []).except(OWN), []);
});
