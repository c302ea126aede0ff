/** Timers that cost nothing to move. */

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Deadline, Wakeup } from "../../internal/time.ts";

/** A deadline that tells when it expired. */
function watched(delay: number) {
  const expired = Promise.withResolvers<number>();
  let times = 0;
  const deadline = new Deadline(delay, () => {
    times++;
    expired.resolve(performance.now());
  });
  return { deadline, expired: expired.promise, times: () => times };
}

const wait = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

Deno.test("Deadline expires once, when its delay has passed since start()", async () => {
  const { deadline, expired, times } = watched(30);
  assert(!deadline.running);
  const startedAt = performance.now();
  deadline.start();
  assert(deadline.running);
  const elapsed = await expired - startedAt;
  assertGreaterOrEqual(elapsed, 29);
  assertLess(elapsed, 1000);
  assert(!deadline.running);
  await wait(60);
  assertEquals(times(), 1);
});

Deno.test("Deadline moves with every start()", async () => {
  const { deadline, expired } = watched(60);
  deadline.start();
  let startedAt = 0;
  for (let n = 0; n < 4; n++) {
    await wait(25);
    startedAt = performance.now();
    deadline.start();
  }
  assertGreaterOrEqual(await expired - startedAt, 59);
});

Deno.test("Deadline does not expire after stop(), and can be started again", async () => {
  const { deadline, expired, times } = watched(30);
  deadline.start();
  deadline.stop();
  assert(!deadline.running);
  await wait(60);
  assertEquals(times(), 0);
  const startedAt = performance.now();
  deadline.start();
  assertGreaterOrEqual(await expired - startedAt, 29);
});

Deno.test("Deadline started again while its stopped timer still runs counts from the new start", async () => {
  const { deadline, expired } = watched(60);
  deadline.start();
  await wait(40);
  deadline.stop();
  const startedAt = performance.now();
  deadline.start();
  assertGreaterOrEqual(await expired - startedAt, 59);
});

Deno.test("Deadline.clear() leaves no timer behind", () => {
  const { deadline, times } = watched(100_000);
  deadline.start();
  deadline.clear();
  deadline.clear();
  assert(!deadline.running);
  assertEquals(times(), 0);
});

Deno.test("Deadline may be moved a million times", () => {
  const { deadline } = watched(100_000);
  const startedAt = performance.now();
  for (let n = 0; n < 1_000_000; n++) {
    deadline.start();
    deadline.stop();
  }
  deadline.clear();
  assertLess(performance.now() - startedAt, 2000);
});

Deno.test("Deadline that is idle does not keep the process running", async () => {
  const code = `import { Deadline, Wakeup } from "${new URL(
    "../../internal/time.ts",
    import.meta.url,
  )}";
    new Deadline(600_000, () => {}, { idle: true }).start();`;
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assertEquals(success, true);
});

Deno.test("Wakeup wakes once at the time it was moved to last, earlier or later", async () => {
  const woken: number[] = [];
  const wakeup = new Wakeup((now) => woken.push(now));
  const startedAt = performance.now();
  wakeup.at(startedAt + 10_000);
  wakeup.at(startedAt + 20);
  wakeup.at(startedAt + 50);
  assertEquals(wakeup.due, startedAt + 50);
  await wait(120);
  assertEquals(woken.length, 1);
  assertGreaterOrEqual(woken[0] - startedAt, 50);
  assertEquals(wakeup.due, Infinity);
  wakeup.at(performance.now() + 10);
  wakeup.at(Infinity);
  await wait(40);
  assertEquals(woken.length, 1);
});

Deno.test("Wakeup may be set again while it wakes, also for a time that has passed", async () => {
  const times: number[] = [];
  const third = Promise.withResolvers<void>();
  const wakeup = new Wakeup((now) => {
    if (times.push(now) < 3) wakeup.at(now - 1);
    else third.resolve();
  });
  wakeup.at(0);
  await third.promise;
  wakeup.clear();
  assertEquals(times.length, 3);
});
