/** A broker with JetStream, servers of one chat in this process, and people at them. */

import { Chat, type ChatOptions } from "../../chat.ts";
import {
  chatCluster,
  type ChatClusterOptions,
  type ClusterEvent,
  type NatsChatCluster,
} from "../../chat/cluster/cluster.ts";
import { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { memoryPair } from "../../testing.ts";
import { engine, freePort, RunningEngine, temporaryFolder } from "./engines/engine.ts";

export const NATS = engine("NATS", { commands: ["nats-server"] });

/** A broker whose port and folder stay the same when it is started again. */
export class Broker implements AsyncDisposable {
  readonly port: number = freePort();
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #args: readonly string[];
  #running: RunningEngine | undefined;

  private constructor(
    folder: Awaited<ReturnType<typeof temporaryFolder>>,
    args: readonly string[],
  ) {
    this.#folder = folder;
    this.#args = args;
  }

  static async start(...args: string[]): Promise<Broker> {
    const broker = new Broker(await temporaryFolder(), args);
    await broker.start();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** With `maxFileBytes`, no file may become larger: the system says so as it does of a full disk. */
  async start({ maxFileBytes }: { maxFileBytes?: number } = {}): Promise<void> {
    const { port } = this;
    const store = ["-js", "-sd", this.#folder.path];
    const limit = `trap '' XFSZ; ulimit -f ${(maxFileBytes ?? 0) / 512}; exec "$@"`;
    const limited = maxFileBytes === undefined ? [] : ["sh", "-c", limit, "sh"];
    const command = ["nats-server", "-a", "127.0.0.1", "-p", `${port}`, ...store, ...this.#args];
    this.#running = await RunningEngine.start([...limited, ...command], {
      ready: "Server is ready",
      at: [`tcp://${this.address}`],
      endBy: "SIGKILL",
    });
  }

  /** Ends it as a loss of its machine would. */
  async kill(): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    this.#running = undefined;
  }

  /** It has no files any more. Call it after `kill()`. */
  async lose(): Promise<void> {
    await Deno.remove(`${this.#folder.path}/jetstream`, { recursive: true });
  }

  signal(name: Deno.Signal): void {
    this.#running!.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Three brokers that are one. */
export class Brokers implements AsyncDisposable {
  readonly #running: Map<string, AsyncDisposable>;

  private constructor(running: Map<string, AsyncDisposable>) {
    this.#running = running;
  }

  static async start(): Promise<Brokers> {
    const ports = Array.from({ length: 3 }, () => [freePort(), freePort()]);
    const routes = ports.map(([, port]) => `nats://127.0.0.1:${port}`).join(",");
    const starting = ports.map(async ([port, route], index) => {
      const folder = await temporaryFolder();
      const running = await RunningEngine.start(
        [
          ...["nats-server", "-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder.path],
          ...["-n", `n${index}`, "--cluster_name", "three", "--routes", routes],
          ...["--cluster", `nats://127.0.0.1:${route}`],
        ],
        {
          ready: "Server is ready",
          at: [`tcp://127.0.0.1:${port}`],
          endBy: "SIGKILL",
          atEnd: async () => await folder[Symbol.asyncDispose](),
        },
      );
      return [`127.0.0.1:${port}`, running] as const;
    });
    return new Brokers(new Map(await Promise.all(starting)));
  }

  get addresses(): string[] {
    return [...this.#running.keys()];
  }

  async kill(address: string): Promise<void> {
    await this.#running.get(address)![Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running.values()) await running[Symbol.asyncDispose]();
  }
}

/** One server of the chat. */
export class Site implements AsyncDisposable {
  readonly events: ClusterEvent[] = [];
  readonly chat: Chat;
  readonly #people: Guest[] = [];
  #changed = Promise.withResolvers<void>();

  private constructor(
    readonly cluster: NatsChatCluster,
    options: ChatOptions,
    events: ClusterEvent[],
  ) {
    this.events = events;
    this.chat = new Chat({ cluster, announceAfter: 0, flood: { burst: 1e6 }, ...options });
  }

  static async open(
    servers: string | string[],
    { chat = {}, ...options }: Partial<ChatClusterOptions> & { chat?: ChatOptions } = {},
  ): Promise<Site> {
    const events: ClusterEvent[] = [];
    const told = () => {
      site.#changed.resolve();
      site.#changed = Promise.withResolvers();
    };
    const cluster = await chatCluster({
      servers,
      onEvent(event) {
        events.push(event);
        if (event.event !== "error") told();
      },
      ...options,
    });
    const site = new Site(cluster, chat, events);
    await site.chat.ready;
    return site;
  }

  /** Waits until something has happened. */
  async told(event: ClusterEvent["event"], count = 1): Promise<void> {
    while (this.events.filter((told) => told.event === event).length < count) {
      await this.#changed.promise;
    }
  }

  /** Somebody connects, and has heard the welcome. */
  async enter(name?: string, { json = false, remote }: { json?: boolean; remote?: string } = {}) {
    const [near, far] = memoryPair().map((transport) =>
      new Connection<string>(
        remote === undefined ? transport : new Proxy(transport, {
          get(target, key) {
            const value = key === "remote" ? remote : Reflect.get(target, key, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
        { format: text() },
      )
    );
    const served = this.chat.serve(near).then(() => near.close(), (error) => near.abort(error));
    const guest = new Guest(far, served);
    this.#people.push(guest);
    await guest.until((line) => line.startsWith("* Welcome, "));
    if (name !== undefined) await guest.ask(`/nick ${name}`);
    if (json) await guest.ask("/json");
    return guest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.chat.close();
    await Promise.all(this.#people.map((person) => person.leave()));
    await this.cluster.close();
  }
}

let lastToken = 0;

/** Somebody at a server. All that comes is kept. */
export class Guest {
  /** What has come, and was not yet taken by `until()`. */
  readonly heard: string[] = [];
  /** All that has come. */
  readonly all: string[] = [];
  #changed = Promise.withResolvers<void>();
  readonly #reading: Promise<void>;
  #state: "reading" | "ended" = "reading";

  constructor(readonly connection: Connection<string>, readonly served: Promise<unknown>) {
    this.#reading = this.#read();
  }

  say(...lines: string[]): void {
    for (const line of lines) this.connection.send(line);
  }

  /** What comes up to the first line that fits, with it. */
  async until(fits: string | RegExp | ((line: string) => boolean)): Promise<string[]> {
    const isIt = typeof fits === "function"
      ? fits
      : (line: string) => typeof fits === "string" ? line === fits : fits.test(line);
    for (;;) {
      const index = this.heard.findIndex(isIt);
      if (index >= 0) return this.heard.splice(0, index + 1);
      if (this.#state === "ended") {
        throw new Error(`${fits} did not come, but ${JSON.stringify(this.all.slice(-20))}`);
      }
      await this.#changed.promise;
    }
  }

  /** Says lines, and gives all that came until they were dealt with. */
  async ask(...lines: string[]): Promise<string[]> {
    const token = `token-${++lastToken}`;
    this.say(...lines, `/ping ${token}`);
    const heard = await this.until((line) =>
      line === `* pong ${token}` || line === `{"type":"pong","text":"${token}"}`
    );
    return heard.slice(0, -1);
  }

  /** Returns when the server here knows all that any server knew before: a key is told through the log. */
  async catchUp(): Promise<void> {
    await this.ask("/claim");
  }

  /** What was said, as a program was told it: in the order in which it came. */
  get said(): { id: number; name: string; text: string; provisional?: string }[] {
    return this.all.filter((line) => /^\{"type":"(?:say|me|placed)"/.test(line))
      .map((line) => JSON.parse(line));
  }

  async leave(): Promise<void> {
    await this.connection.close();
    await Promise.all([this.#reading, this.served]);
  }

  async #read(): Promise<void> {
    try {
      for await (const line of this.connection) {
        this.heard.push(line);
        this.all.push(line);
        this.#tell();
      }
    } catch {
      // The connection was lost: `until()` tells it.
    }
    this.#state = "ended";
    this.#tell();
  }

  /** Several may wait. */
  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
