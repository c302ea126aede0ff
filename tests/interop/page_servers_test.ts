/** The chat's page in a browser, with several servers of one chat: it goes on where one is left. */

import { assertEquals } from "@std/assert";
import { SharedBrowser } from "../support/browser.ts";
import { freePort } from "../support/free_port.ts";
import { RunningServer } from "../support/program.ts";
import { Broker } from "./chat_cluster_world.ts";
import { engine, testWith } from "./engines/engine.ts";

const BOTH = engine("NATS and Chromium", { commands: ["nats-server", "chromium"] });

const chromium = new SharedBrowser();

await testWith(
  BOTH,
  "The page goes on at another server with its name, its room and all that was said",
  async () => {
    await using broker = await Broker.start();
    await using browser = await chromium.connect();
    const [own, next, far] = [freePort(), freePort(), freePort()];
    const start = (port: number) =>
      RunningServer.start([
        ...[`ws://127.0.0.1:${port}`, "--cluster", broker.address],
        ...["--page-servers", `ws://127.0.0.1:${own},ws://127.0.0.1:${next}`],
        ...["--origin", `http://127.0.0.1:${own}`],
      ]);
    await using first = await start(own);
    await using _third = await start(far);
    const one = await browser.open(`http://127.0.0.1:${own}/`);
    const two = await browser.open(`http://127.0.0.1:${far}/`);
    await Promise.all([one.state("Connected"), two.state("Connected")]);
    await one.takeName("ada");
    await two.takeName("ben");
    await one.join("dev");
    await two.join("dev");
    await one.type("before");
    await Promise.all([one.sees("before"), two.sees("before")]);

    first.kill("SIGKILL");
    await first.ended();
    await one.until("!document.querySelector('#banner').hidden");
    await two.type("meanwhile");
    await two.sees("meanwhile");
    assertEquals(await one.texts(), ["before"]);

    await using _second = await start(next);
    await one.value("dispatchEvent(new Event('online'))");
    await one.state("Connected");
    await one.sees("meanwhile");
    // Perhaps before the others have noticed that the server is gone: it has the key.
    await one.until("document.querySelector('#my-name').textContent === 'ada'");
    await one.type("afterwards");
    await Promise.all([one.sees("afterwards"), two.sees("afterwards")]);
    const said = ["before", "meanwhile", "afterwards"];
    assertEquals([await one.texts(), await two.texts()], [said, said]);
    assertEquals(await one.value("document.querySelector('h1').textContent"), "#dev");
    await two.until("document.querySelector('#people').innerText.includes('ada')");
    const refused = (problem: string) => problem.includes("ERR_CONNECTION_REFUSED");
    assertEquals(one.problems.filter((problem) => !refused(problem)), []);
    assertEquals(two.problems, []);
  },
);

await testWith(
  BOTH,
  "The page may connect to the servers that it names, and to no other",
  async () => {
    await using browser = await chromium.connect();
    const port = freePort();
    const origin = `http://127.0.0.1:${port}`;
    await using named = await RunningServer.start(["ws://127.0.0.1:0", "--origin", origin]);
    await using other = await RunningServer.start(["ws://127.0.0.1:0", "--origin", origin]);
    await using stranger = await RunningServer.start(["ws://127.0.0.1:0"]);
    const servers = `${named.endpoints[0]},${stranger.endpoints[0]}`;
    await using _own = await RunningServer.start([
      `ws://127.0.0.1:${port}`,
      "--page-servers",
      servers,
    ]);
    const window = await browser.open(origin);
    await window.state("Connected");
    const opened = `new Promise((resolve) => {
    new WebSocket("${named.endpoints[0]}").onopen = ({ target }) => resolve(target.url);
  })`;
    assertEquals(await window.value(opened), named.endpoints[0]);
    const blocked = `new Promise((resolve) => {
    addEventListener("securitypolicyviolation", ({ blockedURI }) => resolve(blockedURI));
    new WebSocket("${other.endpoints[0]}");
  })`;
    assertEquals(await window.value(blocked), other.endpoints[0]);

    // A server that does not name the origin of this page with --origin lets nobody in from it.
    await window.value(`void new WebSocket("${stranger.endpoints[0]}")`);
    await stranger.logLine(new RegExp(`origin ${origin} is not that of this server`));
  },
);
