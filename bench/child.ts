/** Processes of the bench: started, asked, and ended by their handle. */

import { TextLineStream } from "@std/streams/text-line-stream";

/** The longest that any command may take, in milliseconds. */
const ANSWER_TIMEOUT = 20_000;

/** How to start a process. */
export interface Program {
  /** The command and its arguments. */
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
}

/** A running process that answers one JSON line for each JSON line. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #name: string;

  constructor({ command: [program, ...args], env }: Program) {
    this.#name = [program, ...args].join(" ");
    this.#process = new Deno.Command(program, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** The next line. A process that does not give one in time is ended. */
  async next<T>(): Promise<T> {
    const timer = setTimeout(() => this.#kill(), ANSWER_TIMEOUT);
    try {
      const { done, value } = await this.#output.read();
      if (done) throw new Error(`${this.#name} ended, or did not answer in ${ANSWER_TIMEOUT} ms`);
      return JSON.parse(value);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks, and waits for the answer. */
  async ask<T>(command: string, args: unknown = {}): Promise<T> {
    const line = JSON.stringify({ command, args }) + "\n";
    await this.#input.write(new TextEncoder().encode(line));
    const { value, error } = await this.next<{ value: T; error?: string }>();
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Ends the process and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.status;
    await this.#output.cancel();
    await this.#input.abort();
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

const CORE = "0";
let canPin: Promise<boolean> | undefined;

/** The same process on one core, where the system has `taskset`. */
export async function onOneCore({ command, env }: Program): Promise<Program> {
  const pin = ["taskset", "-c", CORE];
  canPin ??= succeeds(pin[0], [...pin.slice(1), "true"]);
  return { command: await canPin ? [...pin, ...command] : command, env };
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args }).output();
    if (success) return true;
  } catch {
    // The same as when it cannot do what it was asked for.
  }
  console.error(`Cannot use ${command}: both ends of a round trip use all cores`);
  return false;
}
