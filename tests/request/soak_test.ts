/** The long run of tests/soak/requests.ts, made short. */

import { assertEquals, assertGreater } from "@std/assert";
import { soak } from "../soak/requests.ts";

Deno.test("RequestPeer over a session answers each request once, however often its sockets are cut", async () => {
  const { answered, failed, cuts, resumes, wrongs } = await soak({
    requests: 10_000,
    cuts: 20,
    seed: 1,
  });
  assertEquals(wrongs, []);
  assertEquals(Object.keys(failed).sort(), ["cancelled", "refused"]);
  assertEquals([answered + failed.cancelled + failed.refused, cuts], [10_000, 20]);
  assertGreater(resumes, 0);
});
