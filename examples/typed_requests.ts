// Typed requests, a stream in each direction, and a timeout:
// deno run --allow-net examples/typed_requests.ts
import { connect, listen } from "@lengthwise/lengthwise";
import { RequestError, requests } from "@lengthwise/lengthwise/request";

interface Warehouse {
  stock(params: { item: string }): number;
  watch(params: { item: string }): AsyncIterable<number>;
  store(params: { name: string }, items: AsyncIterable<Uint8Array>): number;
  audit(): void;
}

await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
  await requests<never, Warehouse>(connection, {
    stock({ item }) {
      if (item !== "tea") throw new RequestError("unknown-item", `Cannot find ${item}`);
      return 42;
    },
    async *watch() {
      for (let left = 42;; left--) yield left;
    },
    async store(_params, { items }) {
      let bytes = 0;
      for await (const item of items) bytes += item.length;
      return bytes;
    },
    audit: (_params, { signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
  }).closed;
});

await using peer = requests<Warehouse>(await connect(server.endpoints[0]));
console.log(await peer.request("stock", { item: "tea" }));
console.log(await peer.request("stock", { item: "gold" }).catch((error) => error.code));
for await (const left of peer.stream("watch", { item: "tea" })) if (left < 40) break;
const items = [new Uint8Array(1000), new Uint8Array(500)];
console.log(await peer.request("store", { name: "photo" }, { items }), "bytes stored");
console.log(await peer.request("audit", undefined, { timeout: 50 }).catch((error) => error.code));
