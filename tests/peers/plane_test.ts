/** Hubs of peers on one backplane: what goes to the others, and what is believed of it. */

import { assertEquals, assertInstanceOf } from "@std/assert";
import type { StandardSchema } from "../../format.ts";
import { Hub, inProcess } from "../../hub.ts";
import { toHex } from "../../internal/encoding.ts";
import { PeerHub } from "../../peers.ts";
import { hex } from "../support/bytes.ts";
import { type Events, Members } from "../support/peer_rooms.ts";
import { settle } from "../support/requests.ts";

const ROOM = "\u0000peers:a";

function attach(backplane = inProcess()) {
  const heard: string[] = [];
  const link = backplane.attach({
    deliver: (room, message) => heard.push(`${room} ${toHex(message)}`),
    failed: () => {},
  });
  return { backplane, link, heard };
}

Deno.test("PeerHub: several on a backplane act as one, in order and once", async () => {
  await using members = new Members();
  const backplane = inProcess();
  using here = new PeerHub<Events>({ backplane });
  using there = new PeerHub<Events>({ backplane });
  const [one, two] = await members.many(2);
  here.join("a", one.peer);
  there.join("a", two.peer);
  let encoded = 0;
  assertEquals(here.notify("a", "said", { toJSON: () => (encoded++, 1) }), 1);
  there.notify("a", "said", 2, { except: two.peer });
  here.notify("a", "said", 3);
  assertEquals(await one.told.first(3), [1, 2, 3]);
  assertEquals(await two.told.first(2), [1, 3]);
  assertEquals([encoded, here.stats.notifications, there.stats.delivered], [1, 3, 2]);
  here.join("b", one.peer, { data: "Ada" });
  const room = there.presence("b");
  await room.ready;
  assertEquals([...room].map(({ data }) => data), ["Ada"]);
  there.leave("a", two.peer);
  there.close();
  here.notify("a", "said", 4);
  assertEquals(there.stats.notifications, 3);
});

Deno.test("PeerHub publishes a byte and the NOTIFY, under names that rooms of connections do not have", async () => {
  await using members = new Members();
  const { backplane, link, heard } = attach();
  using hub = new PeerHub<Events>({ backplane });
  using plain = new Hub({ backplane });
  const [near, far] = members.pair();
  plain.join("a", near);
  link.subscribe(ROOM);
  hub.notify("a", "said", "hi");
  hub.notify("a", "bare", undefined, { volatile: true });
  assertEquals(heard, [
    `${ROOM} 0121047361696422686922`,
    `${ROOM} 02010462617265`,
  ]);
  plain.broadcast("a", "for connections");
  assertEquals(new TextDecoder().decode(await far.receive()), "for connections");
  assertEquals(hub.stats.foreign, 0);
});

Deno.test("PeerHub keeps volatile ones from slow peers of other hubs, too", async () => {
  await using members = new Members();
  const backplane = inProcess();
  using here = new PeerHub<Events>({ backplane });
  using there = new PeerHub<Events>({ backplane });
  const [{ peer, near }] = await members.many(1, { highWaterMark: 1024 });
  there.join("a", peer);
  near.offer(new Uint8Array(2000).fill(1)); // which its other end will not like, but later
  here.notify("a", "said", 1, { volatile: true });
  assertEquals([there.stats.delivered, there.stats.dropped], [0, 1]);
});

const FOREIGN = [
  ["", "nothing"],
  ["21047361696422686922", "a NOTIFY without the byte"],
  ["03", "another byte"],
  ["01", "no message"],
  ["0122047361696422686922", "a REQUEST"],
  ["01a601", "an answer"],
  ["01004c57525101e807808080028080800801", "a HELLO"],
  ["0121ff7361696422686922", "a name that is cut"],
  ["012104ff61696422686922", "a name that is no UTF-8"],
  ["01210473616964226869", "no JSON"],
  ["012104736169642261ff22", "JSON that is no UTF-8"],
  ["010104736169647e", "bytes where there is no value"],
  ["0161047361696400", "a value of no known kind"],
] as const;

Deno.test("PeerHub takes nothing from a backplane that is no notification, and counts it", async () => {
  await using members = new Members();
  const { backplane, link } = attach();
  using hub = new PeerHub<Events>({ backplane });
  const [{ peer, told }] = await members.many(1);
  hub.join("a", peer);
  for (const [index, [bytes, what]] of FOREIGN.entries()) {
    link.publish(ROOM, () => hex(bytes));
    assertEquals([hub.stats.foreign, hub.stats.notifications], [index + 1, 0], what);
  }
  link.publish(ROOM, () => hex(`01410473616964${"00".repeat(1024 * 1024)}`));
  assertEquals(hub.stats.foreign, FOREIGN.length + 1);
  link.publish(ROOM, () => hex("0121047361696422686922"));
  assertEquals(await told.first(1), ["hi"]);
});

function schema<T>(validate: (value: unknown) => boolean | Promise<boolean>): StandardSchema<T> {
  const result = (isRight: boolean, value: unknown) =>
    isRight ? { value: value as T } : { issues: [{ message: "wrong" }] };
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        const isRight = validate(value);
        return isRight instanceof Promise
          ? isRight.then((is) => result(is, value))
          : result(isRight, value);
      },
    },
  };
}

Deno.test("PeerHub({ accepts }) takes from a backplane only what is listed and valid", async () => {
  await using members = new Members();
  const backplane = inProcess();
  const errors: unknown[] = [];
  using elsewhere = new PeerHub({ backplane });
  using hub = new PeerHub<Events>({
    backplane,
    accepts: {
      moved: schema((value) => typeof (value as { x: unknown } | null)?.x === "number"),
      bare: schema(() => Promise.reject(new Error("later"))),
      said: schema((value) => {
        if (value === "throw") throw new Error("broken validator");
        return true;
      }),
    },
    onError: (error) => errors.push(error),
  });
  const [{ peer, told }] = await members.many(1);
  hub.join("a", peer);
  for (const params of [{ name: "x", x: 1 }, { x: "1" }, null, undefined]) {
    elsewhere.notify("a", "moved", params);
  }
  for (const method of ["toString", "__proto__", "constructor", "ask", ""]) {
    elsewhere.notify("a", method, { x: 1 });
  }
  assertEquals([hub.stats.notifications, hub.stats.foreign, errors.length], [1, 8, 0]);
  elsewhere.notify("a", "bare");
  elsewhere.notify("a", "said", "throw");
  assertEquals(hub.stats.foreign, 10);
  assertInstanceOf(errors[0], TypeError);
  assertEquals(String(errors[1]), "Error: broken validator");
  elsewhere.notify("a", "said", "last");
  assertEquals(await told.first(2), [{ name: "x", x: 1 }, "last"]);
  await settle();
});
