/** Timers that cost nothing to move. */

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Clock } from "../../internal/clock.ts";
import { Deadline, Steps, Wakeup } from "../../internal/time.ts";

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
  assertLess(elapsed, 10_000);
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

Deno.test("Deadline may be moved a million times, and goes to the clock once", () => {
  const { add } = Clock.prototype;
  let adds = 0;
  Clock.prototype.add = function (...args) {
    adds++;
    return add.apply(this, args);
  };
  try {
    // To the same grain, and to many.
    for (const delay of [10_000, 100_000]) {
      const { deadline } = watched(delay);
      for (let n = 0; n < 1_000_000; n++) {
        deadline.start();
        if (n % 2 === 1) deadline.stop();
      }
      deadline.clear();
    }
  } finally {
    Clock.prototype.add = add;
  }
  assertEquals(adds, 2);
});

Deno.test("Deadline that is idle does not keep the process running", async () => {
  const code = `import { Deadline, Steps, Wakeup } from "${new URL(
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

/** Nothing runs meanwhile, as when the process is stopped. */
function standStill(delay: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
}

Deno.test("Deadline lets what came during a standstill come first", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  for (const standstill of [35, 60, 400]) {
    const { deadline, times } = watched(30);
    const reading = near.read(new Uint8Array(1)).then(() => deadline.stop());
    await wait(5);
    deadline.start();
    far.write(new Uint8Array(1));
    standStill(standstill);
    await reading;
    await wait(standstill + 50);
    assertEquals(times(), 0);
    deadline.clear();
  }
  near.close();
  far.close();
});

Deno.test("Deadline expires after a standstill if nothing came, at most as late again", async () => {
  const { deadline, expired } = watched(30);
  deadline.start();
  const startedAt = performance.now();
  standStill(230);
  const elapsed = await expired - startedAt;
  assertGreaterOrEqual(elapsed, 400);
  assertLess(elapsed, 10_000);
});

Deno.test("Deadline expires also in a process that is always late", async () => {
  const { deadline, expired } = watched(30);
  const busy = setInterval(() => standStill(60), 0);
  deadline.start();
  await expired;
  clearInterval(busy);
});

Deno.test("Deadline that is told not to be patient, and a Wakeup, tell when they are late", async () => {
  const all = Promise.withResolvers<void>();
  const told: string[] = [];
  const tell = (who: string) => {
    if (told.push(who) === 3) all.resolve();
  };
  new Deadline(10, () => tell("patient")).start();
  new Deadline(10, () => tell("not patient"), { patient: false }).start();
  new Wakeup(() => tell("wakeup")).at(performance.now() + 10);
  standStill(200);
  await all.promise;
  assertEquals(told, ["not patient", "wakeup", "patient"]);
});

Deno.test("Steps counts a late step for one interval, and lets nothing expire in it", () => {
  const steps = new Steps(1_000);
  const all = [0, 1_003, 2_400, 9_000, 10_000, 11_501];
  assertEquals(all.map((now) => [steps.next(now), steps.time]), [
    [true, 1_000],
    [true, 2_003],
    [true, 3_400],
    [false, 4_400],
    [true, 5_400],
    [false, 6_400],
  ]);
});

Deno.test("Steps lets deadlines expire also where every step is late", () => {
  const steps = new Steps(1_000);
  const all = [0, 2_000, 4_000, 6_000, 8_000, 10_000];
  assertEquals(all.map((now) => steps.next(now)), [true, false, false, false, true, false]);
});

Deno.test("Steps goes on counting when the clock is set back", () => {
  const steps = new Steps(1_000);
  assertEquals([9e9, 0, 1_000].map((now) => steps.next(now)), [true, true, true]);
  assertEquals(steps.time, 3_000);
});
