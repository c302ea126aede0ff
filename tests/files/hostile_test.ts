/** What a peer may try with files, and what it gets for it. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { Connection } from "../../connection.ts";
import { ProtocolError } from "../../errors.ts";
import {
  checkName,
  fileRequests,
  getFile,
  listFiles,
  openDirectory,
  putFile,
} from "../../files.ts";
import { recall } from "../../files/checksum.ts";
import { partName } from "../../files/names.ts";
import { FilePart } from "../../files/part.ts";
import { RequestError, type RequestPeer, requests } from "../../request.ts";
import { memoryPair } from "../../testing.ts";
import {
  assertCode,
  content,
  endless,
  rawGet,
  rawPut,
  sha256,
  SOME,
  SOME_DIGEST,
  World,
} from "../support/files_world.ts";

const BAD_NAMES: readonly [name: unknown, state: RegExp][] = [
  ["", /empty/],
  [".", /dot/],
  ["..", /dot/],
  ["../x", /none of/],
  ["a/b", /none of/],
  ["/etc/passwd", /none of/],
  ["a\\b", /none of/],
  ["..\\x", /none of/],
  ["C:x", /none of/],
  ["C:\\x", /none of/],
  ["x:stream", /none of/],
  ["x?", /none of/],
  ["a\0b", /control/],
  ["a\nb", /control/],
  ["a\x1b[2Jb", /control/],
  ["a\x7f", /control/],
  ["a\x9b", /control/],
  ["a\u202egnp.exe", /control/],
  ["a\u2028b", /control/],
  ["\ud800", /Unicode/],
  [".hidden", /dot/],
  [".x.lengthwise-part", /dot/],
  ["x.", /ends with/],
  ["x ", /ends with/],
  ["NUL", /device/],
  ["nul.txt", /device/],
  ["con .txt", /device/],
  ["COM1", /device/],
  ["lpt¹.log", /device/],
  ["x".repeat(256), /longer than 255/],
  ["ä".repeat(128), /longer than 255/],
  [7, /no text/],
  [null, /no text/],
  [{ toString: "x" }, /no text/],
];

Deno.test("checkName() refuses names that are not plain files on every system", () => {
  for (const [name, state] of BAD_NAMES) {
    try {
      checkName(name);
    } catch (error) {
      assert(error instanceof RequestError);
      assertEquals(error.code, "invalid-name");
      assertMatch(error.message, state);
      continue;
    }
    throw new Error(`it took ${JSON.stringify(name)}`);
  }
});

Deno.test("checkName() takes other names", () => {
  const good = [
    "x",
    "a b",
    "a..b",
    "x".repeat(255),
    "ä".repeat(127),
    "console.log",
    "com",
    "com10",
  ];
  for (const name of [...good, "日本.txt", "👩‍👩‍👧.png", "~", "-rf", "a'b", "$(x)"]) checkName(name);
});

Deno.test("A served directory refuses every bad name, and nothing appears anywhere", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  await Deno.mkdir(join(world.served, "a"));
  for (const [name] of BAD_NAMES) {
    await assertCode(() => rawPut(peer, { name }, [SOME, { sha256: SOME_DIGEST }]), "invalid-name");
    await assertCode(() => rawGet(peer, { name }), "invalid-name");
    const offer = { name, size: 1 };
    await assertCode(
      () => (peer as unknown as RequestPeer).request("files.offer", offer),
      "invalid-name",
    );
  }
  assertEquals(world.names(), ["a"]);
  assertEquals(world.names(join(world.served, "a")), []);
  assertEquals(world.names(dirname(world.served)), ["here", "served"]);
});

Deno.test("A name of 255 bytes is stored, under a shorter one until it is whole", async () => {
  await using world = await World.create();
  const name = "ä".repeat(127) + "x";
  const link = world.link();
  const { items } = endless();
  const putting = rawPut(link.peer, { name }, items);
  await world.grown(10);
  await Promise.all([assertRejects(() => putting), link.cut()]);
  assertEquals(world.names().length, 1);
  assertMatch(world.names()[0], /^\.[0-9a-f]{64}\.lengthwise-part$/);
  const { peer } = world.link();
  await rawPut(peer, { name }, [SOME, { sha256: SOME_DIGEST }]);
  assertEquals(world.names(), [name]);
});

Deno.test("A served directory follows no links: not to files, not to folders, not dangling", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  const secret = await world.write("secret", SOME);
  for (const [to, name] of [[secret, "file"], [world.here, "dir"], ["nowhere", "dangling"]]) {
    await Deno.symlink(to, join(world.served, name));
    await assertCode(() => rawGet(peer, { name }), "not-a-file");
    await assertCode(() => rawPut(peer, { name }, [SOME, { sha256: SOME_DIGEST }]), "not-a-file");
    // The name of an unfinished file is a link.
    await Deno.symlink(to, join(world.served, `.${name}2.lengthwise-part`));
    const again = { name: `${name}2` };
    await assertCode(() => rawPut(peer, again, [content(3), { sha256: "" }]), "not-a-file");
  }
  assertEquals(await Deno.readFile(secret), SOME);
  assertEquals(world.names(world.here), ["secret"]);
  assertEquals(world.names().includes("nowhere"), false);
});

Deno.test("A served directory has no folders and pipes to fetch or to write over", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  await Deno.mkdir(join(world.served, "folder"));
  const pipe = join(world.served, "pipe");
  const { success } = await new Deno.Command("mkfifo", { args: [pipe] }).output();
  for (const name of success ? ["folder", "pipe"] : ["folder"]) {
    await assertCode(() => rawGet(peer, { name }), "not-a-file");
    await assertCode(() => rawPut(peer, { name }, [SOME, { sha256: SOME_DIGEST }]), "not-a-file");
  }
  await assertCode(() => rawGet(peer, { name: "nothing" }), "not-found");
});

const LIES: readonly [what: string, items: unknown[], code: string][] = [
  ["more bytes than promised", [SOME, Uint8Array.of(1)], "size-mismatch"],
  ["more bytes at once", [content(5000)], "size-mismatch"],
  ["fewer bytes", [SOME.subarray(1), { sha256: SOME_DIGEST }], "size-mismatch"],
  ["nothing but a digest", [{ sha256: SOME_DIGEST }], "size-mismatch"],
  ["other bytes", [content(1000, 2), { sha256: SOME_DIGEST }], "hash-mismatch"],
  ["text", ["hello"], "invalid-params"],
  ["null", [null], "invalid-params"],
  ["empty chunks", [new Uint8Array()], "invalid-params"],
  ["a digest that is none", [SOME, { sha256: "x" }], "invalid-params"],
  ["a digest that is a number", [SOME, { sha256: 7 }], "invalid-params"],
];

for (const [what, items, code] of LIES) {
  Deno.test(`An upload of ${what} is refused with ${code}, and nothing is kept`, async () => {
    await using world = await World.create();
    const { peer } = world.link();
    await assertCode(() => rawPut(peer, {}, items), code);
    assertEquals(world.names(), []);
    await rawPut(peer, {}, [SOME, { sha256: SOME_DIGEST }]);
    assertEquals(world.names(), ["x"]);
  });
}

Deno.test("An upload without an end is refused with incomplete, and kept for another time", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, {}, [SOME.subarray(0, 400)]), "incomplete");
  assertEquals(world.names(), [".x.lengthwise-part"]);
  const offer = { name: "x", size: 1000 };
  const offered = await peer.request("files.offer", offer);
  assertEquals([offered.offset, offered.whole], [400, false]);
  assertEquals(offered.sha256, await sha256(SOME.slice(0, 400)));
  for (const offset of [399, 401, 2 ** 50, -1, 1.5, "400", null]) {
    await assertCode(() => rawPut(peer, { offset }, [SOME]), "wrong-offset");
  }
  await rawPut(peer, { offset: 400 }, [SOME.subarray(400), { sha256: SOME_DIGEST }]);
  assertEquals(await Deno.readFile(join(world.served, "x")), SOME);
});

Deno.test("An upload that brings nothing leaves nothing", async () => {
  await using world = await World.create();
  await assertCode(() => rawPut(world.link().peer, {}, []), "incomplete");
  assertEquals(world.names(), []);
});

Deno.test("Params that cannot be are refused", async () => {
  await using world = await World.create();
  const peer = world.link().peer as unknown as RequestPeer;
  await Deno.writeFile(join(world.served, "x"), SOME);
  for (const params of [null, 7, "x", true]) {
    await assertCode(() => peer.request("files.offer", params), "invalid-params");
    await assertCode(() => peer.request("files.put", params, { items: [SOME] }), "invalid-params");
    await assertCode(() => Array.fromAsync(peer.stream("files.get", params)), "invalid-params");
  }
  for (const size of [-1, 1.5, "7", null, 2 ** 60, undefined]) {
    await assertCode(() => peer.request("files.offer", { name: "y", size }), "invalid-params");
  }
  for (const wrong of [{ offset: -1 }, { offset: "0" }, { chunkBytes: 0 }, { chunkBytes: null }]) {
    await assertCode(() => rawGet(peer, wrong), "invalid-params");
  }
  for (const wrong of [{ offset: 1001 }, { offset: 10, sha256: SOME_DIGEST }, { offset: 10 }]) {
    await assertCode(() => rawGet(peer, wrong), "source-changed");
  }
});

Deno.test("A download in chunks of any size is split as the peer wants, up to a limit", async () => {
  await using world = await World.create();
  await Deno.writeFile(join(world.served, "x"), SOME);
  const { peer } = world.link();
  for (const [chunkBytes, chunks] of [[400, 3], [1000, 1], [2 ** 40, 1]]) {
    const items = await rawGet(peer, { chunkBytes });
    assertEquals(items.length, chunks + 2);
    assertEquals(items.at(-1), { sha256: SOME_DIGEST });
  }
});

Deno.test("Of two uploads of one name at once the second is refused with busy", async () => {
  await using world = await World.create();
  const first = world.link();
  const { items, sent, stop } = endless();
  const putting = rawPut(first.peer, { owner: "a" }, items);
  await sent;
  const { peer } = world.link();
  for (const owner of ["b", undefined]) {
    await assertCode(() => rawPut(peer, { owner }, [SOME]), "busy");
    await assertCode(() => peer.request("files.offer", { name: "x", size: 1, owner }), "busy");
  }
  stop();
  await assertCode(() => putting, "incomplete");
  await rawPut(peer, {}, [SOME, { sha256: SOME_DIGEST }]);
});

Deno.test("Two uploads of one name to two servers of one directory do not mix", async () => {
  await using world = await World.create();
  const { items, sent, stop } = endless();
  const putting = rawPut(world.link().peer, { owner: "a" }, items);
  await sent;
  const other = world.link({}, await openDirectory(world.served));
  await assertCode(() => rawPut(other.peer, { owner: "a" }, [SOME]), "busy");
  stop();
  await assertCode(() => putting, "incomplete");
});

Deno.test("A new attempt of the same owner takes the place of one that hangs", async () => {
  await using world = await World.create();
  const { items, stop } = endless(SOME.subarray(0, 300));
  const hanging = rawPut(world.link().peer, { owner: "a" }, items);
  const refused = assertCode(() => hanging, "stalled");
  await world.grown(300);
  const { peer } = world.link();
  const offer = { name: "x", size: 1000, owner: "a" };
  const { offset } = await peer.request("files.offer", offer);
  assertEquals(offset, 300);
  const rest = [SOME.subarray(300), { sha256: SOME_DIGEST }];
  await rawPut(peer, { owner: "a", offset }, rest);
  await refused;
  stop();
  assertEquals(await Deno.readFile(join(world.served, "x")), SOME);
});

Deno.test("An upload that stands still is refused with stalled, and kept", async () => {
  await using world = await World.create({ idleTimeout: 30 });
  const { items, stop } = endless();
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, {}, items), "stalled");
  stop();
  assertEquals(world.names(), [".x.lengthwise-part"]);
});

Deno.test("A download that nobody reads is ended, and its place is free", async () => {
  await using world = await World.create({ idleTimeout: 30, maxTransfers: 1 });
  await Deno.writeFile(join(world.served, "x"), content(4 * 1024 * 1024));
  const { peer } = world.link();
  const params = { name: "x", offset: 0, chunkBytes: 1000 };
  const stream = (peer as unknown as RequestPeer).stream("files.get", params);
  await stream.next();
  const other = world.link();
  for (;;) {
    try {
      await Array.fromAsync(listFiles(other.peer));
      break;
    } catch (error) {
      assertEquals((error as RequestError).code, "busy");
    }
  }
  await assertCode(() => Array.fromAsync(stream), "stalled");
});

Deno.test("Transfers above maxTransfers are refused with busy", async () => {
  await using world = await World.create({ maxTransfers: 1 });
  const { items, sent, stop } = endless();
  const putting = rawPut(world.link().peer, {}, items);
  await sent;
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, { name: "y" }, [SOME]), "busy");
  await assertCode(() => rawGet(peer, { name: "y" }), "busy");
  await assertCode(() => Array.fromAsync(listFiles(peer)), "busy");
  stop();
  await assertCode(() => putting, "incomplete");
  assertEquals(await Array.fromAsync(listFiles(peer)), []);
});

Deno.test("A read-only directory takes no files", async () => {
  await using world = await World.create({ readOnly: true });
  await Deno.writeFile(join(world.served, "x"), SOME);
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, { name: "y" }, [SOME]), "read-only");
  await assertCode(() => peer.request("files.offer", { name: "x", size: 1000 }), "read-only");
  assertEquals((await rawGet(peer, {})).length, 3);
  assertEquals(world.names(), ["x"]);
});

Deno.test("A file of the same name is not written over, unless the directory says so", async () => {
  await using world = await World.create();
  const path = await world.write("x", SOME);
  for (const there of ["other", content(1000, 2)]) {
    const bytes = typeof there === "string" ? new TextEncoder().encode(there) : there;
    await Deno.writeFile(join(world.served, "x"), bytes);
    await assertCode(() => putFile(world.link().peer, path), "exists");
    await assertCode(() => rawPut(world.link().peer, {}, [SOME]), "exists");
    assertEquals(await Deno.readFile(join(world.served, "x")), bytes);
    assertEquals(world.names(), ["x"]);
    const replacing = world.link({}, await openDirectory(world.served, { replace: true }));
    await putFile(replacing.peer, path);
    assertEquals(await Deno.readFile(join(world.served, "x")), SOME);
  }
});

Deno.test("Files above maxFileBytes are refused with too-large, from their offer alone", async () => {
  await using world = await World.create({ maxFileBytes: 999 });
  const { peer } = world.link();
  const path = await world.write("x", SOME);
  await assertCode(() => putFile(peer, path), "too-large");
  await assertCode(() => rawPut(peer, {}, [SOME]), "too-large");
  await rawPut(peer, { size: 999 }, [
    SOME.subarray(1),
    { sha256: await sha256(SOME.slice(1)) },
  ]);
});

Deno.test("Files beyond maxDirectoryBytes are refused with quota, promised bytes counted", async () => {
  await using world = await World.create({ maxDirectoryBytes: 2500 });
  await Deno.writeFile(join(world.served, "there"), SOME);
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, { name: "big", size: 1501 }, [SOME]), "quota");
  const { items, sent, stop } = endless();
  const putting = rawPut(peer, {}, items); // 1000 bytes promised, 10 sent.
  await sent;
  await assertCode(() => rawPut(world.link().peer, { name: "y" }, [SOME]), "quota");
  stop();
  await assertCode(() => putting, "incomplete");
  // The unfinished one gives way.
  await rawPut(peer, { name: "y" }, [SOME, { sha256: SOME_DIGEST }]);
  await rawPut(peer, { name: "z", size: 500 }, [
    SOME.subarray(500),
    { sha256: await sha256(SOME.slice(500)) },
  ]);
  assertEquals(world.names(), ["there", "y", "z"]);
  await assertCode(() => rawPut(peer, { name: "w", size: 1 }, [SOME]), "quota");
  assertEquals(world.names(), ["there", "y", "z"]);
});

Deno.test("Files beyond maxFiles are refused with quota; unfinished ones give way, the oldest first", async () => {
  await using world = await World.create({ maxFiles: 3 });
  const { peer } = world.link();
  await rawPut(peer, {}, [SOME, { sha256: SOME_DIGEST }]);
  for (const [name, age] of [["old", 5000], ["new", 10]] as const) {
    const path = join(world.served, `.${name}.lengthwise-part`);
    await Deno.writeFile(path, SOME);
    const time = new Date(Date.now() - age * 1000);
    await Deno.utime(path, time, time);
  }
  const fresh = world.link({}, await openDirectory(world.served, { maxFiles: 3 })).peer;
  await rawPut(fresh, { name: "y" }, [SOME, { sha256: SOME_DIGEST }]);
  assertEquals(world.names(), [".new.lengthwise-part", "x", "y"]);
  await rawPut(fresh, { name: "z" }, [SOME, { sha256: SOME_DIGEST }]);
  assertEquals(world.names(), ["x", "y", "z"]);
  await assertCode(() => rawPut(fresh, { name: "w" }, [SOME]), "quota");
});

Deno.test("Unfinished files are removed when nobody went on with them for partRetention", async () => {
  await using world = await World.create({ partRetention: 3_600_000 });
  for (const [name, hours] of [["old", 2], ["new", 0]] as const) {
    const path = join(world.served, `.${name}.lengthwise-part`);
    await Deno.writeFile(path, SOME);
    const time = new Date(Date.now() - hours * 3_600_000);
    await Deno.utime(path, time, time);
  }
  await Deno.writeFile(join(world.served, ".keep"), SOME);
  await rawPut(world.link().peer, {}, [SOME, { sha256: SOME_DIGEST }]);
  assertEquals(world.names(), [".keep", ".new.lengthwise-part", "x"]);
});

Deno.test("A part that was changed behind the server's back is not gone on with", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  const path = await world.write("x", SOME);
  await assertCode(() => rawPut(peer, {}, [SOME.subarray(0, 400)]), "incomplete");
  await Deno.writeFile(join(world.served, ".x.lengthwise-part"), content(400, 3));
  let restarts = 0;
  await putFile(peer, path, { onRestart: () => restarts++ });
  assertEquals(restarts, 1);
  assertEquals(await Deno.readFile(join(world.served, "x")), SOME);
});

Deno.test("A part that was changed within the clock tick of its closing is not remembered", async () => {
  const folder = await Deno.makeTempDir();
  const other = content(SOME.length, 3);
  // The system's clock for files ticks seldom: most of these are changed before it does.
  for (let i = 0; i < 20; i++) {
    const part = await FilePart.open(join(folder, `${i}`), `${i}`);
    await part.write(SOME);
    const remembered = await part.close();
    const path = join(folder, partName(`${i}`));
    Deno.writeFileSync(path, other);
    assertEquals(recall(remembered, Deno.lstatSync(path)).offset, 0);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("What is known of a part is remembered, until it is changed", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "x");
  const part = await FilePart.open(path, "x");
  await part.write(SOME);
  const remembered = await part.close();
  assert(remembered !== undefined);
  const info = await Deno.lstat(join(folder, partName("x")));
  assert(recall(remembered, info) === remembered.checksum);
  const again = await FilePart.open(path, "x", { remembered });
  assertEquals(await again.digest(), SOME_DIGEST);
  await again.close();

  const { at } = remembered;
  const [soon, later] = [new Date(at - 1), new Date(at + 1)];
  const changes: Partial<Deno.FileInfo>[] = [{ mtime: later }, { ctime: later }, { size: 1 }];
  for (const change of [...changes, { ino: -1 }, { mtime: null }]) {
    const changed = { ...info, ...change };
    assertEquals(recall(remembered, changed).offset, 0, JSON.stringify(change));
  }
  // Files that were changed just before they were looked at may look the same after a change.
  const fresh = { ...info, mtime: soon };
  assertEquals(recall({ ...remembered, info: fresh }, fresh).offset, 0);
  const timeless = { ...info, mtime: null };
  assertEquals(recall({ ...remembered, info: timeless }, timeless).offset, 0);
  await Deno.remove(folder, { recursive: true });
});

/** A small disk; undefined where none can be made. */
async function smallDisk(path: string): Promise<AsyncDisposable | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return;
  const args = ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path];
  const { success } = await new Deno.Command("mount", { args }).output();
  if (!success) return;
  return {
    async [Symbol.asyncDispose]() {
      await new Deno.Command("umount", { args: [path] }).output();
    },
  };
}

