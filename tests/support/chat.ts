/** A chat with a clock to be set, and people in it, without a network. */

import { Chat, type ChatOptions } from "../../chat.ts";
import { Connection } from "../../connection.ts";
import { text } from "../../format.ts";
import { memoryPair } from "../../testing.ts";

const format = text();

/** A chat whose time stands still until it is told to go on. */
export class TestChat implements AsyncDisposable {
  readonly chat: Chat;
  now: number = Date.parse("2026-11-20T18:12:03.456Z");
  readonly #people: Person[] = [];
  #tick: (() => void) | undefined;

  constructor(options: ChatOptions = {}) {
    this.chat = new Chat({
      now: () => new Date(this.now),
      every: (callback) => {
        this.#tick = callback;
        return () => this.#tick = undefined;
      },
      announceAfter: 0,
      ...options,
    });
  }

  /** Whether the chat's timer runs. */
  get ticks(): boolean {
    return this.#tick !== undefined;
  }

  /** Lets time pass, with one tick at its end. */
  pass(ms: number): void {
    this.now += ms;
    this.#tick?.();
  }

  /** Lets someone in, from an address. */
  enter(remote?: string): Person {
    const [near, far] = memoryPair();
    const transport = remote === undefined ? near : new Proxy(near, {
      get(target, key) {
        const value = key === "remote" ? remote : Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const served = new Connection<string>(transport, { format });
    const person = new Person(new Connection<string>(far, { format }), served);
    this.#people.push(person);
    // As a server does it.
    person.served = this.chat.serve(served).then(() => served.close(), (error) => {
      served.abort(error);
    });
    return person;
  }

  /** Lets someone in under a name, who has heard how that went. */
  async join(name?: string, remote?: string): Promise<Person> {
    const person = this.enter(remote);
    if (name !== undefined) person.say(`/nick ${name}`);
    await person.heard();
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.chat.close();
    await Promise.all(this.#people.map(async (person) => {
      await person.connection.close();
      await person.served;
    }));
  }
}

let lastToken = 0;

/** Someone in a chat. */
export class Person {
  served: Promise<unknown> = Promise.resolve();

  constructor(readonly connection: Connection<string>, readonly near: Connection<string>) {}

  /** Writes lines. */
  say(...lines: string[]): void {
    for (const line of lines) this.connection.send(line);
  }

  /** Everything that came until all that was written has been dealt with, or until the end. */
  async heard(): Promise<string[]> {
    const token = `token-${++lastToken}`;
    if (this.connection.state === "open") this.connection.send(`/ping ${token}`);
    const lines: string[] = [];
    for (let line; (line = await this.connection.receive()) !== undefined;) {
      if (line === `* pong ${token}` || line === `{"type":"pong","text":"${token}"}`) return lines;
      lines.push(line);
    }
    await this.connection.close();
    return lines;
  }

  /** The same, parsed. */
  // deno-lint-ignore no-explicit-any
  async events(): Promise<any[]> {
    return (await this.heard()).map((line) => JSON.parse(line));
  }

  /** Writes lines and tells what came. */
  async ask(...lines: string[]): Promise<string[]> {
    this.say(...lines);
    return await this.heard();
  }
}
