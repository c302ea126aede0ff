/** What one peer may take of what is there for all, and what the system may do to files. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "node:path";
import { connect } from "../../client.ts";
import { Connection } from "../../connection.ts";
import { ProtocolError } from "../../errors.ts";
import {
  type FileMethods,
  fileRequests,
  FileSource,
  getFile,
  listFiles,
  openDirectory,
  putFile,
  serveFiles,
} from "../../files.ts";
import { ChunkSize } from "../../files/chunk_size.ts";
import { type RequestPeer, requests } from "../../request.ts";
import { listen } from "../../server.ts";
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

const PART = ".x.lengthwise-part";

/** Puts a function of Deno's in the place of another one, until it is disposed of. */
function stub<Name extends "link" | "rename">(name: Name, other: typeof Deno[Name]): Disposable {
  const own = Deno[name];
  Deno[name] = other;
  return { [Symbol.dispose]: () => void (Deno[name] = own) };
}

/** Reading files fails as it does on a broken disk, from the given read on. */
function brokenDisk(from = 1): Disposable {
  const { read } = Deno.FsFile.prototype;
  let count = 0;
  Deno.FsFile.prototype.read = function (block) {
    if (++count < from) return read.call(this, block);
    return Promise.reject(new Error("Input/output error (os error 5)"));
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.read = read) };
}

/** Peers that see one item of a stream at a time. */
function slowReader(world: World): RequestPeer {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  world.add(serveFiles(far, world.directory));
  return world.add(requests(near, {}, { maxStreamItems: 1 }));
}

Deno.test("A list that nobody reads on takes no place of a transfer", async () => {
  await using world = await World.create({ maxTransfers: 1 });
  for (const name of ["a", "b", "c"]) await Deno.writeTextFile(join(world.served, name), "x");
  const stream = slowReader(world).stream("files.list");
  await stream.next();
  assertEquals((await Array.fromAsync(listFiles(world.link().peer))).length, 3);
  await stream.return!();
});

Deno.test("A list that nobody reads on is ended with stalled", async () => {
  await using world = await World.create({ idleTimeout: 30 });
  for (const name of ["a", "b", "c"]) await Deno.writeTextFile(join(world.served, name), "x");
  const reader = slowReader(world);
  const readLater = async (pause: number) => {
    const stream = reader.stream("files.list");
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, pause));
    await Array.fromAsync(stream);
  };
  // The time that this process stands still itself does not count.
  await assertCode(async () => {
    for (const pause of [60, 600, 6_000]) await readLater(pause);
  }, "stalled");
});

Deno.test("An upload that can never fit removes no unfinished files", async () => {
  await using world = await World.create({ maxDirectoryBytes: 2000 });
  await Deno.writeFile(join(world.served, "whole"), content(1200));
  for (const name of ["a", "b"]) {
    await Deno.writeFile(join(world.served, `.${name}.lengthwise-part`), content(300));
  }
  const { peer } = world.link();
  await assertCode(() => rawPut(peer, {}, [SOME]), "quota");
  const there = [".a.lengthwise-part", ".b.lengthwise-part", "whole"];
  assertEquals(world.names(), there);
  await rawPut(peer, { size: 500 }, [
    SOME.subarray(500),
    { sha256: await sha256(SOME.slice(500)) },
  ]);
  assertEquals(world.names(), [there[1], "whole", "x"]);
});

Deno.test("Two uploads of which only one fits: that one is taken", async () => {
  await using world = await World.create({ maxDirectoryBytes: 2000 });
  await Deno.writeFile(join(world.served, "whole"), content(500));
  const [one, two] = [world.link().peer, world.link().peer];
  await Promise.all([
    assertCode(() => rawPut(one, { name: "y", size: 1501 }, [SOME]), "quota"),
    rawPut(two, {}, [SOME, { sha256: SOME_DIGEST }]),
  ]);
  assertEquals(world.names(), ["whole", "x"]);
});

