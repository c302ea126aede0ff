/** The server's service `broker`: what one peer sends goes to all others, as it is. */

import type { Backplane } from "../../backplane.ts";
import { type Connection, Shared } from "../../connection.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import { within } from "../shared/within.ts";
import type { Service } from "./service.ts";

/**
 * How long a sender waits for others that are slow, in milliseconds, for each of its batches. It keeps
 * a fast one from running ahead of all others, and a slow one from holding everybody up.
 */
const PATIENCE = 100;
/** The room in which all peers of all workers are. */
const ROOM = "broker";

/** Makes the service. With a backplane, the peers of other workers get all, too. */
export function broker(reporter: Reporter, backplane?: Backplane): Service<Uint8Array> {
  const present = new Set<Connection>();
  /** Sends to all but one; one that does not keep up is disconnected by its limits, which `closed` tells. */
  const send = (message: Uint8Array, others: Iterable<Connection>): Promise<unknown>[] => {
    const shared = new Shared<Uint8Array>(message);
    return Array.from(others, (other) => other.send(shared));
  };
  const link = backplane?.attach({
    deliver: (_, message) => void send(message, present),
    failed: (error) => reporter.error(messageOf(error)),
  });
  link?.subscribe(ROOM);
  return {
    async handle(connection) {
      present.add(connection);
      try {
        for await (const batch of connection.batches()) {
          const others = [...present].filter((other) => other !== connection);
          let sent: Promise<unknown>[] = [];
          for (const message of batch) {
            sent = send(message, others);
            link?.publish(ROOM, () => message);
          }
          const room = link?.channels?.room?.();
          if (room !== undefined) sent.push(room);
          if (sent.length > 0) await within(PATIENCE, Promise.allSettled(sent));
        }
      } finally {
        present.delete(connection);
      }
    },
    close: () => link?.close(),
  };
}
