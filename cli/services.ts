/** What the server program can do with its connections. */

import { Chat } from "../chat.ts";
import type { Connection } from "../connection.ts";
import { type Format, text } from "../format.ts";
import { printable } from "../printable.ts";
import type { Reporter } from "./report.ts";

/** One of the server's services: a handler, and the format of its messages. */
export interface Service<T> {
  /** What messages are for it. */
  readonly format?: Format<T>;
  /** Serves one connection. */
  handle(connection: Connection<T>): Promise<void>;
}

/** The names that `--service` knows. */
export const SERVICE_NAMES = ["chat", "echo", "print", "sink"] as const;

/** Makes a service. */
export function makeService(
  name: (typeof SERVICE_NAMES)[number],
  json: boolean,
  reporter: Reporter,
): Service<string> | Service<Uint8Array> {
  switch (name) {
    case "chat":
      return chat();
    case "echo":
      return { handle: echo };
    case "print":
      return print(json, reporter);
    case "sink":
      return sink(reporter);
  }
}

function chat(): Service<string> {
  const room = new Chat();
  return { format: text(), handle: (connection) => room.serve(connection) };
}

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

function print(json: boolean, reporter: Reporter): Service<string> {
  return {
    format: text(),
    async handle(connection) {
      const { id, remote } = connection;
      for await (const message of connection) {
        if (json) reporter.event({ event: "message", id, remote, text: message });
        else console.log(`${remote}: ${printable(message)}`);
      }
    },
  };
}

function sink(reporter: Reporter): Service<Uint8Array> {
  return {
    async handle(connection) {
      try {
        for await (const _batch of connection.batches());
      } finally {
        const { messagesReceived: messages, bytesReceived: bytes } = connection.stats;
        const { id, remote } = connection;
        reporter.event(
          { event: "received", id, remote, messages, bytes },
          `${remote} sent ${messages} messages, ${bytes} bytes with their headers`,
        );
      }
    },
  };
}
