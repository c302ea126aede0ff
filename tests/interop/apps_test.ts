/** Our connections under the apps of others, in Chromium: examples/deno_serve.ts and examples/hono.ts. */

import { assertEquals, assertMatch } from "@std/assert";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { Program, testWith } from "./peers.ts";

const chromium = new SharedBrowser();

/** An example that listens, and where. */
async function start(name: string): Promise<{ url: string } & AsyncDisposable> {
  const path = new URL(`../../examples/${name}`, import.meta.url).pathname;
  const command = `exec "$0" run --allow-net "$1" 0 2>&1`; // Deno tells it on stderr.
  const program = new Program(["sh", "-c", command, Deno.execPath(), path]);
  const said = await program.until("/\n");
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
  assertMatch(url ?? said, /^http/);
  return { url: url!, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

await testWith(CHROMIUM, "examples/deno_serve.ts serves pages and their connections", async () => {
  await using app = await start("deno_serve.ts");
  await using browser = await chromium.connect();
  const windows = [await browser.open(app.url), await browser.open(app.url)];
  for (const window of windows) await window.until(`said.innerText === "You speak shout.v1."`);
  await windows[0].type("hello");
  for (const window of windows) await window.until(`said.innerText.endsWith("HELLO")`);
  assertEquals(windows.flatMap(({ problems }) => problems), []);
});

await testWith(
  CHROMIUM,
  "examples/hono.ts knows who is logged in, and lets in nobody else",
  async () => {
    await using app = await start("hono.ts");
    await using browser = await chromium.connect();
    const ada = await browser.open(`${app.url}login/ada`);
    const bob = await browser.open(`${app.url}login/bob`);
    for (const window of [ada, bob]) await window.until("socket.readyState === WebSocket.OPEN");
    await ada.type("hi");
    for (const window of [ada, bob]) await window.until(`said.textContent === "ada: hi "`);
    const problems = [...ada.problems, ...bob.problems];
    assertEquals(problems.filter((text) => !text.includes("404")), []); // The app has no icon.

    const stranger = await browser.open(app.url);
    const closed = await stranger.value(`new Promise((resolve) => {
    new WebSocket("/live").onclose = ({ code }) => resolve(code);
  })`);
    assertEquals(closed, 1006);
    const headers = { Upgrade: "websocket" };
    const { status, body } = await fetch(`${app.url}live`, { headers });
    await body?.cancel();
    assertEquals(status, 400);
  },
);
