/**
 * Finding and starting the programs that Lengthwise must be able to talk to: the peers of `peers/README.md`, and
 * tools such as telnet and nc.
 */

import { assert } from "@std/assert";
import { delay } from "@std/async/delay";
import { isListening } from "../support/listening.ts";

/** Something that may be installed or not. */
export interface Engine {
  readonly name: string;
  /** A command that succeeds where the engine is installed. */
  readonly probe: readonly string[];
}

/** A program in another language, with the command line of `peers/README.md`. */
export interface Peer extends Engine {
  readonly framings: readonly string[];
  /** How to start it, up to its own arguments; `directory` holds what was compiled. */
  readonly command: (directory: string) => string[];
  readonly compile?: (directory: string) => string[];
}

export const PEERS: readonly Peer[] = [
  {
    name: "Python",
    probe: ["python3", "--version"],
    framings: ["u8", "u16be", "u16le", "u24be", "u32be", "u32le", "u64be", "varint", "line"],
    command: () => ["python3", source("peer.py")],
  },
  {
    name: "Erlang",
    probe: ["erl", "-noshell", "-eval", "halt(0)."],
    framings: ["u8", "u16be", "u32be", "line"],
    compile: (directory) => ["erlc", "-o", directory, source("interop_peer.erl")],
    command: (directory) => [
      ...["erl", "-noshell", "+sbwt", "none", "-pa", directory],
      ...["-run", "interop_peer", "main"],
    ],
  },
  {
    name: "Java",
    probe: ["javac", "-version"],
    framings: ["u8", "u16be", "u32be", "u64be", "line"],
    compile: (directory) => ["javac", "-encoding", "UTF-8", "-d", directory, source("Peer.java")],
    command: (directory) => ["java", "-XX:TieredStopAtLevel=1", "-cp", directory, "Peer"],
  },
  {
    name: "C#",
    probe: ["mcs", "--version"],
    framings: ["u16le", "u32le", "u32be", "varint", "line"],
    compile: (
      directory,
    ) => ["mcs", "-codepage:utf8", `-out:${directory}/Peer.exe`, source("Peer.cs")],
    command: (directory) => ["mono", `${directory}/Peer.exe`],
  },
];

/** A telnet client. It wants a terminal, which Python's `pty` gives it. */
export const TELNET: Engine = {
  name: "telnet",
  probe: ["python3", "-c", "import pty, shutil, sys; sys.exit(shutil.which('telnet') is None)"],
};

/** OpenBSD's nc, whose `-N` half-closes when its input ends. */
export const NC: Engine = { name: "nc", probe: ["sh", "-c", "nc -h 2>&1 | grep -q OpenBSD"] };

/**
 * Defines a test that needs an engine. Where the engine is not installed the test is skipped and its name says
 * why; with `CI` in the environment it fails instead.
 */
export async function testWith(
  engine: Engine,
  name: string,
  fn: () => void | Promise<void>,
): Promise<void> {
  const found = await isInstalled(engine);
  if (found) return Deno.test(name, fn);
  const reason = `${engine.name} is not installed`;
  if (!Deno.env.get("CI")) return Deno.test.ignore(`${name} (skipped: ${reason})`, fn);
  Deno.test(name, () => assert(found, `${reason}: '${engine.probe.join(" ")}' failed`));
}

const probes = new Map<Engine, Promise<boolean>>();

function isInstalled(engine: Engine): Promise<boolean> {
  const known = probes.get(engine);
  if (known) return known;
  const probe = succeeds(engine.probe);
  probes.set(engine, probe);
  return probe;
}

