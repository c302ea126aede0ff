/**
 * Runs the programs in this process: what they do with options, messages, output and exit codes is the
 * same, and a start takes milliseconds. Permissions, real signals and real pipes need a process of their
 * own, see program.ts.
 */

import { concat } from "@std/bytes/concat";
import { CLIENT } from "../../programs/client/main.ts";
import { SERVER } from "../../programs/server/main.ts";
import type { Host } from "../../programs/shared/host.ts";
import { Output } from "../../programs/shared/output.ts";
import { type Program, runProgram } from "../../programs/shared/program.ts";
import { type Result, type RunOptions, StartedServer, type StartOptions } from "./program.ts";

const PROGRAMS: Record<string, Program> = { "client.ts": CLIENT, "server.ts": SERVER };

/** How much a pipe holds. */
const PIPE_BYTES = 64 * 1024;

/** A process for one program, with streams in memory. */
class FakeProcess implements Host {
  readonly stdin: Host["stdin"];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly printed = new Printed();
  readonly told = new Printed();
  readonly #env: Record<string, string>;
  readonly #listeners: { signal: Deno.Signal; callback: () => void }[] = [];

  constructor({ stdin = "", env = {} }: Pick<HereOptions, "stdin" | "env">) {
    const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
    const readable = bytes instanceof ReadableStream ? bytes : ReadableStream.from(piecesOf(bytes));
    this.stdin = { readable, isTerminal: false };
    this.stdout = new Output("stdout", this.printed);
    this.stderr = new Output("stderr", this.told);
    this.#env = env;
  }

  /** Runs the program. Resolves to its exit code. */
  async run(args: readonly string[], program: Program): Promise<number> {
    const code = await runProgram(args, program, this);
    for (const stream of [this.printed, this.told]) stream.end();
    return code;
  }

  variable(name: string): string | undefined {
    return this.#env[name] || undefined;
  }

  onSignal(signal: Deno.Signal, callback: () => void): void {
    this.#listeners.push({ signal, callback });
  }

  /** Sends a signal. */
  kill(wanted: Deno.Signal): void {
    for (const { signal, callback } of this.#listeners) if (signal === wanted) callback();
  }

  exit(): never {
    throw new Error("A program in this process cannot end it");
  }
}

/** Pieces as large as what a pipe gives at once. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIPE_BYTES) yield bytes.slice(at, at + PIPE_BYTES);
}

/** What a program has written to one of its streams. */
class Printed {
  readonly keeps = false;
  readonly isTerminal = false;
  readonly #decoder = new TextDecoder();
  readonly chunks: Uint8Array[] = [];
  text = "";
  #readTo = 0;
  #state: "open" | "ended" = "open";
  #change = Promise.withResolvers<void>();

  write(bytes: Uint8Array): Promise<number> {
    this.chunks.push(bytes.slice());
    this.text += this.#decoder.decode(bytes, { stream: true });
    this.#notify();
    return Promise.resolve(bytes.length);
  }

  /** The program has ended. */
  end(): void {
    this.#state = "ended";
    this.text += this.#decoder.decode();
    this.#notify();
  }

  /** The next line that nobody has read. Undefined at the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.text.indexOf("\n", this.#readTo);
      if (end >= 0) {
        const line = this.text.slice(this.#readTo, end);
        this.#readTo = end + 1;
        return line;
      }
      if (this.#state === "ended") return undefined;
      await this.#change.promise;
    }
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** Runs a program to its end, as {@linkcode run} does. */
export async function runHere(
  script: string,
  args: readonly string[],
  options: Pick<RunOptions, "stdin" | "env"> = {},
): Promise<Result> {
  const host = new FakeProcess(options);
  const code = await host.run(args, PROGRAMS[script]);
  return { code, stdout: host.printed.text, stderr: host.told.text };
}

/** As {@linkcode runHere}, with the bytes of stdout as they were written. */
export async function runBytesHere(
  script: string,
  args: readonly string[],
  options: Pick<RunOptions, "stdin" | "env"> = {},
): Promise<{ code: number; bytes: Uint8Array; stderr: string }> {
  const host = new FakeProcess(options);
  const code = await host.run(args, PROGRAMS[script]);
  return { code, bytes: concat(host.printed.chunks), stderr: host.told.text };
}

/** How to start a program that runs here: the server, or a command of the client that listens. */
export type HereOptions =
  & Pick<StartOptions, "count" | "env" | "script">
  & { readonly stdin?: string | Uint8Array | ReadableStream<Uint8Array> };

/** A server program that runs here until it is stopped, as {@linkcode RunningServer} does. */
export class ServerHere extends StartedServer {
  readonly #host: FakeProcess;
  readonly #code: Promise<number>;
  #state: "running" | "stopping" = "running";

  private constructor(args: readonly string[], host: FakeProcess, script: string) {
    super();
    this.#host = host;
    this.#code = host.run(args, PROGRAMS[script]);
  }

  /** Starts a server and waits until as many endpoints as given are open. */
  static async start(
    args: readonly string[],
    { count = 1, env = {}, stdin, script = "server.ts" }: HereOptions = {},
  ): Promise<ServerHere> {
    return await new ServerHere(args, new FakeProcess({ env, stdin }), script).opens(count);
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#host.printed.text;
  }

  /** What it has logged so far. */
  get stderr(): string {
    return this.#host.told.text;
  }

  async nextLine(): Promise<string> {
    const line = await this.#host.printed.line();
    if (line === undefined) throw new Error(`server ended: ${this.#host.told.text}`);
    return line;
  }

  protected nextLogLine(): Promise<string | undefined> {
    return this.#host.told.line();
  }

  kill(signal: Deno.Signal): void {
    if (signal !== "SIGHUP") this.#state = "stopping";
    this.#host.kill(signal);
  }

  async ended(): Promise<number> {
    return await this.#code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "running") this.kill("SIGTERM");
    await this.ended();
  }
}
