/**
 * A worker of the group "work": `worker_over_nats.ts PORT NAME`. It prints each request that it begins, and
 * ends with its input.
 */

import { joinGroup } from "../../../group.ts";
import { nats } from "../../../nats.ts";

const [port, name] = Deno.args;
const backplane = await nats({ servers: `127.0.0.1:${port}` });
const worker = joinGroup(backplane, "work", {
  who: () => name,
  /** Answers when there is a file of that name. */
  async hold(path: string) {
    console.log(`holds ${path}`);
    using changes = Deno.watchFs(path.slice(0, path.lastIndexOf("/")));
    const isThere = () => Deno.stat(path).then(() => true, () => false);
    if (await isThere()) return name;
    for await (const _ of changes) if (await isThere()) break;
    return name;
  },
  async *count({ to }: { to: number }) {
    for (let n = 1; n <= to; n++) yield n;
  },
  same: (bytes: Uint8Array) => bytes,
}, { heartbeatInterval: 500, leaseTimeout: 5_000, maxMessageBytes: 8_000_000, onError: () => {} });
console.log("ready");
for await (const _ of Deno.stdin.readable);
await worker.close();
await backplane.close();
console.log("closed");
Deno.exit();