const canMount = await (async () => {
  const path = await Deno.makeTempDir();
  const disk = await smallDisk(path);
  await disk?.[Symbol.asyncDispose]();
  await Deno.remove(path);
  return disk !== undefined;
})();

Deno.test({
  name: `A full disk is told as disk-full at both ends${
    canMount ? "" : " (skipped: a small disk can be mounted by root only)"
  }`,
  ignore: !canMount,
  async fn() {
    const bytes = content(1024 * 1024);
    await using world = await World.create();
    await using _served = await smallDisk(world.served);
    const directory = await openDirectory(world.served);
    const { peer } = world.link({}, directory);
    const path = await world.write("x", bytes);
    await assertCode(() => putFile(peer, path), "disk-full");
    assertEquals(world.names(), []);
    await rawPut(peer, {}, [SOME, { sha256: SOME_DIGEST }]);
    assertEquals(world.names(), ["x"]);

    const disk = join(world.here, "disk");
    await Deno.mkdir(disk);
    await using _here = await smallDisk(disk);
    await using other = await World.create();
    await Deno.writeFile(join(other.served, "y"), bytes);
    await assertCode(() => getFile(other.link().peer, "y", join(disk, "y")), "disk-full");
    assertEquals(world.names(disk), [".y.lengthwise-part"]);
  },
});

