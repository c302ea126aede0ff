/** A program for each connection: messages on its standard input and output. */

import type { Connection } from "../../connection.ts";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import { reasonOf } from "../../internal/reason.ts";
import { IN_FORMS, type InForm, type OutForm, readBatches } from "./forms.ts";
import { requireFile } from "./given.ts";
import { type ParsedOptions, UsageError } from "./options.ts";
import { messageOf, type Reporter } from "./report.ts";
import { messageForm } from "./shown.ts";
import { within } from "./within.ts";
import { wordsOf } from "./words.ts";

/** How long a program may take to end when its peer has gone, in milliseconds, before each signal. */
const PATIENCE = 2_000;

/** A program to run. */
export interface ExecCommand {
  /** Its name or path. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** How it gives messages. By default lines, or bytes where the framing is `none`. */
  readonly inForm: InForm | undefined;
  /** How it gets messages; the same by default. */
  readonly outForm: OutForm | undefined;
}

/**
 * The program that the options name; undefined if they name none.
 *
 * @throws {UsageError} for both options at once, and for a command that is none.
 * @throws {Error} where it may not be run. The error names the flag that permits it.
 */
export async function execFrom(options: ParsedOptions): Promise<ExecCommand | undefined> {
  const [exec, shell] = [options.text("exec"), options.text("shell")];
  if (exec === undefined && shell === undefined) return undefined;
  if (exec !== undefined && shell !== undefined) {
    throw new UsageError("--exec and --shell: give one of them");
  }
  const [command, ...args] = exec === undefined ? ["sh", "-c", shell!] : wordsOf(exec, "exec");
  await requireFile("run", command, exec === undefined ? "--shell" : "--exec");
  const [inForm, outForm] = [options.text("in") as InForm, options.text("out") as OutForm];
  if (outForm !== undefined && !(IN_FORMS as readonly string[]).includes(outForm)) {
    throw new UsageError(`--out ${outForm} is for people, and --exec starts a program`);
  }
  return { command, args, inForm, outForm };
}

/** How a program has ended. */
export interface ExecEnd {
  /** Its exit code. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
}

/**
 * Runs a program for a connection, until it has ended. What the peer sends is on its standard input,
 * and what it prints goes to the peer. It is told of the peer's end by the end of its input; a program
 * that goes on when its peer has gone is ended by SIGTERM, and then by SIGKILL.
 *
 * @throws {Error} if it cannot be run.
 */
export async function serveExec(
  connection: Connection,
  { command, args, inForm, outForm }: ExecCommand,
  reporter: Reporter,
): Promise<ExecEnd> {
  const usual = connection.framing.keepsBoundaries ? "lines" : "bytes";
  const child = spawn(command, args);
  const shown = messageForm(outForm ?? usual, false);
  const input = pipeIn(connection, child.stdin, shown);
  const printed = child.stdout.getReader();
  const output = pipeOut(connection, printed, inForm ?? usual);
  const leaving = connection.closed.then(async () => {
    await endChild(child);
    await printed.cancel(); // A child of the child may still have it open.
  });
  const outcome = await Promise.allSettled([output]);
  const { code, signal } = await child.status;
  const { id, remote } = connection;
  reporter.event(
    { event: "exited", id, remote, command, code, signal },
    `${remote}: ${command} ended ${signal === null ? `with ${code}` : `by ${signal}`}`,
  );
  const [result] = outcome;
  if (result.status === "rejected") {
    reporter.event(
      { event: "error", id, message: messageOf(result.reason) },
      `${remote}: ${command}: ${messageOf(result.reason)}`,
      "warn",
    );
    connection.abort(result.reason);
  }
  await connection.close();
  await Promise.allSettled([input, leaving]);
  return { code, signal };
}

function spawn(command: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such program"
      : reasonOf(error);
    throw new Error(`Cannot run ${command}: ${why}`, { cause: error });
  }
}

/** Gives the program what comes. A program that reads no more has the right to. */
async function pipeIn(
  connection: Connection,
  stdin: WritableStream<Uint8Array>,
  shown: (message: Uint8Array) => Uint8Array | string,
): Promise<void> {
  const encoder = new TextEncoder();
  const writer = stdin.getWriter();
  let state: "open" | "deaf" = "open";
  try {
    for await (const message of connection) {
      if (state === "deaf") continue;
      const piece = shown(message);
      try {
        await writer.ready;
        await writer.write(typeof piece === "string" ? encoder.encode(piece) : piece);
      } catch {
        state = "deaf";
      }
    }
  } catch {
    // The connection was lost, which `closed` tells.
  } finally {
    await writer.close().catch(() => {});
  }
}

/** Sends what the program prints. When nobody takes it any more, the rest is dropped. */
async function pipeOut(
  connection: Connection,
  printed: ReadableStreamDefaultReader<Uint8Array>,
  form: InForm,
): Promise<void> {
  try {
    for await (const batch of readBatches(chunksOf(printed), form)) {
      for (const message of batch) await connection.send(message);
    }
    await connection.closeWrite();
  } catch (error) {
    await printed.cancel();
    if (error instanceof ConnectionClosedError || error instanceof ConnectionLostError) return;
    throw error;
  }
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

async function endChild(child: Deno.ChildProcess): Promise<void> {
  let state: "running" | "over" = "running";
  const over = child.status.then(() => state = "over");
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await within(PATIENCE, over);
    if (isOver(state)) return;
    child.kill(signal);
  }
  await over;
}

function isOver(state: "running" | "over"): boolean {
  return state === "over";
}
