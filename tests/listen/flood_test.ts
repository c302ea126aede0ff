import { assertEquals, assertLess } from "@std/assert";
import { clocked, comeIn } from "../support/admission.ts";

Deno.test("Admission stays bounded and quick under a flood of addresses", () => {
  const { clock, admission } = clocked({ maxConnectionRate: 1 });
  const hostname = (n: number) => `11.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  const startedAt = performance.now();
  let most = 0;
  for (let n = 0; n < 1_000_000; n++) {
    clock.time += 0.001;
    if (admission.enter(hostname(n)) === undefined) admission.leave(hostname(n));
    if (admission.remembered > most) most = admission.remembered;
  }
  assertEquals(admission.refused, 0);
  assertEquals(most, 10_000);
  assertLess(performance.now() - startedAt, 60_000);
  // The last ones are remembered.
  assertEquals(comeIn(admission, hostname(999_999)), 1);
  assertEquals(comeIn(admission, hostname(999_999 - 4_000)), 1);
  assertEquals(comeIn(admission, hostname(0)), 2);
});
