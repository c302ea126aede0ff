/** The chat's page in a browser, with a server that says just what the test wants it to hear. */

import { assert, assertEquals } from "@std/assert";
import { testWith } from "./peers.ts";
import { type ChatWindow, CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { ScriptedServer } from "../support/page_peers.ts";

const chromium = new SharedBrowser();

const WELCOME = { type: "welcome", name: "ada", room: "lobby", time: 0, members: 3 };
const WHO = {
  type: "who",
  room: "lobby",
  members: [
    { name: "ada", operator: true },
    { name: "adam", silent: true },
    { name: "ben", away: "lunch" },
  ],
};
const ROOMS = { type: "rooms", rooms: [{ name: "lobby", members: 3, topic: "Cats", last: 2 }] };
const HISTORY = {
  type: "history",
  room: "lobby",
  messages: [said(1, "one", "ben"), said(2, "two", "adam")],
  more: false,
};

function said(id: number, text: string, name = "ben") {
  return { type: "say", id, room: "lobby", name, text, time: Date.UTC(2026, 10, 20, 18, 10) + id };
}

/** A server that lets everyone in at once. */
function openServer(): ScriptedServer {
  return new ScriptedServer((server) => {
    server.tell("* Welcome, ada. 2026-11-20 18:12:03Z. 3 here. /help lists the commands.");
    server.tell("* The last message:", "[18:10] ben: one", WELCOME, WHO, ROOMS, HISTORY);
  });
}

/** Presses keys, one after another; `Shift+Tab` holds the first one. */
async function press(window: ChatWindow, ...all: string[]): Promise<void> {
  const { keyboard } = window.page;
  for (const keys of all) {
    const names = keys.split("+") as Parameters<typeof keyboard.press>[0][];
    const [last, ...held] = names.reverse();
    for (const key of held) await keyboard.down(key);
    await keyboard.press(last);
    for (const key of held) await keyboard.up(key);
  }
}

/** What can be pressed or written into, but for rooms and people. */
async function visible(window: ChatWindow): Promise<string[]> {
  return await window.value(`[...document.querySelectorAll("button, input")]
    .filter((element) => element.checkVisibility() && !element.closest("li"))
    .map((element) => element.labels?.[0]?.textContent ?? element.textContent.trim())`);
}

const LINE = "document.querySelector('#line').value";

await testWith(CHROMIUM, "The page asks for /json first, and hides what came before", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  assertEquals(await server.next(), "/json");
  assertEquals(await server.next(), "/pong");
  server.tell({ type: "ping" }, {
    type: "notice",
    code: "no-such-command",
    text: "There is no command /pong.",
    error: true,
    command: "pong",
  });
  assertEquals(await server.next(), "/pong");
  assertEquals(await window.value("document.querySelectorAll('.notice').length"), 0);
  server.tell("* Plain words", "{not JSON}", '{"type":"later than this page"}', "null");
  await window.until("document.querySelectorAll('.notice').length === 3");
  assertEquals(
    await window.value(`[...document.querySelectorAll(".notice .text")]
      .map(({ textContent }) => textContent)`),
    ["Plain words", "{not JSON}", "null"],
  );
  const broken = ["say", "tell", "join", "nick", "away", "silent", "topic", "who", "rooms"];
  server.tell(...broken.map((type) => ({ type })), { type: "history", room: "lobby", messages: 5 });
  server.tell({ type: "who", room: "lobby", members: [null, {}, { name: "ben" }] }, said(2, "two"));
  server.tell(said(3, "three"), said(3, "three"));
  await window.sees("three");
  assertEquals(await window.texts(), ["one", "two", "three"]);
  assertEquals(window.problems, []);
});

await testWith(
  CHROMIUM,
  "The page asks for a token, and sends it before anything else",
  async () => {
    await using browser = await chromium.connect();
    await using server = new ScriptedServer(() => {}, (server, line) => {
      if (line === "/json") server.refuse();
    });
    const window = await browser.open(server.url);
    await window.state("Not admitted");
    assertEquals(await window.focused(), "token");
    // Nothing was wrong yet, and there is nobody to write to.
    assertEquals(await visible(window), ["Help", "Token", "Join"]);
    assert(!(await window.value<string>("document.body.innerText")).includes("wrong"));
    await window.page.keyboard.sendCharacter("open sesame");
    await press(window, "Enter");
    const heard = [await server.next(), await server.next()];
    // What was sent before the refusal was read.
    if (heard[0] === "/json") heard.push(await server.next());
    assertEquals(heard.filter((text, i) => text !== "/json" || i > 0), ["open sesame", "/json"]);
    await window.state("Not admitted");
    await window.until("document.querySelector('#ask').innerText.includes('missing or wrong')");
    assertEquals(await window.focused(), "token");
    assertEquals(await visible(window), ["Help", "Token", "Join"]);
    const kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])";
    assert(!(await window.value<string>(kept)).includes("sesame"));
  },
);