for (const what of ["maxDirectoryBytes", "partRetention"] as const) {
  Deno.test(`${what} removes nothing that another server is writing`, async () => {
    await using world = await World.create();
    const { items, sent, stop } = endless(SOME.subarray(0, 400));
    const putting = rawPut(
      world.link().peer,
      {},
      async function* () {
        yield* items;
        yield SOME.subarray(400);
        yield { sha256: SOME_DIGEST };
      }(),
    );
    await sent;
    await world.grown(400);
    if (what === "partRetention") await Deno.utime(join(world.served, PART), 0, 0);
    await Deno.writeFile(join(world.served, ".old.lengthwise-part"), SOME);
    await Deno.utime(join(world.served, ".old.lengthwise-part"), 0, 0);
    const limit = what === "partRetention" ? { partRetention: 1000 } : { maxDirectoryBytes: 1600 };
    const other = world.link({}, await openDirectory(world.served, limit)).peer;
    if (what !== "partRetention") {
      await assertCode(() => rawPut(other, { name: "z", size: 1300 }, [SOME]), "quota");
    }
    await rawPut(other, { name: "y" }, [SOME, { sha256: SOME_DIGEST }]);
    assertEquals(world.names(), [PART, "y"]);
    stop();
    await putting;
    assertEquals(world.names(), ["x", "y"]);
  });
}

Deno.test("A file that cannot be read ahead is told when its turn comes, and ends no process", async () => {
  await using world = await World.create();
  using source = await FileSource.open(await world.write("x", SOME), "x");
  using _disk = brokenDisk(3);
  const chunks = source.chunks(0, 100);
  await chunks.next();
  await chunks.next();
  await new Promise((resolve) => setTimeout(resolve)); // An unhandled rejection would be told here.
  await assertCode(() => chunks.next(), "io-error");
});

Deno.test("files.get does not go on hashing for a caller that has gone", async () => {
  await using world = await World.create({ maxTransfers: 1 });
  const size = 256 * 1024 * 1024;
  await Deno.writeFile(join(world.served, "x"), SOME);
  await Deno.truncate(join(world.served, "x"), size);
  const { read } = Deno.FsFile.prototype;
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  let reads = 0;
  Deno.FsFile.prototype.read = function (block) {
    if (++reads === 2) resolve();
    return read.call(this, block);
  };
  try {
    const told: unknown[] = [];
    const link = world.link({ onError: (error) => told.push(error) });
    const gone = assertRejects(() => rawGet(link.peer, { offset: size - 1, sha256: SOME_DIGEST }));
    await begun;
    await Promise.all([gone, link.cut()]);
    for (let isFree = false; !isFree;) {
      isFree = await Array.fromAsync(listFiles(world.link().peer)).then(() => true, () => false);
    }
    assertEquals(reads < 128, true, `${reads} reads`);
    assertEquals(told, []);
  } finally {
    Deno.FsFile.prototype.read = read;
  }
});

/** One byte after another, and a promise that nobody wants more. */
function trickle(most = Infinity) {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  async function* items() {
    try {
      for (let count = 0; count < most; count++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        yield Uint8Array.of(1);
      }
    } finally {
      resolve();
    }
  }
  return { items: items(), ended };
}

Deno.test("An upload that trickles is refused with stalled, and its room is free", async () => {
  await using world = await World.create({ maxDirectoryBytes: 1000, idleTimeout: 300 });
  const { items, ended } = trickle();
  const { message } = await assertCode(() => rawPut(world.link().peer, {}, items), "stalled");
  assertMatch(message, /less than 1024 bytes per second/);
  await ended;
  await rawPut(world.link().peer, { name: "y" }, [SOME, { sha256: SOME_DIGEST }]);
  assertEquals(world.names(), ["y"]);
});

Deno.test("An upload may trickle where minBytesPerSecond is 0", async () => {
  await using world = await World.create({ idleTimeout: 300, minBytesPerSecond: 0 });
  const bytes = new Uint8Array(35).fill(1);
  await rawPut(
    world.link().peer,
    { size: bytes.length },
    async function* () {
      yield* trickle(bytes.length).items;
      yield { sha256: await sha256(bytes) };
    }(),
  );
  assertEquals(world.names(), ["x"]);
});

