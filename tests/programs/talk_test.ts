// deno-lint-ignore-file no-control-regex
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Chat, refusalLine } from "../../chat.ts";
import { connect, listen, text } from "../../mod.ts";
import { Pings } from "../../programs/client/talking/pings.ts";
import { run } from "../support/program.ts";
import { Pty, ptyTest as test } from "../support/pty.ts";
import { CLIENT, join, openChat, prompts, said } from "../support/talk.ts";

test("client.ts at a terminal joins, shows state and round-trip time, and sends what is typed", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  assertMatch(pty.screen.rows.join("\n"), /\* Welcome, guest-1\./);
  pty.send({ keys: "helo\x1b[Dl\r" });
  await pty.until((screen) => said(screen).includes("guest-1: hello"));
});

test("client.ts at a terminal prints what arrives above the line being typed", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "half a li" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "half a li"));
  await using other = await connect(server.endpoints[0], { format: text() });
  await other.send("\x1b[2J\x07 news");
  await pty.until((screen) => said(screen).includes("guest-2: \\x1b[2J\\x07 news"));
  await pty.until(({ rows }) => prompts(rows.at(-1), "half a li"));
  pty.send({ keys: "ne\r" });
  await pty.until((screen) => said(screen).includes("guest-1: half a line"));
});

test("client.ts at a terminal shows the loss of its server, and comes back to it", async () => {
  const server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await server.close({ grace: 0 });
  await pty.until(({ rows }) =>
    /^\[offline \d+ s, (again in \d+ s|connecting)\] guest-1>/.test(rows.at(-1)!)
  );
  pty.send({ keys: "too early\r" });
  await pty.until((screen) => said(screen).includes("not sent: there is no connection"));
  await using _again = await openChat(server.endpoints[0]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "back\r" });
  await pty.until((screen) => said(screen).includes("guest-1: back"));
});

test("client.ts at a terminal ends in order at /quit, Ctrl-C and Ctrl-D, with exit code 0", async () => {
  await using server = await openChat();
  for (
    const [keys, farewell] of [
      ["/quit\r", true],
      ["/QUIT now\r", true],
      ["\x03", false],
      ["\x04", false],
    ] as const
  ) {
    await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
    await pty.until(({ rows }) => prompts(rows.at(-1)));
    pty.send({ keys });
    assertEquals(await pty.ended(), { exit: 0, raw: false });
    assertEquals(said(pty.screen).includes("* Bye."), farewell);
  }
});

test("client.ts at a terminal ends with 1 when nothing listens, without a prompt for permission", async () => {
  await using pty = await Pty.open(120, 12, [CLIENT, "127.0.0.1:1"]);
  assertEquals((await pty.ended()).exit, 1);
  assert(pty.screen.text.includes("connection refused, nothing listens there"));
  assert(!pty.output.includes("Deno requests"));
});

test("client.ts at a terminal sends the lines of a paste at Enter, not before", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await using ada = await join(server, "Ada");
  await pty.until((screen) => said(screen).includes("* guest-2 is now Ada."));
  pty.paste("hello\nad");
  await pty.until(({ rows }) => prompts(rows.at(-1), "hello↵ad"));
  await ada.send("meanwhile");
  await pty.until((screen) => said(screen).includes("Ada: meanwhile"));
  pty.send({ keys: "\t" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "hello↵Ada:"));
  pty.send({ keys: "\r" });
  await pty.until((screen) => said(screen).includes("guest-1: Ada:"));
  assertEquals(said(pty.screen).filter((row) => /^(Ada|guest-1):/.test(row)), [
    "Ada: meanwhile",
    "guest-1: hello",
    "guest-1: Ada:",
  ]);
});

