/** Command lines for bash, as a page shows them: `client.ts` and `server.ts` are the programs here. */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Both programs as functions, so that they stand in pipes like any other command. */
const PRELUDE = ["client.ts", "server.ts"].map((name) =>
  `${name}() { "${Deno.execPath()}" run -A --no-check "${ROOT}${name}" "$@"; }\n`
).join("");

/** After so many seconds it is ended. */
const LIFETIME = 300;

/** A command line that runs, with all that it starts. */
export class Shell implements AsyncDisposable {
  /** What it has printed so far. */
  stdout = "";
  /** What it has told so far. */
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<unknown>;
  #state: "running" | "ended" = "running";
  #news = Promise.withResolvers<void>();

  /** Starts it in a folder, in a session of its own. */
  constructor(command: string, folder: string) {
    this.#child = new Deno.Command("setsid", {
      args: ["timeout", `${LIFETIME}`, "bash", "-c", PRELUDE + command],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#done = Promise.all([this.#read("stdout"), this.#read("stderr"), this.#child.status])
      .finally(() => {
        this.#state = "ended";
        this.#tell();
      });
  }

  /** Writes to its standard input. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits until it has said something. */
  async until(words: string | RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    const isThere = () =>
      typeof words === "string" ? this[stream].includes(words) : words.test(this[stream]);
    while (!isThere()) {
      if (this.#state === "ended") {
        throw new Error(`It ended without ${words}: ${this.stdout}${this.stderr}`);
      }
      await this.#news.promise;
    }
  }

  /** Runs it to its end, with nothing on its standard input. */
  async output(): Promise<{ code: number; stdout: string; stderr: string }> {
    await this.#input.close().catch(() => {});
    const code = await this.ended();
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Waits until it has ended; resolves to the exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#done;
    return code;
  }

  /** Sends a signal to all of it, and waits for its end. */
  async stop(signal: "INT" | "KILL"): Promise<number> {
    // What interrupts `timeout` is sent by it to all others. From here, too, it would come twice.
    const to = signal === "INT" ? this.#child.pid : -this.#child.pid;
    const args = [`-${signal}`, "--", `${to}`];
    await new Deno.Command("kill", { args, stderr: "null" }).output();
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "running") await this.stop("KILL");
    await this.#input.close().catch(() => {});
    await this.#done;
  }

  async #read(stream: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child[stream]) {
      this[stream] += decoder.decode(chunk, { stream: true });
      this.#tell();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
