/** The services of the server program. */

import type { Backplane } from "../../backplane.ts";
import { Chat, type ChatOptions, refusalLine } from "../../chat.ts";
import type { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { printable } from "../../internal/text.ts";
import { eventLine } from "../shared/events.ts";
import type { Limits } from "../shared/limits.ts";
import type { Output } from "../shared/output.ts";
import type { ProgramContext } from "../shared/program.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import { secretFrom } from "../shared/secrets.ts";
import type { Service } from "./service.ts";

/** The names that `--service` knows. */
export const SERVICE_NAMES = ["chat", "echo", "print", "sink", "broker", "exec", "files"] as const;

/** One of them. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** What makes the services of several workers one. */
export interface Together {
  readonly backplane: Backplane;
  /** The port to the order of the chat. */
  readonly chat: MessagePort;
}

/** Makes a service. The limits are those of the chat. */
export async function makeService(
  name: ServiceName,
  context: ProgramContext,
  limits: Limits["chat"],
  together?: Together,
): Promise<Service<string> | Service<Uint8Array>> {
  const { options, reporter, host } = context;
  switch (name) {
    case "chat":
      return await chat(context, limits, together);
    case "echo":
      return { handle: echo };
    case "print":
      return print(options.on("json"), host.stdout);
    case "sink":
      return sink(reporter);
    case "files":
      return await (await import("./file_service.ts")).files(context);
    case "broker":
      return (await import("./broker.ts")).broker(reporter, together?.backplane);
    case "exec":
      return await (await import("./exec_service.ts")).exec(context);
  }
}

async function chat(
  context: ProgramContext,
  { burst, perSecond, ...limits }: Limits["chat"] = {},
  together?: Together,
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
  const joined = options.text("cluster") === undefined
    ? undefined
    : await (await import("./cluster.ts")).joinCluster(context);
  const isOfWorkers = joined === undefined && together !== undefined;
  const ofWorkers = isOfWorkers
    ? await (await import("../../chat/threads/threads.ts")).chatThread(together.chat, chatOptions)
    : undefined;
  const cluster = joined?.cluster ?? ofWorkers;
  const room = new Chat({
    ...chatOptions,
    ...(history === undefined ? {} : { history }),
    ...(cluster === undefined ? {} : { cluster }),
  });
  await room.ready;
  return {
    format: text(),
    hasPage: true,
    ...(joined === undefined ? {} : { cluster: joined.sessions }),
    refusalMessage: refusalLine,
    handle: (connection) => room.serve(connection),
    listening(endpoints) {
      if (joined !== undefined) joined.endpoints = endpoints;
    },
    async close() {
      room.close();
      history?.close();
      await joined?.[Symbol.asyncDispose]();
      await ofWorkers?.close();
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
          ? eventLine({ event: "message", id, remote, text: message })
          : `${remote}: ${printable(message)}\n`;
        stdout.write(line);
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