test("client.ts at a terminal completes commands and names with Tab", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await using _ada = await join(server, "Ada");
  await pty.until((screen) => said(screen).includes("* guest-2 is now Ada."));
  const types = async (keys: string, typed: string) => {
    pty.send({ keys });
    await pty.until(({ rows }) => prompts(rows.at(-1), typed));
  };
  await types("/he", "/he");
  await types("\t", "/help");
  await types("n", "/help n");
  await types("\x15a", "a");
  await types("\t", "Ada:");
  await types("hello aD", "Ada: hello aD");
  await types("\t", "Ada: hello Ada");
  await types("!", "Ada: hello Ada !");
  await types("\x15/msg a!\x1b[D", "/msg a!");
  await types("\t", "/msg Ada !");

  await using _adam = await join(server, "Adam");
  await pty.until((screen) => said(screen).includes("* guest-3 is now Adam."));
  await types("\x05\x15a", "a");
  await types("\t", "Ada");
  pty.send({ keys: "\t" });
  await pty.until(({ rows }) => rows.at(-2) === "Ada  Adam" && prompts(rows.at(-1), "Ada"));
  await types("m", "Adam");
  await types("\t", "Adam:");
  pty.send({ keys: "hi\r" });
  await pty.until((screen) => said(screen).includes("guest-1: Adam: hi"));
  // A Tab within a paste stays what it is.
  pty.send({ keys: "a\tb\r" });
  await pty.until((screen) => said(screen).includes("guest-1: a        b"));
});

test("client.ts at a terminal completes what operators can do once one is an operator", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "/operator open sesame\r" });
  await pty.until(({ text }) => text.includes("* You are an operator."));
  pty.send({ keys: "/k" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "/k"));
  pty.send({ keys: "\t" });
  await pty.until(({ rows }) => prompts(rows.at(-1), "/kick"));
});

test("client.ts at a terminal shows names in colours, and none under NO_COLOR", async () => {
  await using server = await openChat();
  await using ada = await join(server, "Ada");
  for (const NO_COLOR of ["", "1"]) {
    await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]], { env: { NO_COLOR } });
    await pty.until(({ rows }) => prompts(rows.at(-1)));
    await ada.send("one");
    await ada.send("\x1b[31mtwo");
    await pty.until((screen) => said(screen).includes("Ada: \\x1b[31mtwo"));
    const colors = pty.output.match(/\x1b\[38;5;\d+mAda\x1b\[39m: (one|\\x1b\[31mtwo)/g);
    if (NO_COLOR === "") assertEquals(colors?.length, 2);
    else assert(!/\x1b\[[\d;]*m/.test(pty.output), "a colour");
    assert(!pty.output.includes("\x1b[31m"), "the peer's escape");
  }
});

test("client.ts at a terminal shows the answers to what is asked, and no lists that were not asked for", async () => {
  await using server = await openChat();
  await using ada = await join(server, "Ada");
  await using pty = await Pty.open(80, 40, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "/who\r/rooms\r/history\r/ping x\r" });
  await pty.until((screen) => said(screen).includes("* pong x"));
  await ada.send("/join den");
  await pty.until((screen) => said(screen).includes("* Ada left. 1 here."));
  pty.send({ keys: "/join den\r/quit\r" });
  await pty.ended();
  assertEquals(said(pty.screen).filter((row) => row.startsWith("* ")).slice(1), [
    "* 2 here: Ada, guest-2.",
    "* 1 room: lobby (2).",
    "* There are no messages.",
    "* pong x",
    "* Ada left. 1 here.",
    "* You are in den. 2 here.",
    "* Bye.",
  ]);
});

test("client.ts at a terminal asks for no events where they have no room, however that was said", async () => {
  await using server = await openChat("tcp://127.0.0.1:0?framing=u8");
  const [endpoint] = server.endpoints;
  await using ada = await join(server, "Ada");
  const bare = [endpoint.replace("?framing=u8", ""), "--framing", "u8"];
  for (const args of [[endpoint], bare]) {
    await using pty = await Pty.open(250, 12, [CLIENT, ...args]);
    await pty.until(({ text }) => text.includes("* Welcome, "));
    pty.send({ keys: "/ping x\r" });
    await pty.until((screen) => said(screen).includes("* pong x"));
    const long = "x".repeat(200);
    await ada.send(long);
    await pty.until((screen) => said(screen).includes(`Ada: ${long}`));
  }
});

