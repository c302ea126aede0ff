/** The client's `listen`: waits for peers, prints what they say, and answers from standard input. */

import type { Connection } from "../../connection.ts";
import { execFrom, serveExec } from "../shared/exec.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import { OutputError } from "../shared/output.ts";
import { exitCodeOf } from "../shared/program.ts";
import { messageOf, type Reporter } from "../shared/report.ts";
import type { ToolContext } from "./context.ts";
import { Audience } from "./listening/audience.ts";
import { inFormOf, outFormOf } from "./messages.ts";
import { Printer } from "./listening/printer.ts";
import { listeningEnd } from "./relay/ends.ts";
import { longRunning } from "./relay/serve.ts";

/**
 * Listens, prints each message that comes, and sends what standard input has to everybody who is there.
 * It ends when the input has ended and everybody has gone, with the one connection that `--once` lets
 * in, or at a signal. With `--exec` a program answers each connection in the place of the input.
 */
export async function listen(tool: ToolContext): Promise<number> {
  const context = longRunning(tool);
  const { operands: [endpoint, ...rest], options, reporter, stopped } = context;
  if (endpoint === undefined || rest.length > 0) {
    throw new UsageError(`"listen" takes one ENDPOINT`);
  }
  if (options.on("once") && options.on("keep")) {
    throw new UsageError("--once and --keep: give one of them");
  }
  const exec = await execFrom(options);
  const outForm = exec === undefined ? outFormOf(context) : undefined;
  using printer = await Printer.open(context, outForm);
  const audience = new Audience(context, inFormOf(context));
  const open = await listeningEnd(endpoint, context);
  const over = Promise.withResolvers<number>();
  // Without a program, everything is over when the input is and everybody has gone.
  const isEnough = () =>
    exec === undefined && !options.on("keep") && count > 0 && audience.isSilent && audience.isEmpty;
  let count = 0;
  over.promise.catch(() => {});
  await using server = await open(async (connection) => {
    const id = ++count;
    if (options.on("once") && id > 1) {
      return connection.abort(new Error("--once: one connection was served"));
    }
    const { remote, endpoint } = connection;
    reporter.event({ event: "connected", id, remote, endpoint }, `${remote} connected`);
    let code: number = EXIT.done;
    try {
      if (exec === undefined) await converse(id, connection, printer, audience);
      else code = (await serveExec(connection, exec, reporter)).code === 0 ? EXIT.done : EXIT.lost;
    } catch (error) {
      code = exitCodeOf(error);
      connection.abort(error);
      if (error instanceof OutputError) over.reject(error);
    }
    await tellClosed(id, connection, reporter);
    if (options.on("once") || isEnough()) over.resolve(code);
  });
  if (exec === undefined) audience.speak().catch((error) => over.reject(error));
  audience.silence.then(() => isEnough() && over.resolve(EXIT.done));
  stopped.addEventListener("abort", () => over.resolve(EXIT.done));
  if (stopped.aborted) over.resolve(EXIT.done);
  try {
    return await over.promise;
  } finally {
    audience.dismiss();
    await server.close();
  }
}

/** Prints what a peer says until it ends, while the audience hears what the input has. */
async function converse(
  id: number,
  connection: Connection,
  printer: Printer,
  audience: Audience,
): Promise<void> {
  audience.enter(connection);
  try {
    for await (const batch of connection.batches()) {
      for (const message of batch) printer.print(id, connection, message);
      await printer.flush();
    }
    await audience.heardAll(connection);
    await connection.close();
  } finally {
    audience.leave(connection);
  }
}

async function tellClosed(id: number, connection: Connection, reporter: Reporter): Promise<void> {
  const { clean, error } = await connection.closed;
  const { messagesReceived, messagesSent } = connection.stats;
  const words = error === undefined ? undefined : messageOf(error);
  reporter.event(
    {
      event: "closed",
      id,
      remote: connection.remote,
      clean,
      error: words,
      messagesReceived,
      messagesSent,
    },
    `${connection.remote} closed${words === undefined ? "" : `: ${words}`}`,
  );
}