await testWith(
  CHROMIUM,
  "The page lets one write at once, where that brings up no keyboard",
  async () => {
    await using browser = await chromium.connect();
    await using server = openServer();
    const [desktop, phone] = await Promise.all([
      browser.open(server.url),
      browser.open(server.url, { width: 390, height: 844, phone: true }),
    ]);
    await Promise.all([desktop.sees("two"), phone.sees("two")]);
    assertEquals(await desktop.focused(), "line");
    assertEquals(await phone.value("document.activeElement === document.body"), true);
  },
);

await testWith(CHROMIUM, "The page goes from the token to the message line", async () => {
  await using browser = await chromium.connect();
  let attempts = 0;
  await using server = new ScriptedServer(() => {}, (server, line) => {
    if (line !== "/json") return;
    if (attempts++ === 0) server.refuse();
    else server.tell(WELCOME, WHO, ROOMS, HISTORY);
  });
  const window = await browser.open(server.url);
  await window.state("Not admitted");
  await window.page.keyboard.sendCharacter("open sesame");
  await press(window, "Enter");
  await window.state("Connected");
  assertEquals(await window.focused(), "line");
  await press(window, "h", "i");
  assertEquals(await window.value(LINE), "hi");
});

await testWith(CHROMIUM, "The page shows one's own name whole", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  for (const name of ["guest-12345", "W".repeat(32)]) {
    server.tell({ type: "nick", from: "ada", to: name, time: 0 }, { ...WELCOME, name });
    await window.until(`document.querySelector("#my-name").textContent === "${name}"`);
    const cut = `[document.querySelector("#my-name"), document.querySelector("#my-name").parentNode]
      .some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)`;
    assertEquals(await window.value(cut), false, name);
  }
});

await testWith(CHROMIUM, "The page keeps the newest 1000 entries", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  server.tell(...Array.from({ length: 1200 }, (_, i) => said(i + 3, `number ${i + 3}`)));
  await window.sees("number 1202");
  const texts = await window.texts();
  assertEquals([texts.length, texts[0], texts.at(-1)], [1000, "number 203", "number 1202"]);
  const below = await window.value<number>(`(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector("#scroller");
    return scrollHeight - scrollTop - clientHeight;
  })()`);
  assert(below <= 1, `${below} pixels are below what is in sight`);
});

await testWith(CHROMIUM, "The page keeps what the server did not take, and says so", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  await window.type("too loud");
  while (await server.next() !== "too loud");
  server.tell({ type: "notice", text: "You write too fast.", error: true });
  const rows = "[...document.querySelectorAll('#outbox li')].map(({ innerText }) => innerText)";
  await window.until(`${rows}.length === 1`);
  assertEquals(await window.value(rows), ["Not taken\ntoo loud\nSend again\nDiscard"]);
  await window.page.click("#outbox button");
  assertEquals(await server.next(), "too loud");
  server.tell(said(3, "too loud", "ada"));
  await window.until("document.querySelector('#outbox').hidden");

  await window.type("on its way");
  while (await server.next() !== "on its way");
  server.hangUp();
  // It is not known whether the message arrived: the history tells.
  await window.until(`${rows}.length === 1 || document.querySelector("#banner").hidden`);
  await window.state("Connected");
  await window.until(`${rows}[0] === "Perhaps not delivered\\non its way\\nSend again\\nDiscard"`);
  assertEquals(await window.texts(), ["one", "two", "too loud"]);
});