test("client.ts at a terminal rings when its name is said, once a second, if it is asked to", async () => {
  await using server = await openChat();
  await using ada = await join(server, "Ada");
  for (const [i, options] of [[], ["--bell"]].entries()) {
    await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0], ...options]);
    await pty.until(({ rows }) => prompts(rows.at(-1)));
    const me = `guest-${i + 2}`;
    pty.send({ keys: `I am ${me}\r` });
    await pty.until(({ text }) => text.includes(`${me}: I am ${me}`));
    assert(!pty.output.includes("\x07"));
    await ada.send(`/msg ${me} psst`);
    await ada.send(`look, ${me}`);
    await pty.until(({ text }) => text.includes(`Ada: look, ${me}`));
    assertEquals(pty.output.split("\x07").length - 1, i);
  }
});

test("client.ts at a terminal ends with 1 when the server wants another token, and says so", async () => {
  const chat = new Chat();
  const options = { format: text(), token: "open sesame", refusalMessage: refusalLine };
  await using server = await listen("tcp://127.0.0.1:0", options, (peer) => chat.serve(peer));
  const endpoint = server.endpoints[0];
  await using pty = await Pty.open(120, 12, [CLIENT, endpoint, "--token", "open barley"]);
  assertEquals(await pty.ended(), { exit: 1, raw: false });
  assertMatch(pty.screen.text, /\* Cannot join: .* wrong\n.* start again with --token TOKEN/);
  await using right = await Pty.open(80, 12, [CLIENT, endpoint, "--token", "open sesame"]);
  await right.until(({ rows }) => prompts(rows.at(-1)));
});

test("client.ts at a terminal ends with 1 when a WebSocket's close says that the token is wrong", async () => {
  await using server = await listen("ws://127.0.0.1:0", { token: "open sesame" }, () => {});
  await using pty = await Pty.open(120, 12, [
    CLIENT,
    server.endpoints[0],
    "--token",
    "open barley",
  ]);
  assertEquals(await pty.ended(), { exit: 1, raw: false });
  assertMatch(pty.screen.text, /\* Cannot join: .* wrong\n.* start again with --token TOKEN/);
});

test("client.ts at a terminal says nothing of its own to a peer that is no chat", async () => {
  await using server = await listen("tcp://127.0.0.1:0", { format: text() }, async (peer) => {
    await peer.send("220 ready");
    for await (const line of peer) await peer.send(`* you said ${line}`);
  });
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => rows.includes("220 ready"));
  pty.send({ keys: "one\r/who\r" });
  await pty.until(({ rows }) => rows.includes("* you said /who"));
  assertEquals(pty.screen.rows.filter((row) => /^(\* |\[open\] )/.test(row)), [
    "[open] one",
    "[open] /who",
    "* you said one",
    "* you said /who",
  ]);
});

test("client.ts at a terminal ends with 1 when it is banned", async () => {
  let connections = 0;
  await using server = await listen("tcp://127.0.0.1:0", { format: text() }, async (peer) => {
    connections++;
    await peer.send("* You are banned from this chat.");
  });
  await using pty = await Pty.open(80, 12, [CLIENT, server.endpoints[0]]);
  assertEquals(await pty.ended(), { exit: 1, raw: false });
  assert(said(pty.screen).includes("* You are banned from this chat."));
  assertEquals(connections, 1);
});

test("client.ts at a terminal comes back at Enter after it was kicked, not by itself", async () => {
  await using server = await openChat();
  await using root = await join(server, "root");
  await root.send("/operator open sesame");
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  await root.send("/kick guest-2 too loud");
  await pty.until(({ rows }) => rows.at(-1) === "[sent away]");
  assert(said(pty.screen).includes("* You were kicked by root: too loud"));
  await pty.until((screen) => said(screen).includes("Enter joins again, Ctrl-D ends"));
  pty.send({ keys: "hello\r" });
  await pty.until((screen) => said(screen).includes("not sent: there is no connection"));
  pty.send({ keys: "\r" });
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  assertMatch(pty.screen.text, /\* Welcome, guest-3\./);
  await root.send("/kick guest-3");
  await pty.until(({ rows }) => rows.at(-1) === "[sent away]");
  pty.send({ keys: "\x04" });
  assertEquals(await pty.ended(), { exit: 0, raw: false });
});

