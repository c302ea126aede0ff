/** Starting the servers that the tests here talk to, each in a folder of its own, and ending them. */

import { assert } from "@std/assert";
import { dirname } from "node:path";
import { type Engine, Program, testWith } from "../peers.ts";

export { freePort } from "../../support/free_port.ts";
export { Program, testWith };

/** Debian's own Python, whose modules are Debian's packages. */
export const PYTHON = "/usr/bin/python3";

/** An engine that is there if these commands, files and modules of Debian's Python are. */
export function engine(
  name: string,
  needs: { commands?: string[]; files?: string[]; modules?: string[] },
): Engine {
  const { commands = [], files = [], modules = [] } = needs;
  const checks = [
    ...commands.map((command) => `command -v ${command} >/dev/null`),
    ...files.map((file) => `test -e ${file}`),
    ...modules.map((module) => `${PYTHON} -c 'import ${module}'`),
  ];
  // Some servers are where only root's PATH leads.
  return { name, probe: ["sh", "-c", `PATH=$PATH:/usr/sbin; ${checks.join(" && ")}`] };
}

/** A folder that an unprivileged user may write to, too. It is removed in the end. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "lengthwise_engine_" });
  if (Deno.uid() === 0) await Deno.chown(path, NOBODY, NOGROUP);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const NOBODY = 65_534;
const NOGROUP = 65_534;

/** How an engine is started. */
export interface StartOptions {
  /** What it says when it is ready, or the file that it writes then. */
  readonly ready: string | { readonly file: string };
  /**
   * Where it listens, `tcp://HOST:PORT` or `unix:PATH`: what it says when it is ready may come before that. Nowhere, if it
   * says where by what it listens on already, or `listensAt()` follows.
   */
  readonly at: readonly string[];
  /** Variables of its environment. */
  readonly env?: Record<string, string>;
  /** Whether it refuses to run as root, so that it must run as somebody else. */
  readonly unprivileged?: boolean;
  /** How it is asked to end. */
  readonly endBy?: Deno.Signal;
  /** In which file it writes the id of the process to end, if that is not the one that was started. */
  readonly pidFile?: string;
  /** What is done when it has ended. */
  readonly atEnd?: () => Promise<void>;
}

/** A running engine. Leaving its scope ends it. */
export class RunningEngine implements AsyncDisposable {
  readonly #program: Program;
  readonly #options: StartOptions;
  #state: "running" | "ended" = "running";
  /** What it said until it was ready. */
  readonly greeting: string;

  private constructor(program: Program, options: StartOptions, greeting: string) {
    this.#program = program;
    this.#options = options;
    this.greeting = greeting;
  }

  /** Starts an engine, and waits until it is ready and listens. */
  static async start(command: string[], options: StartOptions): Promise<RunningEngine> {
    const { ready, at } = options;
    using files = typeof ready === "string" ? undefined : Deno.watchFs(dirname(ready.file));
    const program = new Program([...wrapper(options), ...command]);
    try {
      const greeting = typeof ready === "string" ? await program.until(ready) : "";
      if (typeof ready !== "string") {
        const ended = program.ended.then(({ stdout }) => {
          throw new Error(`${command[0]} ended before it was ready: ${stdout}`);
        });
        await Promise.race([written(ready.file, files!), ended]);
        ended.catch(() => {});
      }
      await program.listensAt(...at);
      return new RunningEngine(program, options, greeting);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until it says `text`, and gives all that it said since the last time. */
  until(text: string): Promise<string> {
    return this.#program.until(text);
  }

  /** Waits until it listens at an endpoint that was not known when it started. */
  listensAt(endpoint: string): Promise<void> {
    return this.#program.listensAt(endpoint);
  }

  /** Sends it a signal. */
  signal(name: Deno.Signal): void {
    this.#program.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const { pidFile, endBy = "SIGTERM", atEnd } = this.#options;
    if (pidFile === undefined) this.#program.signal(endBy);
    else Deno.kill(Number(await Deno.readTextFile(pidFile)), endBy);
    await this.#program.ended;
    await this.#program[Symbol.asyncDispose]();
    await atEnd?.();
  }
}

/** Waits until a file that is watched has content. */
async function written(file: string, changes: AsyncIterable<Deno.FsEvent>): Promise<void> {
  for await (const { paths } of changes) {
    if (paths.includes(file) && await Deno.readTextFile(file) !== "") return;
  }
}

/** What stands before the command: it sets user and environment, and joins the two outputs. */
function wrapper(
  { env = {}, unprivileged = false }: Pick<StartOptions, "env" | "unprivileged">,
): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const user = unprivileged && Deno.uid() === 0
    ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOGROUP}`, "--clear-groups"]
    : [];
  const shell = ["sh", "-c", 'PATH=$PATH:/usr/sbin; exec "$@" 2>&1', "sh"];
  return [...shell, ...user, "env", ...variables];
}

/** Runs a command to its end, as an unprivileged user if that is asked for, and gives its output. */
export async function run(
  command: string[],
  options: { input?: Uint8Array | string; unprivileged?: boolean; env?: Record<string, string> } =
    {},
): Promise<Uint8Array> {
  const { input = "", ...rest } = options;
  // The output must be the command's own, byte by byte, so the other one stays apart.
  const [file, ...args] = [...wrapper(rest), ...command];
  args[1] = 'PATH=$PATH:/usr/sbin; exec "$@"';
  const child = new Deno.Command(file, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const writing = new Blob([bytes.slice()]).stream().pipeTo(child.stdin).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  await writing;
  assert(success, `${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}