Deno.test("A download that is read in a trickle is ended with stalled", async () => {
  await using world = await World.create({ idleTimeout: 300 });
  await Deno.writeFile(join(world.served, "x"), content(1000));
  const stream = slowReader(world).stream("files.get", { name: "x", offset: 0, chunkBytes: 1 });
  const { message } = await assertCode(async () => {
    for await (const _ of stream) await new Promise((resolve) => setTimeout(resolve, 10));
  }, "stalled");
  assertMatch(message, /less than 1024 bytes per second/);
});

Deno.test("One connection gets half of maxTransfers, another one the rest", async () => {
  await using world = await World.create({ maxTransfers: 4 });
  const ends: { stop: () => void; putting: Promise<unknown> }[] = [];
  const hold = async (peer: RequestPeer<FileMethods>) => {
    const { items, sent, stop } = endless();
    const putting = rawPut(peer, { name: `n${ends.length}` }, items);
    ends.push({ stop, putting: assertCode(() => putting, "incomplete") });
    await sent;
  };
  const [one, two] = [world.link().peer, world.link().peer];
  await hold(one);
  await hold(one);
  const { message } = await assertCode(() => rawPut(one, {}, [SOME]), "busy");
  assertMatch(message, /2 transfers of one connection/);
  await hold(two);
  await hold(two);
  await assertCode(() => rawPut(world.link().peer, {}, [SOME]), "busy");
  for (const { stop, putting } of ends) await Promise.all([stop(), putting]);
  await rawPut(one, {}, [SOME, { sha256: SOME_DIGEST }]);
});

Deno.test("Several uploads of one connection promise half of maxDirectoryBytes together, one alone all", async () => {
  await using world = await World.create({ maxDirectoryBytes: 2500 });
  const { peer } = world.link();
  const { items, sent, stop } = endless();
  const putting = rawPut(peer, {}, items);
  await sent;
  const { message } = await assertCode(() => rawPut(peer, { name: "y" }, [SOME]), "busy");
  assertMatch(message, /1250 bytes together/);
  await rawPut(world.link().peer, { name: "y" }, [SOME, { sha256: SOME_DIGEST }]);
  stop();
  await assertCode(() => putting, "incomplete");
  await rawPut(peer, { name: "z", size: 1500 }, [
    content(1500),
    { sha256: await sha256(content(1500)) },
  ]);
  assertEquals(world.names(), ["y", "z"]);
});

Deno.test("Paths that the system does not take are refused with a code, and without the path", async () => {
  await using world = await World.create();
  await Deno.writeFile(join(world.served, "x"), SOME);
  const { peer } = world.link();
  await Deno.symlink("loop", join(world.here, "loop"));
  const cases: readonly [path: string, code: string][] = [
    [join(world.here, "y".repeat(300)), "invalid-name"],
    [join(world.here, "a\0b"), "invalid-name"],
    [join(world.here, "loop", "x"), "io-error"],
  ];
  for (const [path, code] of cases) {
    const errors = [
      await assertCode(() => FileSource.open(path, "x"), code),
      await assertCode(() => getFile(peer, "x", path), code),
      await assertCode(() => putFile(peer, path, { name: "y" }), code),
      await assertCode(() => openDirectory(path), code),
    ];
    for (const { message } of errors.slice(0, 3)) {
      assertEquals(message.includes(world.here), false, message);
    }
  }
});

Deno.test("A broken disk is told as io-error at its own end, and at the other as internal", async () => {
  await using world = await World.create();
  await Deno.writeFile(join(world.served, "x"), SOME);
  const path = await world.write("y", SOME);
  const told: unknown[] = [];
  const { peer } = world.link({ onError: (error) => told.push(error) });
  using _disk = brokenDisk();
  await assertCode(() => getFile(peer, "x", join(world.here, "x")), "internal");
  assertEquals(told.map(String), ["Error: Input/output error (os error 5)"]);
  await assertCode(() => putFile(peer, path), "io-error");
  await peer.request("files.offer", { name: "y", size: 1 }); // Waits until the server is done with it.
});

