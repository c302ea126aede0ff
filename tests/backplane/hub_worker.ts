/** A worker with a hub: it joins a room with a connection in memory, tells what that gets, and broadcasts. */

import { throughPort } from "../../backplane.ts";
import { Connection } from "../../connection.ts";
import { Hub } from "../../hub.ts";
import { memoryPair } from "../../testing.ts";

/** What the worker is told. */
export type Order =
  | { readonly do: "open"; readonly port: MessagePort }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "broadcast"; readonly room: string; readonly message: string }
  /** Is busy until the cell is not 0 any more. */
  | { readonly do: "sleep"; readonly cell: Int32Array };

/** The worker, seen from within. */
const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(told: string): void;
};

let hub: Hub | undefined;

async function join(room: string): Promise<void> {
  const [near, far] = memoryPair().map((transport) => new Connection(transport));
  hub!.join(room, near);
  for await (const message of far) self.postMessage(new TextDecoder().decode(message));
}

self.onmessage = ({ data }) => {
  switch (data.do) {
    case "open":
      hub = new Hub({
        backplane: throughPort(data.port),
        onError: (error) => self.postMessage(String(error)),
      });
      break;
    case "join":
      join(data.room);
      break;
    case "broadcast":
      hub!.broadcast(data.room, data.message);
      break;
    case "sleep":
      self.postMessage("asleep");
      Atomics.wait(data.cell, 0, 0);
  }
  if (data.do !== "broadcast") self.postMessage("done");
};