await testWith(CHROMIUM, "The page can be used with the keyboard alone", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  assertEquals(await window.focused(), "line");
  await window.page.focus("#help-button");
  await press(window, "Shift+Tab");
  assertEquals(await window.focused(), "Skip to the message line");
  await press(window, "Enter");
  assertEquals(await window.focused(), "line");

  await window.page.keyboard.type("/his");
  await press(window, "Tab");
  assertEquals(await window.value(LINE), "/history ");
  await press(window, "Escape");
  assertEquals(await window.value(LINE), "/his");
  await press(window, "Shift+Tab");
  assertEquals(await window.focused(), "scroller");
  await press(window, "Tab", "Control+A", "Backspace");
  await window.page.keyboard.type("ad");
  await press(window, "Tab");
  assertEquals(await window.value(LINE), "adam: ");
  await window.page.keyboard.type("hi");
  await press(window, "Enter");
  while (await server.next() !== "adam: hi");
  server.tell(said(3, "adam: hi", "ada"));
  await window.sees("adam: hi");

  await window.page.keyboard.type("draft");
  await press(window, "ArrowUp");
  assertEquals(await window.value(LINE), "adam: hi");
  await press(window, "ArrowDown");
  assertEquals(await window.value(LINE), "draft");
  await press(window, "Tab");
  assertEquals(await window.focused(), "Send");

  await press(window, "Control+/");
  assertEquals(await window.value("document.querySelector('#help').open"), true);
  await press(window, "Escape");
  assertEquals(await window.value("document.querySelector('#help').open"), false);
  // Nobody is caught: from any place Tab comes round to the skip link.
  const places = new Set<string>();
  for (let i = 0; i < 30 && !places.has("Skip to the message line"); i++) {
    await press(window, "Tab");
    places.add(await window.focused());
  }
  assert(places.has("Skip to the message line"), [...places].join());
  assertEquals(window.problems, []);
});

await testWith(CHROMIUM, "The page has roles and names for screen readers", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  const window = await browser.open(server.url);
  await window.sees("two");
  const tree = await window.page.accessibility.snapshot({ interestingOnly: false });
  const found: string[] = [];
  type Node = NonNullable<typeof tree>;
  const walk = (node: Node) => {
    found.push(`${node.role}: ${node.name ?? ""}`);
    for (const child of node.children ?? []) walk(child);
  };
  assert(tree);
  walk(tree);
  for (
    const wanted of [
      "banner: ",
      "main: ",
      "complementary: Rooms and people",
      "navigation: Rooms",
      "region: People (3)",
      "region: Messages of this room",
      "log: Messages",
      "status: ",
      "heading: #lobby",
      "textbox: Message or command",
      "button: Send",
      "button: #lobby 3",
      "button: ben away",
      "button: ada operator, you",
      "button: adam silent",
    ]
  ) assert(found.includes(wanted), `no "${wanted}" in ${found.join("; ")}`);
  // History is not read out; what is said from now on is.
  await window.until("document.querySelector('[role=log]').ariaLive === 'polite'");
  assertEquals(
    await window.value("document.querySelector('[role=status]').textContent"),
    "Connected",
  );
});

/** The contrast of each text with what is behind it, the lowest first, over all hues of names. */
const CONTRAST = `(() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const of = (element) => getComputedStyle(element);
  const back = [document.body, document.querySelector("#side"), document.querySelector(".mention")];
  const name = document.querySelector(".entry .name");
  const quiet = document.querySelector(".entry time");
  const texts = [of(document.body).color, of(quiet).color];
  for (let hue = 0; hue < 360; hue += 15) {
    name.style.setProperty("--hue", hue);
    texts.push(of(name).color);
  }
  return Math.min(...back.flatMap((element) =>
    texts.map((text) => contrast(light(text), light(of(element).backgroundColor)))));
})()`;

await testWith(CHROMIUM, "The page is readable in both schemes and on a phone", async () => {
  await using browser = await chromium.connect();
  await using server = openServer();
  for (const scheme of ["light", "dark"] as const) {
    const window = await browser.open(server.url, { scheme });
    await window.sees("two");
    server.tell(said(3, "ada: look"));
    await window.until("document.querySelector('.mention')");
    const contrast = await window.value<number>(CONTRAST);
    assert(contrast >= 4.5, `${contrast} in the ${scheme} scheme`);
    await window.page.close();
  }
  const phone = await browser.open(server.url, { width: 360, height: 640, phone: true });
  await phone.sees("two");
  const side = "getComputedStyle(document.querySelector('#side')).visibility";
  assertEquals(await phone.value(side), "hidden");
  assertEquals(
    await phone.value("getComputedStyle(document.querySelector('#line')).fontSize"),
    "16px",
  );
  await phone.page.click("#menu");
  await phone.until(`${side} === "visible"`);
  assertEquals(await phone.value("document.querySelector('main').inert"), true);
  await press(phone, "Escape");
  await phone.until(`${side} === "hidden"`);
  assertEquals(await phone.focused(), "menu");
  const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  assertEquals(await phone.value(overflow), 0);
  assertEquals(phone.problems, []);
});
