/** Files there and back, and going on after a cut. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { connect } from "../../client.ts";
import { ConnectionClosedError } from "../../errors.ts";
import {
  fileRequests,
  FileSource,
  getFile,
  listFiles,
  putFile,
  serveFiles,
  type TransferProgress,
} from "../../files.ts";
import { listen } from "../../server.ts";
import { assertCode, content, sha256, World } from "../support/files_world.ts";

const PART = ".big.lengthwise-part";

for (const size of [0, 1, 256 * 1024 - 1, 256 * 1024, 1024 * 1024 + 7]) {
  Deno.test(`putFile() and getFile() carry ${size} bytes there and back`, async () => {
    await using world = await World.create();
    const { peer } = world.link();
    const bytes = content(size);
    const digest = await sha256(bytes);
    const path = await world.write("big", bytes);
    const expected = { name: "big", size, sha256: digest, resumedAt: 0 };
    assertEquals(await putFile(peer, path), expected);
    assertEquals(world.names(), ["big"]);
    assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
    const copy = join(world.here, "copy");
    assertEquals(await getFile(peer, "big", copy), expected);
    assertEquals(world.names(world.here), ["big", "copy"]);
    assertEquals(await Deno.readFile(copy), bytes);
  });
}

Deno.test("listFiles() gives names, sizes and times in order, and only of what can be fetched", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  assertEquals(await Array.fromAsync(listFiles(peer)), []);
  for (const name of ["b", "a ü", ".hidden", ".x.lengthwise-part"]) {
    await Deno.writeTextFile(join(world.served, name), "four");
  }
  await Deno.mkdir(join(world.served, "folder"));
  await Deno.symlink("b", join(world.served, "link"));
  const files = await Array.fromAsync(listFiles(peer));
  assertEquals(files.map(({ name, size }) => [name, size]), [["a ü", 4], ["b", 4]]);
  for (const { modified } of files) assert(Math.abs(Date.now() - modified!) < 60_000);
});

Deno.test("putFile() of a file that is there already sends nothing", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  const path = await world.write("big", content(500_000));
  await putFile(peer, path);
  const progress: TransferProgress[] = [];
  const again = await putFile(peer, path, { onProgress: (at) => progress.push(at) });
  assertEquals([again.resumedAt, progress], [500_000, []]);
});

Deno.test("putFile() tells its progress, from the first byte to the last", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  const size = 600_000;
  const progress: number[] = [];
  await putFile(peer, await world.write("big", content(size)), {
    onProgress: ({ bytes, size: all, offset }) => {
      assertEquals([all, offset], [size, 0]);
      progress.push(bytes);
    },
  });
  assertEquals(progress, [0, 262_144, 524_288, size]);
});

/** A signal that is aborted once so many bytes are done, and the hook that does it. */
function stopAt(bytes: number) {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: (at: TransferProgress) => {
      if (at.bytes >= bytes) controller.abort(new Error("enough"));
    },
  };
}

Deno.test("putFile() goes on where the connection was cut", async () => {
  await using world = await World.create();
  const bytes = content(8 * 1024 * 1024);
  const path = await world.write("big", bytes);
  const first = world.link();
  await assertRejects(() =>
    putFile(first.peer, path, {
      onProgress: ({ bytes }) => {
        if (bytes >= 5_000_000) first.cut();
      },
    }), ConnectionClosedError);
  await first.cut();
  const { peer } = world.link();
  const { resumedAt, sha256: digest } = await putFile(peer, path);
  assert(resumedAt >= 256 * 1024 && resumedAt < bytes.length, `${resumedAt}`);
  assertEquals(digest, await sha256(bytes));
  assertEquals(world.names(), ["big"]);
  assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
});

Deno.test("putFile() with one FileSource goes on after many cuts, and ends with the right bytes", async () => {
  await using world = await World.create();
  const bytes = content(6 * 1024 * 1024, 7);
  using source = await FileSource.open(await world.write("big", bytes), "big");
  const offsets: number[] = [];
  for (let attempt = 1; attempt <= 20; attempt++) {
    const link = world.link();
    let chunks = 0;
    try {
      const { resumedAt } = await putFile(link.peer, source, {
        onProgress: () => {
          if (++chunks === 10 && attempt < 20) link.cut();
        },
      });
      offsets.push(resumedAt);
      break;
    } catch (error) {
      assert(error instanceof ConnectionClosedError, `${error}`);
      await link.cut();
    }
  }
  assert(offsets[0] > 0);
  assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
});

Deno.test("putFile() goes on with what another run of the server has", async () => {
  await using world = await World.create();
  const bytes = content(1_000_000);
  await Deno.writeFile(join(world.served, PART), bytes.subarray(0, 700_001));
  const { resumedAt } = await putFile(world.link().peer, await world.write("big", bytes));
  assertEquals(resumedAt, 700_001);
  assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
  assertEquals(world.names(), ["big"]);
});

for (const [what, part] of [["other", content(500, 9)], ["more", content(20_000)]] as const) {
  Deno.test(`putFile() tells when the peer has ${what} bytes than the file, and starts afresh`, async () => {
    await using world = await World.create();
    const bytes = content(10_000);
    await Deno.writeFile(join(world.served, PART), part);
    let restarts = 0;
    const { resumedAt } = await putFile(world.link().peer, await world.write("big", bytes), {
      onRestart: () => restarts++,
    });
    assertEquals([resumedAt, restarts], [0, 1]);
    assertEquals(await Deno.readFile(join(world.served, "big")), bytes);
  });
}

