/** One timer for all deadlines. */

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Clock, type Sleeper } from "../../internal/clock.ts";
import { grainOf } from "../../internal/time.ts";

/** A sleeper that tells when it was called. */
function sleeper(ring: (now: number) => void = () => {}, holds = true): Sleeper {
  return { holds, ring };
}

Deno.test("Clock calls sleepers in the order of their times, and none before its time", async () => {
  const clock = new Clock();
  const called: [delay: number, early: number][] = [];
  const start = performance.now();
  await Promise.all([30, 5, 60, 15].map((delay) =>
    new Promise<void>((resolve) => {
      const time = start + delay;
      clock.add(
        sleeper((now) => {
          called.push([delay, time - now]);
          resolve();
        }),
        time,
        1,
      );
    })
  ));
  assertEquals(called.map(([delay]) => delay), [5, 15, 30, 60]);
  for (const [_, early] of called) assert(early <= 0);
  assertEquals(clock.size, 0);
});

Deno.test("Clock wakes the process once for thousands of sleepers with one grain", async () => {
  const clock = new Clock();
  const times = new Set<number>();
  const start = performance.now();
  let left = 10_000;
  const all = Promise.withResolvers<void>();
  for (let n = 0; n < 10_000; n++) {
    clock.add(
      sleeper((now) => {
        times.add(now);
        if (--left === 0) all.resolve();
      }),
      start + n / 100,
      1_000,
    );
  }
  await all.promise;
  assertLess(times.size, 3);
});

Deno.test("Clock.add() returns a time that is not before the one asked for, and less than a grain later", () => {
  const clock = new Clock();
  const one = sleeper();
  for (const grain of [1, 50, 1_000]) {
    for (const delay of [10_000, 10_000.25, 10_001, 12_345.678]) {
      const time = performance.now() + delay;
      const rounded = clock.add(one, time, grain);
      assertGreaterOrEqual(rounded, time);
      assertLess(rounded, time + grain);
      clock.delete(one, rounded);
    }
  }
  assertEquals(clock.size, 0);
});

Deno.test("Clock does not call a sleeper that another one removes in the same turn", async () => {
  const clock = new Clock();
  const called: string[] = [];
  const second = sleeper(() => called.push("second"));
  const done = Promise.withResolvers<void>();
  const time = performance.now() + 5;
  let rounded = 0;
  clock.add(
    sleeper(() => {
      called.push("first");
      clock.delete(second, rounded);
    }),
    time,
    1,
  );
  rounded = clock.add(second, time, 1);
  clock.add(sleeper(() => done.resolve()), time + 20, 1);
  await done.promise;
  assertEquals(called, ["first"]);
});

Deno.test("Clock ends its turn also when a sleeper adds itself for the past", async () => {
  const clock = new Clock();
  let times = 0;
  const done = Promise.withResolvers<void>();
  const again: Sleeper = sleeper(() => {
    if (++times < 5) clock.add(again, 0, 1);
    else done.resolve();
  });
  clock.add(again, 0, 1);
  assertEquals(times, 0);
  await done.promise;
  assertEquals(times, 5);
});

Deno.test("Clock calls the others when one throws, and the error is not lost", async () => {
  const clock = new Clock();
  const thrown = Promise.withResolvers<unknown>();
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    thrown.resolve(event.error);
  };
  globalThis.addEventListener("error", listener);
  const called = Promise.withResolvers<void>();
  const error = new Error("a mistake");
  const time = performance.now() + 5;
  clock.add(
    sleeper(() => {
      throw error;
    }),
    time,
    1,
  );
  clock.add(sleeper(() => called.resolve()), time, 1);
  await called.promise;
  assertEquals(await thrown.promise, error);
  globalThis.removeEventListener("error", listener);
});

Deno.test("Clock goes on when its next sleeper was removed", async () => {
  const clock = new Clock();
  const start = performance.now();
  const first = sleeper(() => {
    throw new Error("must not be called");
  });
  const rounded = clock.add(first, start + 5, 1);
  const woken = new Promise<number>((resolve) => clock.add(sleeper(resolve), start + 30, 1));
  clock.delete(first, rounded);
  assertGreaterOrEqual(await woken, start + 30);
});

Deno.test("Clock keeps the process running only for sleepers that say so", async () => {
  const url = new URL("../../internal/clock.ts", import.meta.url);
  const run = async (code: string) => {
    const start = performance.now();
    const args = ["eval", `import { Clock } from "${url}"; const clock = new Clock(); ${code}`];
    const { success, stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert(success);
    return [new TextDecoder().decode(stdout), performance.now() - start] as const;
  };
  const add = (holds: boolean, delay: number) =>
    `clock.add({ holds: ${holds}, ring: () => console.log("${holds} ${delay}") }, ` +
    `performance.now() + ${delay}, 1);`;
  assertEquals((await run(add(false, 60_000)))[0], "");
  assertEquals((await run(add(true, 50) + add(false, 60_000)))[0], "true 50\n");
  assertEquals((await run(add(false, 10) + add(true, 50) + add(false, 60_000)))[0].split("\n"), [
    "false 10",
    "true 50",
    "",
  ]);
});

Deno.test("Deadlines of ten seconds and more may be late by a second, shorter ones may not", () => {
  assertEquals([1, 5_000, 9_999, 10_000, 30_000].map(grainOf), [1, 1, 1, 1_000, 1_000]);
});