test("client.ts at a terminal takes its name and room again on the next connection", async () => {
  await using server = await openChat();
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "/nick Ada\r/join den\r" });
  await pty.until((screen) => said(screen).includes("* You are in den. 1 here."));
  for (const connection of server.connections) connection.abort();
  await pty.until((screen) =>
    said(screen).filter((row) => row === "* You are in den. 1 here.").length > 1
  );
  assert(said(pty.screen).includes("* guest-2 is now Ada."));
});

test("client.ts at a terminal asks on the next connection for what the chat gave, not for what it refused", async () => {
  await using server = await openChat();
  await using bob = await join(server, "Bob");
  await using pty = await Pty.open(80, 30, [CLIENT, server.endpoints[0]]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "/nick Ada\r/join den\r/leave\r/nick Bob\r" });
  await pty.until((screen) => said(screen).includes('* Cannot use the name "Bob": Bob is here.'));
  await bob.close();
  await pty.until((screen) => said(screen).includes("* Bob left. 1 here."));
  for (const connection of server.connections) connection.abort();
  await pty.until((screen) => said(screen).includes("* guest-3 is now Ada."));
  pty.send({ keys: "/who\r" });
  await pty.until((screen) => said(screen).includes("* 1 here: Ada."));
  assertEquals(said(pty.screen).filter((row) => row.includes("You are in")).length, 2);
});

/** Leads to a port. The server does not see when the near end of a connection is lost. */
class Ghosts implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #near: Deno.Conn[] = [];
  readonly #far: Deno.Conn[] = [];
  readonly port = this.#listener.addr.port;

  constructor(port: number) {
    this.#serve(port).catch(() => {}); // The listener is closed.
  }

  /** The near ends are lost. */
  lose(): void {
    for (const conn of this.#near.splice(0)) conn.close();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.lose();
    for (const conn of this.#far) conn.close();
  }

  async #serve(port: number): Promise<void> {
    for (;;) {
      const near = await this.#listener.accept();
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#near.push(near);
      this.#far.push(far);
      for (const [from, to] of [[near, far], [far, near]]) {
        (async () => {
          const chunk = new Uint8Array(65_536);
          for (let n; (n = await from.read(chunk)) !== null;) await to.write(chunk.slice(0, n));
        })().catch(() => {}); // One of the two is lost.
      }
    }
  }
}

test("client.ts at a terminal takes its name from its own lost connection", async () => {
  await using server = await openChat();
  using ghosts = new Ghosts(Number(/:(\d+)/.exec(server.endpoints[0])![1]));
  await using pty = await Pty.open(80, 30, [CLIENT, `127.0.0.1:${ghosts.port}`]);
  await pty.until(({ rows }) => prompts(rows.at(-1)));
  pty.send({ keys: "/nick Ada\r" });
  await pty.until((screen) => said(screen).includes("* guest-1 is now Ada."));
  pty.send({ keys: "/ping\r" });
  await pty.until((screen) => said(screen).includes("* pong"));
  ghosts.lose();
  await pty.until((screen) => said(screen).includes("* guest-2 is now Ada."));
  pty.send({ keys: "/who\r" });
  await pty.until((screen) => said(screen).includes("* 1 here: Ada."));
  assert(!pty.screen.text.includes("key"), pty.screen.text);
});

Deno.test("client.ts in a pipe neither colours nor rings", async () => {
  await using server = await openChat();
  const stdin = "/nick Ada\nhello\n/msg Ada psst\n/quit\n";
  const { stdout } = await run("client.ts", [server.endpoints[0], "--bell"], { stdin });
  assertMatch(stdout, /^Ada: hello\n\* Ada tells you: psst\n/m);
  assert(!/[\x1b\x07]/.test(stdout));
});

Deno.test("Pings know the answers to all of theirs, however late, and to no others", () => {
  const sent: string[] = [];
  using pings = new Pings((line) => sent.push(line));
  const [, head, time] = /^\/ping ([^.]+\.)(.+)$/.exec(sent[0])!;
  assert(pings.timeOf(head + time)! >= 0);
  assert(pings.timeOf(`${head}${Number(time) - 60_000}`)! >= 60_000);
  assertEquals([pings.timeOf(`${head}x`), pings.timeOf("x")], [undefined, undefined]);
});