Deno.test("getFile() goes on where the connection was cut", async () => {
  await using world = await World.create();
  const bytes = content(6 * 1024 * 1024);
  await Deno.writeFile(join(world.served, "big"), bytes);
  const to = join(world.here, "big");
  const { peer } = world.link();
  await assertRejects(() => getFile(peer, "big", to, stopAt(3_000_000)), Error, "enough");
  assertEquals(world.names(world.here), [PART]);
  const left = (await Deno.stat(join(world.here, PART))).size;
  const { resumedAt } = await getFile(peer, "big", to);
  assertEquals(resumedAt, left);
  assert(resumedAt >= 3_000_000, `${resumedAt}`);
  assertEquals(await Deno.readFile(to), bytes);
  assertEquals(world.names(world.here), ["big"]);
});

Deno.test("getFile() tells when the file was changed between attempts, and starts afresh", async () => {
  await using world = await World.create();
  const bytes = content(10_000);
  await Deno.writeFile(join(world.served, "big"), bytes);
  const { peer } = world.link();
  const to = join(world.here, "big");
  for (const part of [content(500, 9), content(20_000)]) {
    await Deno.writeFile(join(world.here, PART), part);
    let restarts = 0;
    const options = { replace: true, onRestart: () => restarts++ };
    assertEquals((await getFile(peer, "big", to, options)).resumedAt, 0);
    assertEquals(restarts, 1);
    assertEquals(await Deno.readFile(to), bytes);
  }
});

Deno.test("getFile() leaves a file that is there alone, unless it may be replaced", async () => {
  await using world = await World.create();
  await Deno.writeTextFile(join(world.served, "big"), "new");
  const to = await world.write("big", "old");
  const { peer } = world.link();
  await assertCode(() => getFile(peer, "big", to), "exists");
  assertEquals(await Deno.readTextFile(to), "old");
  await getFile(peer, "big", to, { replace: true });
  assertEquals(await Deno.readTextFile(to), "new");
  assertEquals(world.names(world.here), ["big"]);
});

Deno.test("getFile() takes no file larger than maxFileBytes", async () => {
  await using world = await World.create();
  await Deno.writeTextFile(join(world.served, "big"), "12345");
  const to = join(world.here, "big");
  const { peer } = world.link();
  await assertCode(() => getFile(peer, "big", to, { maxFileBytes: 4 }), "too-large");
  assertEquals(world.names(world.here), []);
});

Deno.test("putFile() and getFile() reject when a file is changed while it is sent", async () => {
  await using world = await World.create();
  const path = await world.write("big", content(4 * 1024 * 1024));
  const { peer } = world.link();
  const grow = (file: string) => () => {
    Deno.writeFileSync(file, Uint8Array.of(1), { append: true });
  };
  await assertCode(() => putFile(peer, path, { onProgress: grow(path) }), "source-changed");
  assertEquals(world.names().includes("big"), false);

  const served = join(world.served, "other");
  await Deno.writeFile(served, content(4 * 1024 * 1024));
  const to = join(world.here, "other");
  await assertCode(
    () => getFile(peer, "other", to, { onProgress: grow(served) }),
    "source-changed",
  );
  assertEquals(world.names(world.here).includes("other"), false);
});

Deno.test("Two transfers cross on one connection in opposite directions", async () => {
  await using world = await World.create();
  const bytes = content(3 * 1024 * 1024);
  await Deno.writeFile(join(world.served, "down"), bytes);
  const path = await world.write("up", bytes);
  const { peer } = world.link();
  await Promise.all([
    putFile(peer, path),
    getFile(peer, "down", join(world.here, "down")),
  ]);
  assertEquals(await Deno.readFile(join(world.served, "up")), bytes);
  assertEquals(await Deno.readFile(join(world.here, "down")), bytes);
});

Deno.test("putFile() works over TCP with messages of 65 535 bytes", async () => {
  await using world = await World.create();
  await using server = await listen("tcp://127.0.0.1:0?framing=u16be", async (connection) => {
    await serveFiles(connection, world.directory).closed;
  });
  await using peer = fileRequests(await connect(server.endpoints[0]));
  const bytes = content(300_000);
  await putFile(peer, await world.write("big", bytes));
  await getFile(peer, "big", join(world.here, "copy"), { chunkBytes: 60_000 });
  assertEquals(await Deno.readFile(join(world.here, "copy")), bytes);
});

Deno.test("putFile() gives up at its signal, and what has arrived is kept", async () => {
  await using world = await World.create();
  const path = await world.write("big", content(8 * 1024 * 1024));
  const link = world.link();
  await assertRejects(() => putFile(link.peer, path, stopAt(3_000_000)), Error, "enough");
  await link.cut();
  assertEquals(world.names(), [PART]);
  await assertRejects(
    () => putFile(world.link().peer, path, { signal: AbortSignal.abort(new Error("no")) }),
    Error,
    "no",
  );
});

Deno.test("putFile() rejects where there is no regular file", async () => {
  await using world = await World.create();
  const { peer } = world.link();
  await assertCode(() => putFile(peer, join(world.here, "nothing")), "not-found");
  await assertCode(() => putFile(peer, world.here), "not-a-file");
});

Deno.test("serveFiles() takes only what openDirectory() gave", async () => {
  await using world = await World.create();
  const wrong = { path: world.served, options: world.directory.options };
  try {
    world.link({}, wrong);
    throw new Error("it took it");
  } catch (error) {
    assert(error instanceof TypeError, `${error}`);
  }
});