async function succeeds([file, ...args]: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(file, { args, stdin: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Starts a peer as a client of the server at `port`. It is done when it has `ended`. */
export async function startClient(
  peer: Peer,
  options: { framing: string; port: number; seed: number; count: number },
): Promise<Program> {
  const { framing, port, seed, count } = options;
  const command = peer.command(await compiled(peer));
  return new Program([...command, "client", framing, `${port}`, `${seed}`, `${count}`]);
}

/** Starts a peer as an echo server and waits for its port. */
export async function startServer(
  peer: Peer,
  framing: string,
): Promise<{ port: number } & AsyncDisposable> {
  const program = new Program([
    ...peer.command(await compiled(peer)),
    "server",
    framing,
    "0",
    "0",
    "0",
  ]);
  try {
    const port = parseInt(await program.until("\n"));
    return { port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

const directories = new Map<Peer, Promise<string>>();

/** The folder with what was compiled of a peer; it is compiled once. */
export function compiled(peer: Peer): Promise<string> {
  const known = directories.get(peer);
  if (known) return known;
  const directory = compile(peer);
  directories.set(peer, directory);
  return directory;
}

async function compile(peer: Peer): Promise<string> {
  if (!peer.compile) return "";
  const directory = await Deno.makeTempDir({ prefix: "lengthwise_peer_" });
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  const [file, ...args] = peer.compile(directory);
  const { success, stderr } = await new Deno.Command(file, { args, stdin: "null" }).output();
  assert(success, `Cannot compile the ${peer.name} peer: ${new TextDecoder().decode(stderr)}`);
  return directory;
}

function source(file: string): string {
  return `${import.meta.dirname}/peers/${file}`;
}

/** How long a program may run, in milliseconds; some take half a minute to start on a machine that has much to do. */
const LIFETIME = 300_000;

/** A running program that one can talk to through its standard input and output. */
export class Program implements AsyncDisposable {
  /** How the program ended, and all that it has said. */
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>;

  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #stdout = "";
  #stderr = "";
  #seen = 0;
  #state: "running" | "ended" = "running";
  #news = Promise.withResolvers<void>();

  constructor([file, ...args]: string[]) {
    this.#child = new Deno.Command(file, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.ended = this.#run();
  }

  /** Writes to the program's input. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends the program's input. */
  async endInput(): Promise<void> {
    // A program that has ended, or whose input has, cannot be told again.
    await this.#input.close().catch(() => {});
  }

  /** Waits until the program has written `text` to its output, and gives all since the last `until()`. */
  async until(text: string): Promise<string> {
    while (true) {
      const at = this.#stdout.indexOf(text, this.#seen);
      if (at >= 0) {
        const news = this.#stdout.slice(this.#seen, at + text.length);
        this.#seen = at + text.length;
        return news;
      }
      assert(
        this.#state === "running",
        `The program ended without ${JSON.stringify(text)}: ${
          JSON.stringify(this.#stdout)
        }, ${this.#stderr}`,
      );
      await this.#news.promise;
    }
  }

  /**
   * Waits until somebody listens at these endpoints: the program does so, if the ports or paths are its own. To be waited
   * for also where it has said that it is ready.
   */
  async listensAt(...endpoints: readonly string[]): Promise<void> {
    for (const endpoint of endpoints) {
      // Nothing tells when a socket begins to listen, so one looks again, for as long as the program may run.
      while (!await isListening(endpoint)) {
        assert(
          this.#state === "running",
          `The program ended without listening at ${endpoint}: ${this.#stdout}${this.#stderr}`,
        );
        await delay(5);
      }
    }
  }

  /** Sends a signal to the program, unless it has ended. */
  signal(name: Deno.Signal): void {
    try {
      if (this.#state === "running") this.#child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended, and that was not told yet.
    }
  }

  /** Kills the program, unless it has ended, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.endInput();
    await this.ended;
  }

  async #run(): Promise<{ code: number; stdout: string; stderr: string }> {
    const killing = setTimeout(() => this.#kill(), LIFETIME);
    const [{ code }] = await Promise.all([
      this.#child.status,
      this.#collect(this.#child.stdout, (text) => this.#stdout += text),
      this.#collect(this.#child.stderr, (text) => this.#stderr += text),
    ]);
    clearTimeout(killing);
    this.#state = "ended";
    this.#tell();
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      add(decoder.decode(chunk, { stream: true }));
      this.#tell();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #kill(): void {
    this.signal("SIGKILL");
  }
}
