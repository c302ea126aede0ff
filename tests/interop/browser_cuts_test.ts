/** A page's session loses its network, and nothing else. */

import { assertEquals } from "@std/assert";
import { listen } from "../../mod.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { underCuts } from "../support/browser_cuts.ts";
import { ClientPage, respond } from "../support/client_page.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();

for (const place of ["page", "worker"] as const) {
  await testWith(
    CHROMIUM,
    `A session in a ${place} loses no message, and none comes twice, whatever is cut`,
    async () => {
      await using browser = await chromium.connect();
      const { kinds } = await underCuts(browser, { place, messages: 3_000, cuts: 10, seed: 7 });
      assertEquals(kinds, { cut: 2, dark: 2, shut: 2, freeze: 2, offline: 2 });
    },
  );
}

await testWith(
  CHROMIUM,
  "A session in a page goes on as soon as the network is there again, however long it would wait",
  async () => {
    await using server = await listen(
      "ws://127.0.0.1:0?session=1",
      { web: { respond, origins: ["*"] } },
      async (connection) => {
        for await (const message of connection) await connection.send(message);
      },
    );
    const port = Number(/:(\d+)/.exec(server.endpoints[0])![1]);
    await using proxy = new CuttingProxy({ port, seed: 1, cuts: 0, meanBytes: Infinity });
    await using browser = await chromium.connect();
    const page = await ClientPage.open(browser, port);
    await page.run(
      `const { connect, text } = lengthwise;
     const options = { format: text(), session: { retry: () => 3_600_000 } };
     globalThis.session = await connect(args.endpoint, options);`,
      { endpoint: `ws://127.0.0.1:${proxy.port}/` },
    );
    await page.offline(true);
    proxy.cut();
    await page.run(
      `for await (const { state } of globalThis.session.states()) if (state === "reconnecting") return;`,
    );
    await page.run(`globalThis.session.send("sent while there was no network");`);
    await page.offline(false);
    const seen = await page.run(
      `return [await globalThis.session.receive(), globalThis.session.stats.resumes];`,
    );
    assertEquals(seen, ["sent while there was no network", 1]);
  },
);
