/** The client's `put`, `get` and `ls`. */

import { format as formatBytes } from "@std/fmt/bytes";
import { basename, dirname, join } from "node:path";
import { ConnectionClosedError, ConnectionLostError } from "../../errors.ts";
import {
  checkName,
  type FileMethods,
  fileRequests,
  FileSource,
  type FileTarget,
  getFile,
  listFiles,
  putFile,
  type TransferOptions,
  type Transferred,
} from "../../files.ts";
import { Checksum, fileError, openTarget } from "../../files/internal.ts";
import { Attempts, backoff, pause } from "../../internal/retry.ts";
import { printable } from "../../internal/text.ts";
import { RequestError, type RequestPeer } from "../../request.ts";
import { eventLine } from "../shared/events.ts";
import { EXIT, UsageError } from "../shared/options.ts";
import type { Output } from "../shared/output.ts";
import { isProtocolError } from "../shared/program.ts";
import { messageOf } from "../shared/report.ts";
import type { ClientContext } from "./context.ts";
import { progressBar } from "./progress.ts";

/** How many attempts in a row may fail without a byte of progress. */
const MAX_ATTEMPTS = 8;
/** Codes of errors that may pass after a while. */
const PASSING = ["busy", "stalled", "cancelled"];

/** Sends the files that the operands name. */
export async function put(context: ClientContext): Promise<number> {
  const { operands, options } = context;
  if (operands.length === 0) throw new UsageError(`"put" needs at least one FILE`);
  refuseOutput(context, "put");
  for (const path of operands) {
    checkOperand(basename(path));
    await needPermission("read", path);
  }
  await using files = new FilePeer(context);
  for (const path of operands) {
    const name = basename(path);
    using source = await FileSource.open(path, name);
    await files.transfer(
      "put",
      name,
      (peer, hooks) =>
        putFile(peer, source, { ...hooks, idleTimeout: options.number("timeout") || undefined }),
    );
  }
  return EXIT.done;
}

/** Fetches the file that the operand names. */
export async function get(context: ClientContext): Promise<number> {
  const { operands, options } = context;
  if (operands.length !== 1) throw new UsageError(`"get" needs one NAME`);
  const [name] = operands;
  checkOperand(name);
  const output = options.text("output");
  if (output === "-" && options.on("json")) {
    throw new UsageError("--output - and --json both want stdout");
  }
  await using target = await openOutput(output, name, context.host.stdout);
  await using files = new FilePeer(context);
  await files.transfer("get", name, (peer, hooks) =>
    getFile(peer, name, target.to, {
      ...hooks,
      replace: output !== undefined,
      idleTimeout: options.number("timeout") || undefined,
    }));
  return EXIT.done;
}

/** Lists the files. */
export async function ls(context: ClientContext): Promise<number> {
  const { options, host: { stdout } } = context;
  refuseOutput(context, "ls");
  await using files = new FilePeer(context);
  const peer = await files.peer();
  for await (const { name, size, modified } of listFiles(peer)) {
    if (options.on("json")) {
      stdout.write(eventLine({ event: "file", name, size, modified }));
    } else {
      const time = modified === null ? "-" : new Date(modified).toISOString().slice(0, 19) + "Z";
      stdout.write(`${String(size).padStart(12)}  ${time.padEnd(20)}  ${printable(name)}\n`);
    }
    await stdout.room();
  }
  return EXIT.done;
}

type Hooks = Pick<TransferOptions, "onProgress" | "onRestart">;
type Attempt = (
  peer: RequestPeer<FileMethods>,
  hooks: Hooks,
) => Promise<Transferred>;

