/** The server's service `broker`: what one peer sends goes to all others, as it is. */

import { type Connection, Shared } from "../../connection.ts";
import { within } from "../shared/within.ts";
import type { Service } from "./service.ts";

/**
 * How long a sender waits for others that are slow, in milliseconds, for each of its batches. It keeps
 * a fast one from running ahead of all others, and a slow one from holding everybody up.
 */
const PATIENCE = 100;

/** Makes the service. */
export function broker(): Service<Uint8Array> {
  const present = new Set<Connection>();
  return {
    async handle(connection) {
      present.add(connection);
      try {
        for await (const batch of connection.batches()) {
          const others = [...present].filter((other) => other !== connection);
          let sent: Promise<unknown>[] = [];
          for (const message of batch) {
            const shared = new Shared<Uint8Array>(message);
            // One that does not keep up is disconnected by its limits, which `closed` tells.
            sent = others.map((other) => other.send(shared));
          }
          if (sent.length > 0) await within(PATIENCE, Promise.allSettled(sent));
        }
      } finally {
        present.delete(connection);
      }
    },
  };
}
