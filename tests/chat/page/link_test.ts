/** The states of the page's link and the ways between them, with a socket that does as it is told. */

import { assert, assertEquals } from "@std/assert";
import { Link, type LinkState } from "../../../chat/page/browser/link.ts";
import type { SocketUser } from "../../../chat/page/browser/socket.ts";

/** A socket without a network. */
class FakeSocket {
  readonly sent: string[] = [];
  isClosed = false;
  hurries = 0;

  constructor(
    readonly user: SocketUser,
    readonly isSession: boolean,
    readonly token: string | undefined,
  ) {}

  send(text: string): void {
    if (!this.isClosed) this.sent.push(text);
  }

  hurry(): void {
    this.hurries++;
  }

  close(): void {
    this.isClosed = true;
  }

  /** Ends it from the other side. */
  end(reason = "", code = 1000): void {
    this.close();
    this.user.ended(code, reason);
  }
}

/** A link that is connecting. */
class Stage implements Disposable {
  readonly link = new Link();
  readonly sockets: FakeSocket[] = [];
  readonly heard: string[] = [];
  readonly states: LinkState["kind"][] = [];
  /** Why connections did not go on. */
  readonly forgotten: string[] = [];
  losses = 0;
  resumes = 0;
  /** How often the next attempt was not one more after a failure. */
  anew = 0;

