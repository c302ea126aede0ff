/**
 * One chat of several servers, each in a process of its own, with clients over all kinds of endpoints
 * that talk at a steady rate, each room for itself.
 */

import { assertEquals } from "@std/assert";
import { freePort } from "../support/free_port.ts";
import { issue } from "../support/certificates.ts";
import { RunningServer } from "../support/program.ts";
import { Broker } from "./chat_cluster_world.ts";
import { Wanderer } from "./chat_cluster_wanderer.ts";

/** What a server listens on: the scheme, and what follows the address. */
const ROADS = [
  ["tcp", ""],
  ["tcp", "?framing=line"],
  ["tls", ""],
  ["ws", ""],
  ["tcp", "?session=1"],
] as const;

/** The road of sessions. */
const SESSION = 4;

/** How often what is due is said, in milliseconds. */
const TICK = 20;

/** Options of a town. */
export interface TownOptions {
  /** How many clients there are. */
  readonly clients: number;
  /** How many of them are in one room. */
  readonly perRoom: number;
  /** How many servers there are; 3 by default. */
  readonly servers?: number;
}

/** One chat with everything that belongs to it. */
export class Town implements AsyncDisposable {
  readonly people: readonly Wanderer[];
  /** How many messages all have said. */
  said = 0;
  readonly #servers: RunningServer[];
  readonly #ports: readonly (readonly number[])[];
  readonly #options: TownOptions;
  #talking: ReturnType<typeof setInterval> | undefined;

  private constructor(
    readonly broker: Broker,
    servers: RunningServer[],
    ports: readonly (readonly number[])[],
    options: TownOptions,
    readonly tls: { readonly folder: string; readonly ca: string },
  ) {
    const { clients, perRoom } = options;
    this.#servers = servers;
    this.#ports = ports;
    this.#options = options;
    const roads = ROADS.map((_, road) => servers.map(({ endpoints }) => endpoints[road]));
    this.people = Array.from(
      { length: clients },
      (_, n) =>
        new Wanderer(`P${n}`, roads[n % roads.length], n, {
          room: `room-${Math.floor(n / perRoom)}`,
          tls: { ca: tls.ca },
          session: n % roads.length === SESSION,
        }),
    );
  }

  /** Starts all, and lets all come in. */
  static async open(options: TownOptions): Promise<Town> {
    const { cert, key } = await issue("server", { names: ["127.0.0.1"] });
    const folder = await Deno.makeTempDir({ prefix: "lengthwise_town_" });
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    const broker = await Broker.start();
    const ports = Array.from({ length: options.servers ?? 3 }, () => ROADS.map(freePort));
    const starting = ports.map((ports) => startServer(broker.address, ports, folder));
    const town = new Town(broker, await Promise.all(starting), ports, options, {
      folder,
      ca: cert,
    });
    for (const person of town.people) await person.settled();
    return town;
  }

  /** Those who are at a server now. */
  at(server: number): Wanderer[] {
    return this.people.filter(({ endpoint }) => this.#serverOf(endpoint) === server);
  }

  /** They talk on, one after the other, with so many messages per second, up to so many. */
  talk(rate: number, messages: number): void {
    const startedAt = performance.now();
    const before = this.said;
    this.#talking = setInterval(() => {
      const due = before + (performance.now() - startedAt) / 1000 * rate;
      while (this.said < Math.min(due, messages)) this.#sayNext();
      if (this.said >= messages) this.silence();
    }, TICK);
  }

  /** They stop talking. */
  silence(): void {
    clearInterval(this.#talking);
  }

  /** Ends a server as a loss of its machine would. */
  async kill(server: number): Promise<void> {
    this.#servers[server].kill("SIGKILL");
    await this.#servers[server].ended();
  }

  /** Ends a server in order. */
  async stop(server: number): Promise<void> {
    assertEquals(await this.#servers[server].stop("SIGTERM"), 0);
  }

  /** Starts a server again, where it was. */
  async start(server: number): Promise<void> {
    const { broker, tls } = this;
    this.#servers[server] = await startServer(broker.address, this.#ports[server], tls.folder);
  }

  /** Waits until so many messages have been said, and have come back to who said them. */
  async heard(messages: number): Promise<void> {
    const each = Math.floor(messages / this.people.length);
    for (const person of this.people) await person.until(() => person.acknowledged >= each);
  }

  /**
   * Waits until all have heard all. Fails if somebody missed a message, heard one twice, or heard the
   * messages of one member, or of a room, in another order.
   */
  async check(): Promise<void> {
    const { perRoom } = this.#options;
    const { people, said } = this;
    for (const person of people) await person.settled();
    const count = (n: number) => Math.ceil((said - n) / people.length);
    for (let from = 0; from < people.length; from += perRoom) {
      const room = people.slice(from, from + perRoom);
      const all = room.reduce((sum, _, n) => sum + count(from + n), 0);
      for (const person of room) {
        await person.until(() => person.heard.length >= all);
        assertEquals(person.heard.map(({ id }) => id), room[0].heard.map(({ id }) => id));
      }
      for (const [n, { name }] of room.entries()) {
        const own = room[0].heard.filter((said) => said.name === name).map(({ text }) => text);
        assertEquals(own, Array.from({ length: count(from + n) }, (_, i) => `${name}-${i}`));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.silence();
    await Promise.all(this.people.map((person) => person.leave()));
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    await Deno.remove(this.tls.folder, { recursive: true });
  }

  #sayNext(): void {
    const { people } = this;
    const person = people[this.said % people.length];
    person.say(`${person.name}-${Math.floor(this.said / people.length)}`);
    this.said++;
  }

  #serverOf(endpoint: string): number {
    if (endpoint === "") return -1;
    const port = Number(new URL(endpoint).port);
    return this.#ports.findIndex((ports) => ports.includes(port));
  }
}

function startServer(
  broker: string,
  ports: readonly number[],
  folder: string,
): Promise<RunningServer> {
  const endpoints = ROADS.map(([scheme, rest], road) =>
    `${scheme}://127.0.0.1:${ports[road]}${rest}`
  );
  return RunningServer.start([
    ...endpoints,
    ...["--cert", `${folder}/cert.pem`, "--key", `${folder}/key.pem`, "--quiet"],
    ...["--cluster", broker, "--limit", "chat.burst=1000000"],
  ], { count: ROADS.length, flags: ["-A"] });
}
