/** The chat's page in a browser, with the real server program behind it. */

import { assert, assertEquals } from "@std/assert";
import { testWith } from "./peers.ts";
import { type Browser, type ChatWindow, CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { freePort } from "../support/free_port.ts";
import { sayElsewhere, Wire } from "../support/page_peers.ts";
import { RunningServer } from "../support/program.ts";

const chromium = new SharedBrowser();

/** A browser and a server with the page. */
class Stage implements AsyncDisposable {
  readonly browser: Browser;
  readonly port: number;
  #server: RunningServer;

  private constructor(browser: Browser, server: RunningServer) {
    this.browser = browser;
    this.#server = server;
    this.port = Number(/:(\d+)/.exec(server.endpoints[1])![1]);
  }

  static async set(flags: readonly string[] = []): Promise<Stage> {
    const [browser, server] = await Promise.all([
      chromium.connect(),
      startServer(freePort(), flags),
    ]);
    return new Stage(browser, server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Opens a window and waits until it is connected. */
  async open(options?: Parameters<Browser["open"]>[1], port = this.port): Promise<ChatWindow> {
    const window = await this.browser.open(`http://127.0.0.1:${port}/`, options);
    await window.state("Connected");
    return window;
  }

  /** Somebody else says so many lines; several, since the chat slows down whoever says many. */
  async fill(words: string, count: number): Promise<string[]> {
    const lines = Array.from({ length: count }, (_, i) => `${words} ${i}`);
    const url = `ws://127.0.0.1:${this.port}/`;
    for (let at = 0; at < count; at += 4) await sayElsewhere(url, lines.slice(at, at + 4));
    return lines;
  }

  /** Kills the server without a word to its members. */
  async kill(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.ended();
  }

  /** Starts it again at the same port. */
  async restart(): Promise<void> {
    this.#server = await startServer(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

function startServer(port: number, flags: readonly string[] = []): Promise<RunningServer> {
  const endpoints = ["tcp://127.0.0.1:0", `ws://127.0.0.1:${port}`];
  return RunningServer.start([...endpoints, ...flags], { count: 2 });
}

await testWith(CHROMIUM, "The page lets people talk to each other under their names", async () => {
  await using stage = await Stage.set();
  const [one, two] = [await stage.open(), await stage.open({ scheme: "dark" })];
  await one.takeName("ada");
  await two.takeName("ben");
  await one.type("Hello, ben: see https://example.org/a?b=(c).");
  await two.sees("Hello, ben: see https://example.org/a?b=(c).");
  await two.type("//me too");
  await one.sees("/me too");
  await one.type("/me waves");
  await two.sees("waves");
  await two.type("/msg ada between us");
  await Promise.all([one.sees("between us"), two.sees("between us")]);
  const said = ["Hello, ben: see https://example.org/a?b=(c).", "/me too", "waves", "between us"];
  assertEquals(await one.texts(), said);
  assertEquals(await two.texts(), said);
  assertEquals([await one.people(), await two.people()], [["ada", "ben"], ["ada", "ben"]]);
  const mark = "document.querySelector('.mention mark')?.textContent";
  assertEquals([await one.value(mark), await two.value(mark)], [undefined, "ben"]);
  assertEquals(await one.value("document.querySelector('#outbox').hidden"), true);

  await two.type("/away for lunch");
  await one.until("document.querySelector('#people .away')?.title === 'Away: for lunch'");
  await two.type("/topic The next release");
  await one.until("document.querySelector('#topic').textContent === 'The next release'");
  assertEquals([one.problems, two.problems], [[], []]);
});

await testWith(CHROMIUM, "The page shows markup, scripts and links that run as text", async () => {
  await using stage = await Stage.set();
  const [one, two] = [await stage.open(), await stage.open()];
  await two.takeName("<img>");
  const lines = [
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>",
    "javascript:alert(1) data:text/html,x https://example.org@evil.test/ http:///",
    'https://example.org/"onclick="alert(1)',
  ];
  for (const line of lines) {
    await two.type(line);
    await one.sees(line);
  }
  assertEquals(await one.texts(), lines);
  assertEquals(await one.value("document.querySelector('.entry .name').textContent"), "<img>");
  const elements = "[...document.querySelectorAll('.entry :is(img, script, a)')]";
  assertEquals(await one.value(`${elements}.map(({ href, rel }) => [href, rel])`), [
    ["https://example.org/", "noopener noreferrer"],
  ]);
  assertEquals(await one.value("document.title"), "#lobby – Lengthwise");
  await two.type("/topic <b>bold</b>");
  await one.until("document.querySelector('#topic').textContent === '<b>bold</b>'");
  assertEquals([one.problems, two.problems], [[], []]);
});

await testWith(
  CHROMIUM,
  "The page switches rooms and marks those with unread messages",
  async () => {
    await using stage = await Stage.set();
    const [one, two] = [await stage.open(), await stage.open()];
    await one.join("dev");
    await two.until("document.querySelectorAll('#rooms li').length === 2");
    assertEquals(await two.value("document.querySelectorAll('#rooms .unread').length"), 0);
    await one.type("only for dev");
    await two.until("document.querySelector('#rooms .unread')?.textContent.startsWith('#devnew')");
    assertEquals(await two.value("document.title"), "• #lobby – Lengthwise");
    assertEquals(await two.texts(), []);

    await two.page.keyboard.down("Alt");
    await two.page.keyboard.press("ArrowDown");
    await two.page.keyboard.up("Alt");
    await two.sees("only for dev");
    assertEquals(await two.value("document.querySelector('h1').textContent"), "#dev");
    assertEquals(await two.value("document.querySelectorAll('#rooms .unread').length"), 0);
    assertEquals(
      await two.value("document.querySelector('#rooms [aria-current]').textContent"),
      "#dev2",
    );

    await two.page.click("#rooms li:first-child button");
    await two.until("document.querySelector('h1').textContent === '#lobby'");
    assertEquals(await two.texts(), []);
    await two.value(`Object.defineProperty(document, "hidden", { value: true, configurable: true })
    && document.dispatchEvent(new Event("visibilitychange"))`);
    await one.join("lobby");
    await one.type("are you there?");
    await two.until("document.title === '(1) #lobby – Lengthwise'");
    await two.value(
      `delete document.hidden && document.dispatchEvent(new Event("visibilitychange"))`,
    );
    assertEquals(await two.value("document.title"), "#lobby – Lengthwise");
    assertEquals([one.problems, two.problems], [[], []]);
  },
);

await testWith(CHROMIUM, "The page keeps name, room and history over a reload", async () => {
  await using stage = await Stage.set();
  const window = await stage.open();
  await window.takeName("ada");
  await window.join("dev");
  await window.type("before the reload");
  await window.sees("before the reload");
  await window.page.reload();
  await window.until("document.querySelector('#my-name').textContent === 'ada'");
  await window.sees("before the reload");
  assertEquals(await window.value("document.querySelector('h1').textContent"), "#dev");
  assertEquals(await window.texts(), ["before the reload"]);
  assertEquals(window.problems, []);
});

await testWith(
  CHROMIUM,
  "The page loads older messages on scrolling up, and stays there",
  async () => {
    await using stage = await Stage.set();
    const lines = await stage.fill("line", 80);
    const window = await stage.open({ height: 400 });
    await window.sees("line 79");
    for (const [oldest, count] of [[70, 60], [20, 80]]) {
      const before = await window.value<number>(`(() => {
      document.querySelector("#scroller").scrollTop = 0;
      return ${placeOf(`line ${oldest}`)};
    })()`);
      await window.until(`${COUNT} === ${count}`);
      const moved = await window.value<number>(placeOf(`line ${oldest}`)) - before;
      assert(Math.abs(moved) <= 2, `line ${oldest} moved by ${moved} pixels`);
    }
    assertEquals(await window.texts(), lines);
    await window.value("document.querySelector('#scroller').scrollTop = 0");
    await window.until(
      "document.querySelector('#top').textContent.includes('beginning of #lobby')",
    );

    await stage.fill("late", 1);
    await window.until("document.querySelector('#newer').textContent.includes('new below')");
    await window.page.click("#newer");
    await window.until("document.querySelector('#newer').hidden");
    assertEquals(window.problems, []);
  },
);

const COUNT = "document.querySelectorAll('.entry:not(.notice)').length";

/** How far from the top of the window a text is, in pixels. */
function placeOf(text: string): string {
  return `[...document.querySelectorAll(".text")]
    .find(({ textContent }) => textContent === ${JSON.stringify(text)})
    .getBoundingClientRect().top`;
}

await testWith(
  CHROMIUM,
  "The page survives the server's death: name, room, no doubles",
  async () => {
    await using stage = await Stage.set();
    const window = await stage.open();
    await window.takeName("ada");
    await window.join("dev");
    await window.type("one");
    await window.sees("one");
    await stage.kill();
    await window.until("!document.querySelector('#banner').hidden");
    await window.type("while it was gone");
    await window.type("/who");
    await window.until("document.querySelector('#outbox').textContent.includes('Waiting')");
    assertEquals(await window.value("document.querySelector('#line').value"), "/who");
    assertEquals(await window.texts(), ["one"]);

    await stage.restart();
    await window.state("Connected");
    await window.sees("while it was gone");
    await window.value("document.querySelector('#line').value = ''");
    await window.type("two");
    await window.sees("two");
    assertEquals(await window.texts(), ["one", "while it was gone", "two"]);
    assertEquals(await window.value("document.querySelector('h1').textContent"), "#dev");
    assertEquals(await window.people(), ["ada"]);
    assertEquals(await window.value("document.querySelector('#outbox').hidden"), true);
    const unexpected = window.problems.filter((problem) =>
      !problem.includes("ERR_CONNECTION_REFUSED")
    );
    assertEquals(unexpected, []);
  },
);

await testWith(
  CHROMIUM,
  "The page fills the gap after an outage, in order, without doubles",
  async () => {
    await using stage = await Stage.set();
    await using wire = new Wire(stage.port);
    const window = await stage.open({}, wire.port);
    await window.takeName("ada");
    const before = await stage.fill("before", 8);
    await window.sees("before 7");
    wire.cut();
    await window.until("!document.querySelector('#banner').hidden");
    const missed = await stage.fill("missed", 120);
    wire.mend();
    await window.value("dispatchEvent(new Event('online'))");
    await window.state("Connected");
    await window.sees("missed 0");
    await window.until("document.querySelector('#my-name').textContent === 'ada'");
    await window.type("here again");
    await window.sees("here again");
    assertEquals(await window.texts(), [...before, ...missed, "here again"]);
  },
);

await testWith(CHROMIUM, "The page gets in by the token, and stays out when kicked", async () => {
  await using stage = await Stage.set(["--token", "open sesame", "--operator-token", "crown"]);
  const enter = async (token: string) => {
    const window = await stage.browser.open(stage.url);
    await window.state("Not admitted");
    assertEquals(await window.value("document.querySelector('#ask-reason').hidden"), true);
    await window.page.keyboard.sendCharacter(token);
    await window.page.keyboard.press("Enter");
    return window;
  };
  const one = await enter("open barley");
  await one.until("document.querySelector('#ask').innerText.includes('this token is wrong')");
  await one.page.keyboard.sendCharacter("open sesame");
  await one.page.keyboard.press("Enter");
  await one.state("Connected");
  await one.takeName("ada");
  const two = await enter("open sesame");
  await two.state("Connected");
  await two.type("/operator crown");
  await two.type("/kick ada");
  const banner = "document.querySelector('#banner')";
  await one.until(`${banner}.innerText.includes("You were disconnected.")`);
  assertEquals(await one.value("document.querySelector('#retry').textContent"), "Join again");

  // Meanwhile somebody else has the name; the page says so, and asks for it again.
  await two.takeName("ada");
  await one.page.click("#retry");
  await one.state("Connected");
  const notices = "[...document.querySelectorAll('.notice')].map(({ innerText }) => innerText)";
  await one.until(`${notices}.some((text) => text.includes("It is tried again for two minutes."))`);
  await two.takeName("ben");
  await one.until("document.querySelector('#my-name').textContent === 'ada'");
});