  constructor(isSession = false) {
    this.link.start({
      open: (user, token) => {
        const socket = new FakeSocket(user, isSession, token);
        this.sockets.push(socket);
        return socket;
      },
      startAnew: () => this.anew++,
      take: (text) => this.heard.push(text),
      drain: () => {},
      resumed: () => this.resumes++,
      forgotten: (reason) => this.forgotten.push(reason),
      lost: () => this.losses++,
      changed: () => this.states.push(this.link.state.kind),
    });
    this.socket.user.opened();
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  /** The state, if it is of this kind. */
  state<K extends LinkState["kind"]>(kind: K): Extract<LinkState, { kind: K }> {
    const { state } = this.link;
    assert(state.kind === kind, `${state.kind}, not ${kind}`);
    return state as Extract<LinkState, { kind: K }>;
  }

  /** The server wants a token. */
  refuse(reason = ""): void {
    this.socket.end(reason, 1008);
  }

  /** Lets go of its timers. */
  [Symbol.dispose](): void {
    if ("socket" in this.link.state) this.socket.end();
    this.link.retry();
    this.refuse();
  }
}

Deno.test("Link is connecting until the server welcomes it, and asks for /json first", () => {
  using stage = new Stage();
  stage.state("connecting");
  assertEquals([stage.link.wasOpen, stage.link.failing], [false, false]);
  stage.link.welcome();
  stage.state("open");
  assertEquals(stage.link.wasOpen, true);
  stage.link.send("hello");
  assertEquals(stage.socket.sent, ["/json", "hello"]);
  stage.socket.user.took("hi");
  assertEquals(stage.heard, ["hi"]);
});

Deno.test("Link waits with the server's reason when it loses its connection, and tries again", () => {
  using stage = new Stage();
  stage.link.welcome();
  stage.socket.end("The server is stopped.");
  assertEquals(stage.state("waiting").reason, "The server is stopped");
  assertEquals([stage.link.failing, stage.losses], [true, 1]);
  stage.link.send("lost");
  stage.link.hurry();
  assertEquals(stage.state("connecting").reason, "The server is stopped");
  assertEquals(stage.sockets.length, 2);
  assertEquals(stage.states, ["connecting", "open", "waiting", "connecting"]);
});

Deno.test("Link says why it was not let in with the server's last words", () => {
  using stage = new Stage();
  stage.link.noteWords("Welcome");
  stage.link.noteWords("This chat is full.");
  stage.socket.end();
  assertEquals(stage.state("waiting").reason, "This chat is full");
});

Deno.test("Link does not come back by itself from a /quit, or from being sent away", () => {
  for (const by of ["reader", "server"] as const) {
    using stage = new Stage();
    stage.link.welcome();
    stage.link.leave(by);
    stage.link.send("/quit");
    stage.link.hurry();
    assertEquals(stage.state("leaving").by, by);
    assertEquals(stage.socket.sent.at(-1), "/quit");
    stage.socket.end("bye");
    assertEquals(stage.state("left").by, by);
    stage.link.hurry();
    stage.state("left");
    stage.link.retry();
    stage.state("connecting");
    assertEquals(stage.link.failing, false);
  }
});

Deno.test("Link asks for a token, says what was wrong with one, and connects with it", () => {
  using stage = new Stage();
  stage.refuse("a token is wanted");
  assertEquals(stage.state("refused").why, "");
  stage.link.hurry();
  stage.state("refused");
  stage.link.connectWith("open sesame");
  stage.socket.user.opened();
  assertEquals([stage.socket.token, stage.socket.sent], ["open sesame", ["/json"]]);
  stage.refuse("this one is wrong");
  assertEquals(stage.state("refused").why, "this one is wrong");
  stage.link.connectWith("open barley");
  stage.link.noteWords("Cannot join: this one is wrong");
  stage.refuse("this one is wrong");
  assertEquals(stage.state("refused").why, "Cannot join: this one is wrong");
});

Deno.test("Link takes the close that wants a token for a loss once it is in the chat", () => {
  using stage = new Stage();
  stage.link.welcome();
  stage.refuse("something else");
  assertEquals(stage.state("waiting").reason, "something else");
});

Deno.test("Link asks a silent server whether it is there, and gives up without an answer", () => {
  using stage = new Stage();
  stage.link.welcome();
  const now = Date.now();
  stage.link.watch(now + 29_000);
  assertEquals(stage.socket.sent, ["/json"]);
  stage.link.watch(now + 31_000);
  assertEquals(stage.socket.sent, ["/json", "/ping still-there"]);
  assertEquals(stage.link.pong("another"), undefined);
  assert(stage.link.pong("still-there")?.after !== undefined);
  assertEquals(stage.link.pong("still-there"), { after: undefined });

  stage.link.hurry();
  stage.state("open").heardAt -= 1;
  stage.link.watch(Date.now() + 9_000);
  stage.state("open");
  stage.link.watch(Date.now() + 11_000);
  assertEquals(stage.state("waiting").reason, "the server does not answer");
});

Deno.test("Link answers the server's pings at once, and tells the page nothing of them", () => {
  using stage = new Stage();
  stage.link.welcome();
  for (
    const data of ['{"type":"ping"}', '{"type":"ping","later":1}', '{"type":"pong","text":""}']
  ) {
    stage.socket.user.took(data);
  }
  assertEquals(stage.socket.sent, ["/json", "/pong", "/pong"]);
  assertEquals(stage.heard, ['{"type":"pong","text":""}']);
});

Deno.test("Link hears nothing more from a socket that it let go", () => {
  using stage = new Stage();
  const [old] = stage.sockets;
  stage.refuse();
  stage.link.connectWith("token");
  old.user.took("late");
  old.end("late");
  stage.state("connecting");
  assertEquals(stage.heard, []);
});

Deno.test("Link goes from server to server while attempts fail, and starts anew after what held", () => {
  using stage = new Stage();
  stage.socket.end();
  stage.link.hurry();
  stage.socket.end();
  stage.link.hurry();
  assertEquals(stage.anew, 0);

  // It was let in, and lost at once, as after both attempts before.
  stage.link.welcome();
  stage.socket.end();
  assertEquals(stage.anew, 0);
  stage.link.retry();
  stage.link.welcome();
  stage.socket.end();
  assertEquals(stage.anew, 1);

  stage.link.hurry();
  stage.refuse("a token is wanted");
  assertEquals(stage.anew, 2);
  stage.link.connectWith("open sesame");
  stage.link.welcome();
  stage.link.leave("server");
  stage.socket.end();
  assertEquals(stage.anew, 3);
});

Deno.test("Link keeps a session whose network is away, and goes on with it", () => {
  using stage = new Stage(true);
  const { user } = stage.socket;
  user.interrupted("", 1);
  stage.state("connecting");
  stage.link.welcome();
  assertEquals(stage.link.isSession, true);
  user.interrupted("", 1_000);
  const { since } = stage.state("interrupted");
  user.interrupted("the server is full", 2_000);
  assertEquals(
    [stage.state("interrupted").since, stage.state("interrupted").reason],
    [since, "the server is full"],
  );
  assertEquals(stage.state("interrupted").until, 2_000);
  // What comes late of the connection before says nothing of the network.
  stage.link.welcome();
  stage.state("interrupted");
  stage.link.send("later");
  stage.link.watch(Date.now() + 100_000);
  user.took("hi");
  user.resumed();
  stage.state("open");
  assertEquals([stage.resumes, stage.losses, stage.sockets.length], [1, 0, 1]);
  assertEquals([stage.socket.sent, stage.heard], [["/json", "later"], ["hi"]]);
  user.resumed();
  assertEquals(stage.resumes, 1);
});

Deno.test("Link hurries a session whose network is away when the reader wants it, and makes no other", () => {
  using stage = new Stage(true);
  stage.link.welcome();
  stage.socket.user.interrupted("", Date.now() + 10_000);
  stage.link.hurry();
  stage.link.retry();
  assertEquals([stage.socket.hurries, stage.sockets.length], [1, 1]);
  stage.state("interrupted");
});

Deno.test("Link never gives up a session that does not answer: that finds out by itself", () => {
  using stage = new Stage(true);
  stage.link.welcome();
  const now = Date.now();
  stage.link.watch(now + 31_000);
  assertEquals(stage.socket.sent.at(-1), "/ping still-there");
  stage.state("open").heardAt -= 1;
  stage.link.watch(now + 200_000);
  stage.state("open");
});

Deno.test("Link tells that a session could not go on, and connects anew", () => {
  using stage = new Stage(true);
  stage.link.welcome();
  const { user } = stage.socket;
  user.interrupted("", Date.now());
  user.forgotten("its server is gone");
  user.ended(undefined, "its server is gone");
  assertEquals([stage.forgotten, stage.losses, stage.anew], [["its server is gone"], 1, 1]);
  assertEquals(stage.state("waiting").reason, "its server is gone");
  user.interrupted("", Date.now());
  user.resumed();
  user.forgotten("late");
  stage.state("waiting");
  assertEquals([stage.forgotten.length, stage.resumes], [1, 0]);
});

Deno.test("Link does not come back from a /quit that a session had to carry over an outage", () => {
  using stage = new Stage(true);
  stage.link.welcome();
  stage.link.leave("reader");
  const { user } = stage.socket;
  user.interrupted("", Date.now());
  user.resumed();
  stage.state("leaving");
  user.forgotten("its server is gone");
  user.ended(undefined, "its server is gone");
  stage.state("left");
  assertEquals(stage.forgotten, []);
});

Deno.test("Link lets go of its connection when the page is left, and comes back with the page", () => {
  for (const isSession of [true, false]) {
    using stage = new Stage(isSession);
    stage.link.welcome();
    const { socket } = stage;
    stage.link.part();
    assertEquals([socket.isClosed, stage.losses], [true, 1]);
    stage.state("waiting");
    stage.link.part();
    stage.link.hurry();
    stage.state("connecting");
    assertEquals([stage.sockets.length, stage.losses], [2, 1]);
  }
});
