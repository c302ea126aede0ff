/** How often something may happen. */

import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Rate, type RateOptions } from "../../internal/rate.ts";

/** A rate with a clock that is set by hand. */
function clocked(options: RateOptions) {
  const clock = { time: 0 };
  return { clock, rate: new Rate(options, () => clock.time) };
}

/** How many get through now. */
function drain(rate: Rate): number {
  let count = 0;
  while (rate.take()) count++;
  return count;
}

Deno.test("Rate.take() lets a whole burst through at once, and no more", () => {
  for (const burst of [1, 3, 200]) {
    for (const perSecond of [0.1, 3, 7, 1000]) {
      assertEquals(drain(clocked({ burst, perSecond }).rate), burst);
    }
  }
});

Deno.test("Rate.take() lets perSecond through afterwards, up to a burst after a quiet time", () => {
  const { clock, rate } = clocked({ burst: 5, perSecond: 2 });
  const seen = [0, 499, 500, 999, 1000, 2000, 60_000].map((time) => {
    clock.time = time;
    return drain(rate);
  });
  assertEquals(seen, [5, 0, 1, 0, 1, 2, 5]);
});

Deno.test("Rate.take() takes nothing when there is not enough", () => {
  const { rate } = clocked({ burst: 5, perSecond: 1 });
  assertEquals([6, 4, 2, 1, 1].map((cost) => rate.take(cost)), [false, true, false, true, false]);
  assert(rate.take(0));
});

Deno.test("Rate.charge() takes what is not there, up to maxDebt", () => {
  const { clock, rate } = clocked({ burst: 4, perSecond: 1, maxDebt: 10 });
  rate.charge(9);
  assertEquals(rate.delay(), 6_001);
  rate.charge(1_000_000);
  assertEquals(rate.delay(), 11_001);
  clock.time = 10_999;
  assertEquals(rate.take(), false);
  clock.time = 11_000;
  assertEquals(rate.take(), true);
});

Deno.test("Rate.charge() has no debt by default", () => {
  const { rate } = clocked({ burst: 4, perSecond: 1 });
  rate.charge(100);
  assertEquals(rate.delay(), 1_001);
});

Deno.test("Rate.delay() is 0 when there is enough, Infinity when there never is", () => {
  const { rate } = clocked({ burst: 4, perSecond: 8 });
  assertEquals([0, 4, 4.5, 5].map((cost) => rate.delay(cost)), [0, 0, Infinity, Infinity]);
  rate.take(4);
  assertEquals([1, 2, 4].map((cost) => rate.delay(cost)), [126, 251, 501]);
});

Deno.test("Rate does not mind a clock that is set back", () => {
  const { clock, rate } = clocked({ burst: 2, perSecond: 1 });
  clock.time = 1e12;
  assertEquals(drain(rate), 2);
  clock.time = 5000;
  assertEquals(drain(rate), 0);
  clock.time = 6000;
  assertEquals(drain(rate), 1);
});

Deno.test("Rate has performance.now() for a clock by default", () => {
  const rate = new Rate({ burst: 1, perSecond: 0.001 });
  assertEquals([rate.take(), rate.take()], [true, false]);
  assertLessOrEqual(rate.delay(), 1_000_001);
});

Deno.test("Rate refuses what is out of range", () => {
  const wrong: [RateOptions, string][] = [
    [{ burst: 0.5, perSecond: 1 }, "Cannot use burst 0.5: it must be a finite number, at least 1"],
    [{ burst: NaN, perSecond: 1 }, "Cannot use burst NaN"],
    [{ burst: Infinity, perSecond: 1 }, "Cannot use burst Infinity"],
    [{ burst: 1, perSecond: 0 }, "Cannot use perSecond 0: it must be a finite number, above 0"],
    [{ burst: 1, perSecond: -1 }, "Cannot use perSecond -1"],
    [{ burst: 1, perSecond: 1, maxDebt: -1 }, "Cannot use maxDebt -1"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => new Rate(options), RangeError, message);
  }
  const { rate } = clocked({ burst: 1, perSecond: 1 });
  for (const cost of [-1, NaN]) {
    const message = `Cannot take ${cost}: it must be a number, at least 0`;
    assertThrows(() => rate.take(cost), RangeError, message);
    assertThrows(() => rate.charge(cost), RangeError, message);
    assertThrows(() => rate.delay(cost), RangeError, message);
  }
});

const amount = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const step = fc.record({
  wait: fc.double({ min: 0, max: 1e5, noNaN: true }),
  cost: fc.double({ min: 0, max: 1e3, noNaN: true }),
});

Deno.test("Rate never lets more than burst + seconds * perSecond through", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1000 }),
    amount,
    fc.array(step, { maxLength: 50 }),
    (burst, perSecond, steps) => {
      const { clock, rate } = clocked({ burst, perSecond });
      let taken = 0;
      for (const { wait, cost } of steps) {
        clock.time += wait;
        if (rate.take(cost)) taken += cost;
        const most = burst + clock.time / 1000 * perSecond;
        assertLessOrEqual(taken, most * (1 + 1e-9));
      }
    },
  ));
});

Deno.test("Rate.take() gets through after delay(), and not two milliseconds earlier", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1000 }),
    amount,
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.array(step, { maxLength: 20 }),
    (burst, perSecond, start, steps) => {
      const clock = { time: start };
      const rate = new Rate({ burst, perSecond, maxDebt: 2 * burst }, () => clock.time);
      for (const { wait, cost } of steps) {
        clock.time += wait;
        rate.charge(cost);
        const wanted = Math.min(cost, burst);
        const delay = rate.delay(wanted);
        if (delay > 2) {
          clock.time += delay - 2.01;
          assert(!rate.take(wanted));
          clock.time += 2.01;
        } else {
          clock.time += delay;
        }
        assert(rate.take(wanted));
      }
    },
  ));
});