/** The server of the files. The connection to it is made again when it is lost. */
class FilePeer implements AsyncDisposable {
  readonly #context: ClientContext;
  #peer: RequestPeer<FileMethods> | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** The present connection, or a new one. */
  async peer(): Promise<RequestPeer<FileMethods>> {
    if (this.#peer !== undefined) return this.#peer;
    const connection = await this.#context.connect();
    const peer = fileRequests(connection);
    peer.closed.then(() => {
      if (this.#peer === peer) this.#peer = undefined;
    });
    return this.#peer = peer;
  }

  /** Does a transfer. A failed attempt is repeated as long as there is progress now and then. */
  async transfer(verb: "put" | "get", name: string, attempt: Attempt): Promise<void> {
    const { options, reporter, host, stopped } = this.#context;
    using bar = progressBar(name, host.stderr, { quiet: options.on("json") });
    const retry = backoff({ minDelay: 200, maxDelay: 5_000, maxAttempts: MAX_ATTEMPTS });
    const attempts = new Attempts(retry);
    await this.peer(); // The first one has to be there.
    const hooks: Hooks = {
      onProgress: ({ bytes, size, offset }) => {
        if (bytes > offset) attempts.startAnew();
        bar.show(bytes, size);
      },
      onRestart() {
        bar.clear();
        reporter.event({ event: "restart", name }, `${name} was changed since: starting afresh`);
      },
    };
    for (;;) {
      try {
        const done = await attempt(await this.peer(), hooks);
        bar.clear();
        this.#tell(verb, done, bar.seconds);
        return;
      } catch (error) {
        bar.clear();
        const wait = isPassing(error) && !stopped.aborted ? attempts.failed(error) : undefined;
        if (wait === undefined) throw error;
        reporter.event(
          { event: "retry", name, error: messageOf(error) },
          `${messageOf(error)}; trying again`,
        );
        await pause(wait, stopped);
      }
    }
  }

  #tell(verb: "put" | "get", done: Transferred, seconds: number): void {
    const { name, size, sha256, resumedAt } = done;
    const rate = formatBytes((size - resumedAt) / Math.max(seconds, 0.001));
    const from = resumedAt === 0 ? "" : `, from byte ${resumedAt} on`;
    const { options, reporter, host } = this.#context;
    if (!options.on("json") && !host.stderr.isTerminal) return;
    reporter.event(
      { event: verb, name, size, sha256, resumedAt },
      `${verb} ${name}: ${formatBytes(size)}, ${rate}/s${from}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.close();
  }
}

/** Whether another attempt may succeed. */
function isPassing(error: unknown): boolean {
  if (isProtocolError(error)) return false;
  if (error instanceof RequestError) return PASSING.includes(error.code);
  return error instanceof ConnectionLostError || error instanceof ConnectionClosedError;
}

function refuseOutput({ options }: ClientContext, command: string): void {
  if (options.text("output") !== undefined) {
    throw new UsageError(`--output is for "get", not for "${command}"`);
  }
}

function checkOperand(name: string): void {
  try {
    checkName(name);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

async function needPermission(name: "read" | "write", path: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name, path });
  if (state === "granted") return;
  throw new Error(`no permission for ${path}; run with --allow-${name}=${path}`);
}

/** Opens the target of a file. Disposing of it closes the target. */
async function openOutput(
  output: string | undefined,
  name: string,
  stdout: Output,
): Promise<{ to: FileTarget } & AsyncDisposable> {
  if (output === "-") return { to: new StandardOutput(stdout), async [Symbol.asyncDispose]() {} };
  const path = join(output ?? name);
  const directory = dirname(path);
  // The permission is needed for the directory, because the unfinished file is beside the finished
  // one.
  for (const kind of ["read", "write"] as const) await needPermission(kind, directory);
  const part = await openTarget(path, { replace: output !== undefined });
  return {
    to: part,
    async [Symbol.asyncDispose]() {
      await part.close();
    },
  };
}

/**
 * Standard output as a target. A transfer to it can be continued, but it cannot start again from
 * the beginning.
 */
class StandardOutput implements FileTarget {
  readonly #stdout: Output;
  readonly #checksum = new Checksum();

  constructor(stdout: Output) {
    this.#stdout = stdout;
  }

  get offset(): number {
    return this.#checksum.offset;
  }

  digest(): Promise<string> {
    return Promise.resolve(this.#checksum.digest());
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#stdout.write(bytes);
    await this.#stdout.flush(); // The bytes may be used again afterwards.
    this.#checksum.update(bytes);
  }

  restart(): Promise<void> {
    return Promise.reject(
      fileError("source-changed", "go on", "the file was changed, and a part of it is out already"),
    );
  }

  finish(sha256: string): Promise<void> {
    if (this.#checksum.digest() === sha256) return Promise.resolve();
    return Promise.reject(
      fileError("hash-mismatch", "finish", "the file did not arrive as it was sent"),
    );
  }
}
