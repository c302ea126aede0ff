/** Makes traffic in a chat: people come, give themselves names, talk, and go. */

import { connect, type Connection, text } from "../../mod.ts";

/** One who talks. Everything that was heard is kept. */
class Member {
  readonly heard: string[] = [];
  name = "";
  readonly #connection: Connection<string>;
  readonly #hearing: Promise<void>;
  #change = Promise.withResolvers<void>();

  constructor(connection: Connection<string>) {
    this.#connection = connection;
    this.#hearing = (async () => {
      for await (const line of connection) {
        this.heard.push(line);
        this.#change.resolve();
        this.#change = Promise.withResolvers();
      }
    })();
  }

  say(line: string): Promise<void> {
    return this.#connection.send(line);
  }

  /** Waits until a line has been heard that contains this. */
  async hears(part: string): Promise<void> {
    // What is waited for comes last, or nearly.
    while (this.heard.findLast((line) => line.includes(part)) === undefined) {
      await this.#change.promise;
    }
  }

  async leave(): Promise<void> {
    await this.#connection.close();
    await this.#hearing;
  }
}

/** What traffic to make. */
export interface TrafficOptions {
  /** Called before each step. */
  tick(step: number): void;
  readonly steps: number;
  readonly members: number;
}

/**
 * Talks for so many steps. Each step is over when everybody has heard what they should, so that the order
 * is the same whenever it is played again. Resolves to how many lines were said, and how many heard.
 */
export async function chatTraffic(
  endpoint: string,
  { tick, steps, members: most }: TrafficOptions,
): Promise<{ said: number; heard: number }> {
  const members: Member[] = [];
  let [said, heard, names] = [0, 0, 0];
  const say = async (member: Member, line: string) => {
    said++;
    await member.say(line);
  };
  const all = (part: string) => Promise.all(members.map((member) => member.hears(part)));

  async function come(): Promise<void> {
    const member = new Member(await connect(endpoint, { format: text() }));
    await member.hears("Welcome");
    members.push(member);
    member.name = `member${++names}.`;
    await say(member, `/nick member${names}`); // A newcomer is told of with the first line.
    await all(member.name);
  }

  async function go(member: Member): Promise<void> {
    members.splice(members.indexOf(member), 1);
    await member.leave();
    heard += member.heard.length;
    await all(`* ${member.name.slice(0, -1)} left.`);
  }

  for (let step = 0; step < steps; step++) {
    tick(step);
    if (members.length < 2 || members.length < most && step % 50 === 0) await come();
    else if (step % 211 === 210) await go(members[step % members.length]);
    else {
      const member = members[(step * 7) % members.length];
      const line = `line ${step}: ${"wörds, ".repeat(step % 5)}and no more ${step}.`;
      await say(member, line);
      await all(line);
    }
  }
  for (const member of [...members]) await go(member);
  return { said, heard };
}
