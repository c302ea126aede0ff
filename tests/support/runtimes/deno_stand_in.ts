/**
 * What stands for `Deno` in test files that Node and Bun run: what tests call, and nothing else. The
 * library does not see it.
 */

import process from "node:process";
import { tmpdir } from "node:os";
import { createServer, type Socket } from "node:net";
import { execFile, spawn, type StdioOptions } from "node:child_process";
import * as fs from "node:fs";
import { Readable, Writable } from "node:stream";
import { inspect } from "node:util";
import { join } from "node:path";
import { errors } from "../../../internal/runtime/errors.ts";
import { os } from "../../../internal/runtime/os.ts";
import { NodeListener, sockets } from "../../../internal/runtime/sockets/node.ts";
import type { TcpAddress } from "../../../internal/runtime/stream_socket.ts";
import { NodeTcpSocket } from "../../../internal/runtime/sockets/node_socket.ts";

/** A test. */
export interface RegisteredTest {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => unknown;
}

/** The tests of all files that were imported. */
export const tests: RegisteredTest[] = [];

function test(nameOrTest: string | RegisteredTest, fn?: () => unknown): void {
  tests.push(typeof nameOrTest === "string" ? { name: nameOrTest, fn: fn! } : nameOrTest);
}
test.ignore = (name: string, fn: () => unknown) => void tests.push({ name, fn, ignore: true });

/** How a program is started: the standard streams are `"piped"`, `"inherit"` or `"null"`. */
interface CommandOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A program. */
class Command {
  readonly #file: string;
  readonly #options: CommandOptions;

  constructor(file: string, options: CommandOptions = {}) {
    this.#file = file;
    this.#options = options;
  }

  /** Runs it to its end. */
  output(): Promise<{ success: boolean; stdout: Uint8Array; stderr: Uint8Array }> {
    const { args = [] } = this.#options;
    return new Promise((resolve, reject) => {
      execFile(this.#file, args, { encoding: "buffer" }, (error, stdout, stderr) => {
        if (error !== null && typeof error.code === "string") reject(error);
        else resolve({ success: error === null, stdout, stderr });
      });
    });
  }

  /** Starts it. */
  spawn() {
    const { args = [], cwd, stdin, stdout, stderr } = this.#options;
    const stdio = [stdin ?? "null", stdout ?? "inherit", stderr ?? "inherit"]
      .map((kind) => ({ piped: "pipe", null: "ignore" })[kind] ?? kind) as StdioOptions;
    const child = spawn(this.#file, args, { cwd, stdio });
    const status = new Promise<{ code: number | null }>((resolve, reject) => {
      child.once("error", reject).once("close", (code) => resolve({ code }));
    });
    const web = (stream: Readable | null) => stream && Readable.toWeb(stream);
    const streams = [web(child.stdout), web(child.stderr)];
    return {
      stdin: child.stdin && Writable.toWeb(child.stdin),
      stdout: streams[0],
      stderr: streams[1],
      status,
      async output() {
        const texts = streams.map((stream) => new Response(stream as BodyInit).bytes());
        const [stdout, stderr] = await Promise.all(texts);
        return { ...await status, stdout, stderr };
      },
    };
  }
}

/** A socket of a listener on all addresses, with ends of IPv4, and not of IPv6. */
function mapped(socket: Socket): NodeTcpSocket {
  const wrapped = new NodeTcpSocket(socket);
  const plain = (address: TcpAddress) => ({
    ...address,
    hostname: address.hostname.replace(/^::ffff:/, ""),
  });
  const { localAddr, remoteAddr } = wrapped;
  const dispose = { [Symbol.dispose]: () => closeQuietly(wrapped) };
  return Object.assign(wrapped, dispose, {
    localAddr: plain(localAddr),
    remoteAddr: plain(remoteAddr),
  });
}

function closeQuietly(socket: { close(): void }): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof errors.BadResource)) throw error; // The test has closed it.
  }
}

/** Listens at once. Node does that only on all addresses. */
function listen({ port = 0 }: { port?: number } = {}) {
  const server = createServer({ allowHalfOpen: true }).listen(port);
  const listener = new NodeListener(server, mapped, 511);
  return Object.assign(listener, {
    [Symbol.dispose]: () => closeQuietly(listener),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        try {
          yield await listener.accept();
        } catch (error) {
          if (error instanceof errors.BadResource) return;
          throw error;
        }
      }
    },
  });
}

/** As `Deno`, for tests. */
export const Deno = {
  test,
  errors,
  build: { os },
  inspect,
  /** Stands for `globalThis.addEventListener("unload", …)`. */
  atEnd: (call: () => void) => process.once("exit", call),
  env: { get: (name: string) => process.env[name] },
  Command,
  makeTempFile: async () => join(await fs.promises.mkdtemp(join(tmpdir(), "lengthwise-")), "file"),
  makeTempDir: () => fs.promises.mkdtemp(join(tmpdir(), "lengthwise-")),
  makeTempDirSync: () => fs.mkdtempSync(join(tmpdir(), "lengthwise-")),
  removeSync: (path: string, options?: fs.RmOptions) => fs.rmSync(path, options),
  remove: (path: string, options?: fs.RmOptions) => fs.promises.rm(path, options),
  writeTextFile: (path: string, text: string) => fs.promises.writeFile(path, text),
  readTextFile: (path: string | URL) => fs.promises.readFile(path, "utf8"),
  listen,
  async connect({ hostname = "127.0.0.1", port }: { hostname?: string; port: number }) {
    const socket = await sockets.connectTcp({ hostname, port }, new AbortController().signal);
    return Object.assign(socket, { [Symbol.dispose]: () => closeQuietly(socket) });
  },
};
