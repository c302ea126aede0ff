/** The examples about requests, run as their first lines say. */

import { assertEquals } from "@std/assert";
import { run } from "./helpers/program.ts";

const OUTPUT = {
  "typed_requests.ts": "42\nunknown-item\n1500 bytes stored\ntimeout\n",
  "json_rpc.ts": "3\nhello Ada\nMethod not found\n",
};

for (const [name, stdout] of Object.entries(OUTPUT)) {
  Deno.test(`examples/${name} does what it says`, async () => {
    assertEquals(await run(`examples/${name}`, []), { code: 0, stdout, stderr: "" });
  });
}
