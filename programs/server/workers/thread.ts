/** A worker of the server: the module that its thread runs. */

import { throughPort } from "../../../backplane.ts";
import { joinCluster } from "../../../cluster.ts";
import { shareIds } from "../../../connection/internal.ts";
import { ConnectError, ListenError } from "../../../errors.ts";
import { type Server, SharedCounts } from "../../../listen/listen.ts";
import type { TlsListenOptions } from "../../../transport.ts";
import type { Level } from "../../shared/events.ts";
import { variable } from "../../shared/given.ts";
import { Output } from "../../shared/output.ts";
import { EXIT } from "../../shared/options.ts";
import { exitCodeOf, type ProgramContext } from "../../shared/program.ts";
import { droppedEvents, makeReporter, messageOf, missingLines } from "../../shared/report.ts";
import type { Service } from "../service.ts";
import { makeService } from "../services.ts";
import { openServer } from "../serving.ts";
import { type Beginning, type Down, optionsOf, type OutputName, type Up } from "./items.ts";

/** How long what was put out last may take, in milliseconds. */
const LAST_LINES = 1_000;

/** The thread, seen from within. */
const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Down }) => void;
  postMessage(item: Up): void;
};

/** The outputs of the process, which the main thread writes: each line as a whole. */
class Outputs {
  readonly #taken = new Map<OutputName, () => void>();

  /** An output that has the same limits as that of a process. */
  open(name: OutputName, isTerminal = false): Output {
    const write = async (bytes: Uint8Array) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#taken.set(name, resolve);
      scope.postMessage({ do: "output", to: name, bytes });
      await promise;
      return bytes.length;
    };
    return new Output(name, { write, writeMuch: write, keeps: false, isTerminal });
  }

  taken(name: OutputName): void {
    this.#taken.get(name)?.();
  }
}

/** What runs in this thread. */
class Running {
  readonly #context: ProgramContext;
  readonly #outputs: readonly Output[];
  readonly #service: Service<unknown>;
  readonly #server: Server<unknown>;

  private constructor(
    context: ProgramContext,
    outputs: readonly Output[],
    service: Service<unknown>,
    server: Server<unknown>,
  ) {
    this.#context = context;
    this.#outputs = outputs;
    this.#service = service;
    this.#server = server;
  }

  /** Begins to serve. */
  static async begin(beginning: Beginning): Promise<Running> {
    const { prepared, worker, ids } = beginning;
    shareIds(ids);
    const { context, all } = contextOf(beginning);
    const backplane = throughPort(beginning.backplane);
    const together = { backplane, chat: beginning.chat };
    const { name, limits } = prepared;
    const service = await makeService(name, context, limits.chat, together) as Service<unknown>;
    const server = await openServer(context, prepared, service, {
      reusePort: true,
      counts: new SharedCounts(beginning.counts, worker - 1),
      // A session that comes back to another worker is carried to its own.
      cluster: service.cluster ?? joinCluster({ backplane }),
    });
    scope.postMessage({ do: "listening", endpoints: server.endpoints });
    return new Running(context, all, service, server);
  }

  /** Does what it is told. */
  do(item: Exclude<Down, { do: "begin" | "taken" }>): void {
    switch (item.do) {
      case "stats":
        return scope.postMessage({ do: "stats", stats: this.#server.stats });
      case "drain":
        return this.#server.drain(item.reason);
      case "certificates":
        return this.#renew(item.tls);
      case "close":
        this.#close(item.grace);
        return;
      default:
        throw new TypeError(`Cannot do ${JSON.stringify(item)}: a worker knows nothing of it`);
    }
  }

  /** The main thread has tried the pair, but not who may have issued the clients' certificates. */
  #renew(tls: TlsListenOptions): void {
    try {
      this.#server.replaceCertificates(tls);
    } catch (error) {
      this.#context.reporter.error(`SIGHUP: the old certificates stay: ${messageOf(error)}`);
    }
    scope.postMessage({ do: "renewed" });
  }

  async #close(grace: number): Promise<void> {
    try {
      await this.#server.close({ grace });
      await this.#service.close?.();
    } catch (error) {
      this.#context.reporter.error(messageOf(error));
    }
    await Promise.all(this.#outputs.map((output) => output.end(LAST_LINES)));
    scope.postMessage({ do: "closed" });
  }
}

/** What a program has, in this thread. */
function contextOf({ options: given, worker, terminals }: Beginning) {
  const options = optionsOf(given);
  const stdout = outputs.open("stdout", terminals.stdout);
  const stderr = outputs.open("stderr", terminals.stderr);
  const json = options.on("json");
  const log = options.text("log-file") === undefined ? undefined : outputs.open("log");
  if (log !== undefined) {
    log.note = (count) => json ? droppedEvents(count, "warn") : missingLines(count);
  }
  const host = {
    stdin: { readable: new ReadableStream<Uint8Array>(), isTerminal: false },
    stdout,
    stderr,
    variable,
    onSignal: () => {}, // They come to the main thread.
    exit: (code: number) => Deno.exit(code),
  };
  const reporter = makeReporter(host, {
    json,
    quiet: options.on("quiet"),
    mayDrop: true,
    level: options.text("log-level") as Level | undefined ?? "info",
    log,
  });
  const context: ProgramContext = {
    options,
    reporter: {
      ...reporter,
      event: ({ event, ...fields }, line, level) =>
        reporter.event({ event, worker, ...fields }, line, level),
    },
    host,
    resources: new AsyncDisposableStack(),
  };
  return { context, all: [stdout, stderr, ...log === undefined ? [] : [log]] };
}

const outputs = new Outputs();
let running: Running | undefined;

async function begin(beginning: Beginning): Promise<void> {
  try {
    running = await Running.begin(beginning);
  } catch (error) {
    const isUsage = exitCodeOf(error) === EXIT.usage;
    const isKnown = isUsage || error instanceof ListenError || error instanceof ConnectError;
    const message = isKnown || !(error instanceof Error) ? messageOf(error) : error.stack!;
    scope.postMessage({ do: "failed", message, isUsage });
  }
}

scope.onmessage = ({ data }) => {
  if (data.do === "begin") begin(data);
  else if (data.do === "taken") outputs.taken(data.to);
  else running?.do(data);
};
