/** The states of the page's link and the ways between them, with a socket that does as it is told. */

import { assert, assertEquals } from "@std/assert";
import { Link, type LinkState } from "../../../chat/page/browser/link.ts";
import type { SocketUser } from "../../../chat/page/browser/socket.ts";

/** A socket without a network. */
class FakeSocket {
  readonly sent: string[] = [];
  isClosed = false;

  constructor(readonly user: SocketUser) {}

  send(text: string): void {
    if (!this.isClosed) this.sent.push(text);
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
  losses = 0;
  /** How often the next attempt was not one more after a failure. */
  anew = 0;

  constructor() {
    this.link.start({
      open: (user) => {
        const socket = new FakeSocket(user);
        this.sockets.push(socket);
        return socket;
      },
      startAnew: () => this.anew++,
      take: (text) => this.heard.push(text),
      drain: () => {},
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

Deno.test("Link asks for a token, says what was wrong with one, and sends it before all else", () => {
  using stage = new Stage();
  stage.refuse("a token is wanted");
  assertEquals(stage.state("refused").why, "");
  stage.link.hurry();
  stage.state("refused");
  stage.link.connectWith("open sesame");
  stage.socket.user.opened();
  assertEquals(stage.socket.sent, ["open sesame", "/json"]);
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
