/** The long run of tests/soak/sessions.ts, made short. */

import { assertEquals, assertGreater } from "@std/assert";
import { freeze, soak } from "../soak/sessions.ts";

Deno.test("Session loses and doubles nothing while its sockets are cut, chopped and swallowed", async () => {
  const { received, cuts, darkCuts, wrongs } = await soak({ messages: 20_000, cuts: 20, seed: 1 });
  assertEquals(wrongs, []);
  assertEquals([received, cuts], [{ client: 20_000, server: 20_000 }, 20]);
  assertGreater(darkCuts, 0);
});

for (const who of ["client", "server"] as const) {
  Deno.test(`Session goes on after its ${who}'s process stood still`, async () => {
    const { received, resumes, wrongs } = await freeze(who, { messages: 10_000, seed: 1 }, 1);
    assertEquals(wrongs, []);
    assertEquals(received, { client: 10_000, server: 10_000 });
    assertGreater(resumes, 0);
  });
}