/** A server that answers as it likes. */
function liar(handlers: Record<string, (...args: never[]) => unknown>) {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  const server = requests(far, handlers as never);
  const peer = fileRequests(near);
  return {
    peer,
    async [Symbol.asyncDispose]() {
      await Promise.all([peer.close(), server.close()]);
    },
  };
}

const ENTRY = { name: "x", size: 1000, modified: null };
const FALSE_FILES: readonly [what: string, items: unknown[], error: string][] = [
  ["nothing", [], "ProtocolError"],
  ["no header", [SOME], "ProtocolError"],
  ["a header of another kind", [{ name: "x", size: "1000" }], "ProtocolError"],
  ["more than it said", [ENTRY, SOME, Uint8Array.of(1)], "ProtocolError"],
  ["less than it said", [ENTRY, SOME.subarray(1), { sha256: SOME_DIGEST }], "ProtocolError"],
  ["no digest", [ENTRY, SOME], "ProtocolError"],
  ["other bytes", [ENTRY, content(1000, 2), { sha256: SOME_DIGEST }], "RequestError"],
  ["a size that fills the disk", [{ ...ENTRY, size: 2 ** 50 }], "RequestError"],
];

for (const [what, items, name] of FALSE_FILES) {
  Deno.test(`getFile() takes no file from a peer that sends ${what}`, async () => {
    await using world = await World.create();
    await using server = liar({
      async *"files.get"() {
        yield* items;
      },
    });
    const error = await assertRejects(
      () => getFile(server.peer, "x", join(world.here, "x")),
      Error,
    );
    assertEquals(error.name, name, error.message);
    assertEquals(world.names(world.here).includes("x"), false);
  });
}

