/** The deadline that costs nothing to move. */

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { Deadline } from "../../internal/time.ts";

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
  const code = `import { Deadline } from "${new URL("../../internal/time.ts", import.meta.url)}";
    new Deadline(600_000, () => {}, { idle: true }).start();`;
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assertEquals(success, true);
});
