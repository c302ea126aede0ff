/** What a member writes: something to say, or a command. */

import { likely } from "../../internal/nearest.ts";
import { printable, withoutLineEnd } from "../../internal/text.ts";
import type { Engine } from "../engine/engine.ts";
import { COST } from "../engine/flood.ts";
import type { Member } from "../engine/member.ts";
import { ASKING } from "./asking.ts";
import type { Command } from "./command.ts";
import { Guesses, OPERATOR, operatorCommand } from "./operator.ts";
import { TALKING } from "./talking.ts";

/** A line that is a command. */
const COMMAND_LINE = /^\/(?!\/)(\S*)(.*)$/s;

/** What comes of a line. */
type Result = "quit" | void;

/** Understands what members write. */
export class Commands {
  readonly #chat: Engine;
  readonly #forAll: ReadonlyMap<string, Command>;
  readonly #forOperators: ReadonlyMap<string, Command>;

  constructor(chat: Engine) {
    this.#chat = chat;
    const help: Command = {
      usage: "/help [COMMAND]",
      help: "lists the commands",
      cost: COST.question,
      run: (_chat, member, name) => this.#help(member, name),
    };
    const { ping, pong, json, quit, ...asking } = ASKING;
    const operator = operatorCommand(new Guesses());
    const all = { ...TALKING, ...asking, ping, pong, json, help, operator, quit };
    this.#forAll = new Map(Object.entries(all));
    this.#forOperators = new Map([...this.#forAll, ...Object.entries(OPERATOR)]);
  }

  /**
   * Takes a line. The line may be too long, or come too fast. Returns `"quit"` if the member wants
   * to leave, or what resolves to that when the others have been told of the member.
   */
  hear(member: Member, message: string): Result | Promise<Result> {
    const { settings } = this.#chat;
    if (message.length > settings.maxLineLength + 2) return this.#tooLong(member, message.length);
    const line = withoutLineEnd(message);
    if (line.length > settings.maxLineLength) return this.#tooLong(member, line.length);
    if (line === "") return;
    const [isCommand, name = "", argument = ""] = COMMAND_LINE.exec(line) ?? [];
    const word = name.toLowerCase();
    const command = isCommand === undefined ? undefined : this.#of(member).get(word);
    const run = (): Result => {
      const cost = command?.cost ?? (isCommand === undefined ? COST.message : COST.question);
      if (!this.#passes(member, cost)) return;
      if (isCommand === undefined) {
        return this.#chat.say(member, "say", printable(line.replace(/^\/\//, "/")));
      }
      if (command === undefined) return this.#unknown(member, printable(name), word);
      return this.#run(member, command, word, printable(argument.trim()));
    };
    if (command?.isPrivate !== true) this.#chat.announce(member);
    return member.pending === undefined ? run() : member.pending.then(run);
  }

  #run(member: Member, command: Command, word: string, argument: string): Result {
    const result = command.run(this.#chat, member, argument);
    if (result !== "usage") return result;
    const text = `Cannot understand that: ${command.usage} ${command.help}.`;
    this.#chat.audience.notice(member, "usage", text, { command: word });
  }

  #of(member: Member): ReadonlyMap<string, Command> {
    return member.operator ? this.#forOperators : this.#forAll;
  }

  /** Returns true if the member does not write too much. Otherwise tells the member. */
  #passes(member: Member, cost: number): boolean {
    if (member.operator) return true;
    const { audience, settings: { flood: { burst, perSecond } }, now } = this.#chat;
    const verdict = member.flood.take(cost, now);
    if (verdict === "pass") return true;
    if (verdict === "disconnect") {
      const reason = "Disconnected: you wrote too much too fast.";
      this.#chat.disconnect(member, "disconnected-flood", reason);
    } else if (verdict === "warn") {
      const limit = `${burst} at once, then ${perSecond} per second`;
      audience.notice(member, "slow-down", `Slow down: ${limit}. Your line was dropped.`);
    } else audience.notice(member, "line-dropped", "Your line was dropped.");
    return false;
  }

  #tooLong(member: Member, length: number): void {
    this.#chat.announce(member);
    if (!this.#passes(member, COST.message)) return;
    const limit = this.#chat.settings.maxLineLength;
    const text = `Your line was dropped: it has ${length} characters, the limit is ${limit}.`;
    this.#chat.audience.notice(member, "line-too-long", text, { limit });
  }

  #unknown(member: Member, name: string, word: string): void {
    const shown = name.length > 32 ? `${name.slice(0, 32)}…` : name;
    const near = likely(word, [...this.#of(member).keys()], { eager: true });
    const hint = near === undefined ? "" : ` Did you mean /${near}?`;
    const text = `There is no command /${shown}.${hint} /help lists the commands.`;
    this.#chat.audience.notice(member, "no-such-command", text, { command: shown });
  }

  #help(member: Member, name: string): void {
    const commands = this.#of(member);
    const { audience } = this.#chat;
    if (name !== "") {
      const word = name.replace(/^\//, "").toLowerCase();
      const command = commands.get(word);
      if (command === undefined) return this.#unknown(member, word, word);
      return audience.notice(member, "help", `${command.usage} ${command.help}`, { command: word });
    }
    for (const [command, { usage, help }] of commands) {
      audience.notice(member, "help", `${usage} ${help}`, { command });
    }
    audience.notice(member, "help", "//TEXT says a line that begins with a slash");
  }
}
