/** What the chat has told to anyone is kept, whenever the server is killed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { SaidEvent } from "../../chat.ts";
import { runHere } from "../support/in_process.ts";
import { run, RunningServer } from "../support/program.ts";

const TOKEN = "as fast as they like";
/** Operators may write as fast as they like; each has so many lines under way. */
const MEMBERS = 3;
const UNDER_WAY = 20;

/** Starts the server on a history. */
function start(folder: string): Promise<RunningServer> {
  const args = ["--history", `${folder}/chat.db`, "--operator-token", TOKEN, "--quiet"];
  return RunningServer.start(["tcp://127.0.0.1:0?framing=line", ...args], {
    flags: ["--allow-net", `--allow-read=${folder}`, `--allow-write=${folder}`],
  });
}

/** A member at a bare socket. */
class Member implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  readonly #text: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #rest = "";

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#writer = conn.writable.getWriter();
    const text = new TextDecoderStream() as TransformStream<Uint8Array, string>;
    this.#text = conn.readable.pipeThrough(text).getReader();
  }

  static async connect(port: number): Promise<Member> {
    const member = new Member(await Deno.connect({ hostname: "127.0.0.1", port }));
    await member.next();
    return member;
  }

  /** Writes lines; whether they arrive is not known. */
  write(...lines: string[]): void {
    const text = lines.map((line) => `${line}\n`).join("");
    this.#writer.write(new TextEncoder().encode(text)).catch(() => {});
  }

  /** The next line; undefined at the end, in order or not. A line that was cut is none. */
  async next(): Promise<string | undefined> {
    let end: number;
    while ((end = this.#rest.indexOf("\n")) < 0) {
      try {
        const { value, done } = await this.#text.read();
        if (done) return undefined;
        this.#rest += value;
      } catch {
        return undefined;
      }
    }
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  /** The next line that begins so. */
  async answer(start: string): Promise<string> {
    for (let line; (line = await this.next()) !== undefined;) {
      if (line.startsWith(start)) return line;
    }
    throw new Error(`The server ended without ${start}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#text.cancel().catch(() => {});
    await this.#writer.abort().catch(() => {});
    try {
      this.#conn.close();
    } catch {
      // It went with its streams.
    }
  }
}

/** Talks until this member has heard so many lines of all, then calls `enough`; what it heard to the end. */
async function talk(member: Member, name: string, most: number, enough: () => void) {
  const said = (i: number) => `${name} says ${i}`;
  const heard: string[] = [];
  let own = 0;
  for (; own < UNDER_WAY; own++) member.write(said(own));
  for (let line; (line = await member.next()) !== undefined;) {
    const [, text] = /^guest-\d+: (.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    heard.push(text);
    if (heard.length === most) enough();
    if (text.startsWith(`${name} `)) member.write(said(own++));
  }
  return heard;
}

/** Everything in the lobby's history, oldest first. */
async function history(port: number): Promise<string[]> {
  await using member = await Member.connect(port);
  member.write(`/operator ${TOKEN}`, "/json");
  const all: SaidEvent[] = [];
  await member.answer('{"type":"history"');
  for (let before = "";; before = ` before ${all[0].id}`) {
    member.write(`/history 100${before}`);
    const { messages, more } = JSON.parse(await member.answer('{"type":"history"'));
    all.unshift(...messages);
    if (!more) return all.map(({ text }) => text);
  }
}

Deno.test("server.ts --backup copies a history that a chat writes; a second chat is refused", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "lengthwise_backup_" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const server = stack.use(await start(folder));
  const member = stack.use(await Member.connect(server.port()));
  member.write("to be kept");
  await member.answer("guest-1: to be kept");
  const flags = ["--allow-net", `--allow-read=${folder}`, `--allow-write=${folder}`];
  const args = ["--history", `${folder}/chat.db`];
  const backUp = ["server.ts", [...args, "--backup", `${folder}/copy.db`]] as const;
  const done = await run(...backUp, { flags });
  assertEquals([done.code, done.stdout], [0, ""]);
  const again = await runHere(...backUp);
  assertEquals(again.code, 1);
  assertStringIncludes(again.stderr, `there is a ${folder}/copy.db already`);
  const wrong = await runHere("server.ts", [...args, "--backup", `${folder}/copy2.db`, ":0"]);
  assertEquals(wrong.code, 2);
  const second = await runHere("server.ts", [":0", ...args]);
  assertEquals([second.code, second.stdout], [1, ""]);
  assertStringIncludes(second.stderr, "another process has it open");
  member.write("goes on");
  await member.answer("guest-1: goes on");
  await Deno.rename(`${folder}/copy.db`, `${folder}/moved.db`);
  await server.kill("SIGKILL");
  await server.ended();
  await Deno.mkdir(`${folder}/b`);
  await Deno.rename(`${folder}/moved.db`, `${folder}/b/chat.db`);
  const other = stack.use(await start(`${folder}/b`));
  assertEquals(await history(other.port()), ["to be kept"]);
});

Deno.test("server.ts --history keeps what anyone was told, whenever it is killed", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "lengthwise_kill_" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  let server = stack.use(await start(folder));
  let keptBefore: string[] = [];
  for (const [round, most] of [1, 97, 640, 1500].entries()) {
    const members = await Promise.all(
      Array.from({ length: MEMBERS }, () => Member.connect(server.port())),
    );
    for (const member of members) {
      stack.use(member);
      member.write(`/operator ${TOKEN}`);
      await member.answer("* You are an operator.");
    }
    const kill = () => server.kill("SIGKILL");
    const heard = await Promise.all(
      members.map((member, i) => talk(member, `${round}.${i}`, i === 0 ? most : Infinity, kill)),
    );
    await server.ended();

    server = stack.use(await start(folder));
    const kept = await history(server.port());
    assertEquals(kept.slice(0, keptBefore.length), keptBefore);
    const keptNow = kept.slice(keptBefore.length);
    for (const texts of heard) {
      assertEquals(texts, keptNow.slice(0, texts.length), `round ${round}`);
    }
    assert(heard[0].length >= most, `only ${heard[0].length} messages`);
    keptBefore = kept;
  }
});
