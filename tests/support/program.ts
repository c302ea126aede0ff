/** Runs the programs as a user would: in a process of their own, with only `--allow-net`. */

import { assert } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";

const ROOT = new URL("../../", import.meta.url);

/** What a program that has ended left behind. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  /** What goes to its standard input; nothing by default. */
  readonly stdin?: string | Uint8Array;
  /** Flags for `deno run`. */
  readonly flags?: readonly string[];
  /** Environment variables. */
  readonly env?: Record<string, string>;
}

function command(
  script: string,
  args: readonly string[],
  flags: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, script, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a program to its end. */
export async function run(
  script: string,
  args: readonly string[],
  { stdin = "", flags = ["--allow-net"], env = {} }: RunOptions = {},
): Promise<Result> {
  const child = command(script, args, flags, env).spawn();
  const writer = child.stdin.getWriter();
  // A program that ends without reading breaks the pipe, which is its right.
  const writing = writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin)
    .then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await writing;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** How to start a server. */
export interface StartOptions {
  /** How many endpoints to wait for; 1 by default. */
  readonly count?: number;
  /** The program. */
  readonly script?: string;
  /** Flags for `deno run`. */
  readonly flags?: readonly string[];
  /** Environment variables. */
  readonly env?: Record<string, string>;
}

/** A server program that was started, in a process of its own or in this one. */
export abstract class StartedServer implements AsyncDisposable {
  readonly endpoints: string[] = [];

  /** The next line on stdout. */
  abstract nextLine(): Promise<string>;
  /** The next line on stderr; undefined at the end. */
  protected abstract nextLogLine(): Promise<string | undefined>;
  /** Sends a signal. */
  abstract kill(signal: Deno.Signal): void;
  /** Waits until it has ended; resolves to the exit code. */
  abstract ended(): Promise<number>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Waits until as many endpoints are open. */
  protected async opens(count: number): Promise<this> {
    while (this.endpoints.length < count) this.endpoints.push(endpointIn(await this.nextLine()));
    return this;
  }

  /** The next line on stderr that matches. */
  async logLine(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = await this.nextLogLine();
      if (line === undefined) throw new Error(`server ended without a line like ${pattern}`);
      if (pattern.test(line)) return line;
    }
  }

  /** The port of an endpoint. */
  port(index = 0): number {
    return Number(/:(\d+)\?/.exec(this.endpoints[index])![1]);
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: Deno.Signal = "SIGINT"): Promise<number> {
    this.kill(signal);
    return await this.ended();
  }
}

/** A server program that runs in its process until it is stopped. */
export class RunningServer extends StartedServer {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #stderr: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    super();
    this.#child = child;
    this.#stdout = lines(child.stdout);
    this.#stderr = lines(child.stderr);
  }

  /** Starts a server and waits until as many endpoints as given are open. */
  static async start(
    args: readonly string[],
    { count = 1, script = "server.ts", flags = ["--allow-net"], env = {} }: StartOptions = {},
  ): Promise<RunningServer> {
    const child = command(script, args, flags, env).spawn();
    await child.stdin.close();
    return await new RunningServer(child).opens(count);
  }

  async nextLine(): Promise<string> {
    const { value, done } = await this.#stdout.read();
    if (done) throw new Error(`server ended: ${await rest(this.#stderr)}`);
    return value;
  }

  protected async nextLogLine(): Promise<string | undefined> {
    return (await this.#stderr.read()).value;
  }

  /** The server's process id. */
  get pid(): number {
    return this.#child.pid;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<number> {
    const [{ code }] = await Promise.all([
      this.#child.status,
      rest(this.#stdout),
      rest(this.#stderr),
    ]);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended();
  }
}

/** The endpoint in a line in which a server says where it listens. */
function endpointIn(line: string): string {
  const endpoint = /^listening on (.*)$/.exec(line)?.[1] ??
    (line.startsWith("{") ? JSON.parse(line).endpoint : undefined);
  assert(endpoint !== undefined, `unexpected line: ${line}`);
  return endpoint;
}

function lines(stream: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<string> {
  return stream
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(new TextLineStream())
    .getReader();
}

async function rest(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  const all: string[] = [];
  for (let read = await reader.read(); !read.done; read = await reader.read()) all.push(read.value);
  return all.join("\n");
}
