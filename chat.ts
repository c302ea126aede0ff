/**
 * The chat room's rules: who is there, what they are called, and what everyone says. Free of I/O but
 * for the connections that it is given.
 *
 * Messages are text, one per frame or line, so that any client can join. The room's own lines begin
 * with `* `; what a member says comes as `NAME: TEXT` to everyone, the sender included.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { printable } from "./printable.ts";

/** Options of a {@linkcode Chat}. */
export interface ChatOptions {
  /**
   * Tells the time, for the welcome.
   *
   * @default `() => new Date()`
   */
  now?: () => Date;
}

interface Member {
  readonly connection: Connection<string>;
  name: string;
}

interface Command {
  readonly usage: string;
  readonly help: string;
  /** Does it; returns `"quit"` when the member wants to leave. */
  run(member: Member, argument: string): "quit" | void;
}

const MAX_NAME_LENGTH = 32;

/**
 * One room for any number of connections.
 *
 * - Everyone sees everything in the same order.
 * - A name belongs to one member at a time, without regard to case or compatibility forms (Unicode
 *   NFKC); it has 1 to 32 characters, no spaces and nothing invisible.
 * - Control characters are shown, not passed on, since some members sit at bare terminals.
 * - A member that does not read is disconnected by its connection's limits; nobody waits for it.
 *
 * @example A chat server
 * ```ts
 * import { Chat, connect, listen, text } from "@lengthwise/lengthwise";
 * import { assertMatch } from "@std/assert";
 *
 * const chat = new Chat();
 * await using server = await listen(
 *   ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?framing=line"],
 *   { format: text() },
 *   (connection) => chat.serve(connection),
 * );
 * await using member = await connect(server.endpoints[0], { format: text() });
 * assertMatch((await member.receive())!, /^\* Welcome, guest-1\. /);
 * ```
 */
export class Chat {
  readonly #now: () => Date;
  readonly #members = new Map<string, Member>();
  readonly #commands: Record<string, Command>;
  #guests = 0;

  /** Opens an empty room. */
  constructor(options: ChatOptions = {}) {
    const { now = () => new Date() } = options;
    this.#now = now;
    this.#commands = this.#makeCommands();
  }

  /** The names of those who are there, in the order in which they came. */
  get names(): string[] {
    return [...this.#members.values()].map(({ name }) => name);
  }

  /**
   * Serves one member until it quits or its connection ends.
   *
   * @throws {ConnectionLostError} {ProtocolError} what ended the connection, if not in order.
   */
  async serve(connection: Connection<string>): Promise<void> {
    const member = this.#join(connection);
    try {
      for await (const message of connection) {
        if (this.#hear(member, message) === "quit") return;
      }
    } finally {
      this.#members.delete(keyOf(member.name));
      this.#tell(`* ${member.name} left. ${this.#members.size} here.`);
    }
  }

  #join(connection: Connection<string>): Member {
    let name: string;
    do name = `guest-${++this.#guests}`; while (this.#members.has(keyOf(name)));
    const member = { connection, name };
    this.#members.set(keyOf(name), member);
    const time = this.#now().toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
    const here = `${this.#members.size} here.`;
    connection.send(`* Welcome, ${name}. ${time}. ${here} /help lists the commands.`);
    this.#tell(`* ${name} joined. ${here}`, member);
    return member;
  }

  /** Takes what a member says: a command, or a line for everyone. */
  #hear(member: Member, message: string): "quit" | void {
    const line = printable(message.replace(/[\r\n]+$/, ""));
    if (line === "") return;
    if (!line.startsWith("/") || line.startsWith("//")) {
      this.#tell(`${member.name}: ${line.replace(/^\/\//, "/")}`);
      return;
    }
    const [, name, argument] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line)!;
    if (Object.hasOwn(this.#commands, name)) return this.#commands[name].run(member, argument);
    member.connection.send(`* There is no command /${name}. /help lists the commands.`);
  }

  /** Sends a line to everyone, without waiting for those who read slowly. */
  #tell(line: string, except?: Member): void {
    for (const member of this.#members.values()) {
      if (member !== except) member.connection.offer(line);
    }
  }

  #rename(member: Member, name: string): void {
    const problem = problemOf(name);
    if (problem !== undefined) {
      member.connection.send(`* Cannot use the name "${name}": ${problem}.`);
      return;
    }
    const holder = this.#members.get(keyOf(name));
    if (holder !== undefined && holder !== member) {
      member.connection.send(`* Cannot use the name "${name}": ${holder.name} is here.`);
      return;
    }
    const before = member.name;
    this.#members.delete(keyOf(before));
    member.name = name.normalize("NFC");
    this.#members.set(keyOf(name), member);
    this.#tell(`* ${before} is now ${member.name}.`);
  }

  #makeCommands(): Record<string, Command> {
    const send = (member: Member, line: string) => void member.connection.send(line);
    const commands: Record<string, Command> = {
      nick: {
        usage: "/nick NAME",
        help: "takes another name",
        run: (member, name) => this.#rename(member, name),
      },
      who: {
        usage: "/who",
        help: "tells who is here",
        run: (member) => send(member, `* ${this.#members.size} here: ${this.names.join(", ")}.`),
      },
      ping: {
        usage: "/ping [TEXT]",
        help: "is answered with a pong",
        run: (member, text) => send(member, `* pong ${text}`.trimEnd()),
      },
      help: {
        usage: "/help",
        help: "lists the commands",
        run: (member) => {
          for (const { usage, help } of Object.values(commands)) send(member, `* ${usage} ${help}`);
          send(member, "* //TEXT says a line that begins with a slash");
        },
      },
      quit: {
        usage: "/quit",
        help: "leaves",
        run: (member) => {
          send(member, "* Bye.");
          return "quit";
        },
      },
    };
    return commands;
  }
}

/** What names are compared by. */
function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** Why a name cannot be used. */
function problemOf(name: string): string | undefined {
  if (name === "") return "it is empty, say /nick NAME";
  if ([...name].length > MAX_NAME_LENGTH) return `it is longer than ${MAX_NAME_LENGTH} characters`;
  if (/[\s\\]/u.test(name)) return "it has a space, a backslash or an invisible character";
  if (/^guest-\d+$/i.test(name.normalize("NFKC"))) return "such names are given to newcomers";
  if (!/[\p{L}\p{N}\p{S}]/u.test(name)) return "it has no letter";
}
