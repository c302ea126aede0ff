/** Programs under `fixtures/`, run as processes of their own. */

import { TextLineStream } from "@std/streams/text-line-stream";

/** How to run a fixture. */
export interface FixtureOptions {
  /** File descriptors that it may have open, by `ulimit`. */
  maxFiles?: number;
  /** What Deno lets it do. */
  permissions?: string[];
  /** Its arguments. */
  args?: string[];
}

/** A running fixture, which talks in lines on stdout and ends when its stdin does. */
export class Fixture implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts `fixtures/NAME`. */
  constructor(name: string, options: FixtureOptions = {}) {
    const { maxFiles, permissions = ["--allow-net"], args = [] } = options;
    const path = new URL(`./fixtures/${name}`, import.meta.url).pathname;
    const run = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...permissions, path, ...args];
    const limit = maxFiles === undefined ? "" : `ulimit -n ${maxFiles}; `;
    this.#process = new Deno.Command("sh", {
      args: ["-c", `${limit}exec "$@"`, "sh", ...run],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** The next line that it prints; undefined when it has ended. */
  async line(): Promise<string | undefined> {
    return (await this.#lines.read()).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    while (!(await this.#lines.read()).done);
    await this.#process.status;
  }
}
