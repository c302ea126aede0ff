/** When a busy socket waits for the others. */

import { assert } from "@std/assert";
import { nextTurn, turnOver } from "../../internal/turn.ts";

/** As a busy connection does between two turns. */
function work(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until;);
}

Deno.test("nextTurn() gives others their turn also where the other thread is always done before", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connecting = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using near = await listener.accept();
  using far = await connecting;
  const { digest } = crypto.subtle;
  // So it is where both threads have one core: there is nothing to wait for.
  crypto.subtle.digest = () => Promise.resolve(new ArrayBuffer(20));
  try {
    let isRead = false;
    const reading = near.read(new Uint8Array(1)).then(() => isRead = true);
    const writing = far.write(new Uint8Array(1));
    for (let turns = 0; !isRead && turns < 20; turns++) {
      await nextTurn();
      work(1);
    }
    assert(isRead, "it was not looked at in 20 turns");
    await Promise.all([reading, writing, turnOver()]);
  } finally {
    crypto.subtle.digest = digest;
  }
});
