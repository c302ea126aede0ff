/** The services of the server program. */

import { Chat, type ChatOptions, refusalLine } from "../../chat.ts";
import type { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { printable } from "../../internal/text.ts";
import type { Limits } from "../shared/limits.ts";
import type { Output } from "../shared/output.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import { secretFrom } from "../shared/secrets.ts";
import type { Service } from "./service.ts";

/** The names that `--service` knows. */
export const SERVICE_NAMES = ["chat", "echo", "print", "sink", "broker", "exec", "files"] as const;

/** Makes a service. The limits are those of the chat. */
export async function makeService(
  name: (typeof SERVICE_NAMES)[number],
  context: ProgramContext,
  limits: Limits["chat"],
): Promise<Service<string> | Service<Uint8Array>> {
  const { options, reporter, host } = context;
  switch (name) {
    case "chat":
      return await chat(context, limits);
    case "echo":
      return { handle: echo };
    case "print":
      return print(options.on("json"), host.stdout);
    case "sink":
      return sink(reporter);
    case "files":
      return await (await import("./file_service.ts")).files(context);
    case "broker":
      return (await import("./broker.ts")).broker();
    case "exec":
      return await (await import("./exec_service.ts")).exec(context);
  }
}

async function chat(
  context: ProgramContext,
  { burst, perSecond, ...limits }: Limits["chat"] = {},
): Promise<Service<string>> {
  const { options, reporter } = context;
  const file = options.text("history");
  const chatOptions: ChatOptions = {
    ...limits,
    flood: { burst, perSecond },
    operatorToken: await secretFrom(context, "operator-token"),
    onError: (error) => reporter.error(messageOf(error)),
  };
  // Loaded only if it is needed, because the database takes time to load.
  const history = file === undefined
    ? undefined
    : (await import("../../chat/history/sqlite.ts")).sqliteHistory(file);
  const room = new Chat(history === undefined ? chatOptions : { ...chatOptions, history });
  return {
    format: text(),
    hasPage: true,
    refusalMessage: refusalLine,
    handle: (connection) => room.serve(connection),
    close() {
      room.close();
      history?.close();
    },
  };
}

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

/** A peer waits while nobody reads what was printed: none of it is dropped. */
function print(json: boolean, stdout: Output): Service<string> {
  return {
    format: text(),
    async handle(connection) {
      const { id, remote } = connection;
      for await (const message of connection) {
        await Promise.allSettled([stdout.room()]); // A server outlives whoever reads.
        const line = json
          ? JSON.stringify({ event: "message", id, remote, text: message })
          : `${remote}: ${printable(message)}`;
        stdout.write(line + "\n");
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