Deno.test("putFile() and listFiles() believe no answer that cannot be", async () => {
  await using world = await World.create();
  const path = await world.write("x", SOME);
  for (const offered of [null, 7, {}, { offset: -1, chunkBytes: 1, sha256: SOME_DIGEST }]) {
    await using server = liar({ "files.offer": () => offered });
    await assertRejects(() => putFile(server.peer, path), ProtocolError);
  }
  for (const entry of [null, {}, { name: "../x", size: 1 }, { name: "x", size: -1 }]) {
    await using server = liar({
      async *"files.list"() {
        yield entry;
      },
    });
    await assertRejects(() => Array.fromAsync(listFiles(server.peer)), ProtocolError);
  }
});

Deno.test("putFile() and getFile() give up on a peer that falls silent", async () => {
  await using world = await World.create();
  const path = await world.write("x", content(8 * 1024 * 1024));
  const { promise: never, resolve } = Promise.withResolvers<void>();
  await using server = liar({
    "files.offer": () => ({
      offset: 0,
      chunkBytes: 1000,
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }),
    "files.put": async () => await never,
    async *"files.get"() {
      yield ENTRY;
      await never;
    },
  });
  const options = { idleTimeout: 30 };
  await assertCode(() => getFile(server.peer, "x", join(world.here, "y"), options), "stalled");
  await assertCode(() => putFile(server.peer, path, options), "stalled");
  resolve();
});
