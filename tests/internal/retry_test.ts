/** Failures in a row, and the waits between attempts. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Attempts, type Failure, pause } from "../../internal/retry.ts";

/** Attempts with a clock that is set by hand, and a policy that notes what it was asked. */
function noted(maxAttempts = Infinity) {
  const clock = { time: 1_000 };
  const asked: Failure[] = [];
  const retry = (failure: Failure) => {
    asked.push(failure);
    return failure.attempt < maxAttempts ? failure.attempt * 100 : undefined;
  };
  return { clock, asked, attempts: new Attempts(retry, () => clock.time) };
}

Deno.test("Attempts counts failures in a row, and waits as its policy says", () => {
  const { asked, attempts } = noted(3);
  const error = new Error("lost");
  assertEquals([attempts.failed(error), attempts.failed(undefined)], [100, 200]);
  assertEquals([attempts.failed(error), attempts.failures], [undefined, 3]);
  assertEquals(asked, [{ attempt: 1, error }, { attempt: 2, error: undefined }, {
    attempt: 3,
    error,
  }]);
});

Deno.test("Attempts counts anew after what it made has held for five seconds", () => {
  const { clock, attempts } = noted();
  attempts.failed(undefined);
  attempts.made();
  clock.time += 4_999;
  assertEquals(attempts.failed(undefined), 200);
  attempts.made();
  clock.time += 5_000;
  assertEquals(attempts.failed(undefined), 100);
  // What is made once holds once.
  clock.time += 5_000;
  assertEquals(attempts.failed(undefined), 200);
});

Deno.test("Attempts counts anew after a success", () => {
  const { attempts } = noted();
  attempts.failed(undefined);
  attempts.startAnew();
  assertEquals([attempts.failures, attempts.failed(undefined)], [0, 100]);
});

Deno.test("Attempts passes on what its policy throws", () => {
  const attempts = new Attempts(() => {
    throw new RangeError("broken policy");
  });
  assertThrows(() => attempts.failed(undefined), RangeError, "broken policy");
});

Deno.test("pause() ends early when its signal is aborted, and throws nothing", async () => {
  const controller = new AbortController();
  const startedAt = performance.now();
  const waiting = pause(1_000_000, controller.signal);
  controller.abort(new Error("enough"));
  await waiting;
  await pause(1_000_000, controller.signal);
  await pause(0, undefined);
  assert(performance.now() - startedAt < 100_000);
});