for (const verb of ["putFile", "getFile"] as const) {
  Deno.test(`${verb}() leaves a file alone that comes at the last moment`, async () => {
    await using world = await World.create();
    const bytes = await world.write("x", SOME);
    await Deno.writeFile(join(world.served, "z"), SOME);
    const { peer } = world.link();
    const [to, move] = verb === "putFile"
      ? [join(world.served, "x"), () => putFile(peer, bytes)]
      : [join(world.here, "z"), () => getFile(peer, "z", join(world.here, "z"))];
    const { link, rename } = Deno;
    const other = () => Deno.writeTextFile(to, "other");
    using _link = stub("link", (part, path) => other().then(() => link(part, path)));
    using _rename = stub("rename", (part, path) => other().then(() => rename(part, path)));
    await assertCode(move, "exists");
    assertEquals(await Deno.readTextFile(to), "other");
  });
}

Deno.test("putFile() works where the system has no links", async () => {
  await using world = await World.create();
  using _link = stub("link", () => Promise.reject(new Deno.errors.NotSupported("no links")));
  await putFile(world.link().peer, await world.write("x", SOME));
  assertEquals(world.names(), ["x"]);
});

Deno.test("A part that is a file in its place already, since its writer was killed, is not written to", async () => {
  await using world = await World.create();
  await Deno.writeFile(join(world.served, "moved"), SOME.subarray(0, 500));
  await Deno.link(join(world.served, "moved"), join(world.served, PART));
  await putFile(world.link().peer, await world.write("x", SOME));
  assertEquals(await Deno.readFile(join(world.served, "x")), SOME);
  assertEquals(await Deno.readFile(join(world.served, "moved")), SOME.subarray(0, 500));
  assertEquals(world.names(), ["moved", "x"]);
});

Deno.test("getFile() refuses empty items, which would never end", async () => {
  await using world = await World.create();
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  world.add(requests(far, {
    async *"files.get"() {
      yield { name: "x", size: 1000, modified: null };
      for (;;) yield new Uint8Array();
    },
  }));
  const peer = world.add(fileRequests(near));
  await assertRejects(() => getFile(peer, "x", join(world.here, "x")), ProtocolError);
});

Deno.test("ChunkSize grows where the connection is fast, and goes back where it is not any more", () => {
  const KIB = 1024;
  const size = new ChunkSize(1024 * KIB, 0);
  let now = 0;
  const send = (bytes: number, bytesPerSecond: number) => {
    const sizes = new Set<number>();
    for (let sent = 0; sent < bytes; sent += size.bytes) {
      sizes.add(size.bytes);
      now += size.bytes * 1000 / bytesPerSecond;
      size.left(size.bytes, now);
    }
    return [...sizes];
  };
  assertEquals(send(64 * KIB * KIB, 1e6), [256 * KIB]);
  assertEquals(send(64 * KIB * KIB, 100e6), [256 * KIB, 1024 * KIB]);
  assertEquals(send(3 * KIB * KIB, 1e6), [1024 * KIB, 256 * KIB]);
  assertEquals(new ChunkSize(1000, 0).bytes, 1000);
});

Deno.test("getFile() asks for chunks that its connection takes", async () => {
  await using world = await World.create();
  const bytes = content(20 * 1024 * 1024);
  await Deno.writeFile(join(world.served, "big"), bytes);
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    await serveFiles(connection, world.directory).closed;
  });
  const to = join(world.here, "big");
  for (const maxMessageBytes of [100_000, 300_000, 1024 * 1024, 16 * 1024 * 1024]) {
    await using peer = fileRequests(await connect(server.endpoints[0], { maxMessageBytes }));
    await getFile(peer, "big", to, { replace: true });
    assertEquals(await Deno.readFile(to), bytes);
  }
});
