/** The chat's page in a browser has its name again after an outage, also where the server knows of none. */

import { assertEquals } from "@std/assert";
import { writeAll } from "../../internal/bytes.ts";
import { CHROMIUM, SharedBrowser } from "../support/browser.ts";
import { RunningServer } from "../support/program.ts";
import { testWith } from "./peers.ts";

const chromium = new SharedBrowser();

/** Carries connections to a server, until their near ends are cut and the server is told of nothing. */
class Cable implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #near = new Set<Deno.Conn>();
  readonly #far = new Set<Deno.Conn>();
  #serving: Promise<void> | undefined;

  /** The near end. */
  get port(): number {
    return this.#listener.addr.port;
  }

  to(port: number): void {
    this.#serving = this.#serve(port);
  }

  cut(): void {
    for (const conn of this.#near) conn.close();
    this.#near.clear();
  }

  async #serve(port: number): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const near of this.#listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#near.add(near);
      this.#far.add(far);
      passing.push(pass(near, far), pass(far, near));
    }
    await Promise.all(passing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const conn of this.#far) conn.close();
    this.#listener.close();
    await this.#serving;
  }
}

/** Nobody is told when one end is gone. */
async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  try {
    for (let read; (read = await from.read(chunk)) !== null;) {
      await writeAll(to, chunk.subarray(0, read));
    }
  } catch {
    // It was cut.
  }
}

await testWith(
  CHROMIUM,
  "The page has its name again at once, although its lost connection still has it",
  async () => {
    await using cable = new Cable();
    const origin = `http://127.0.0.1:${cable.port}`;
    // Among servers that know nothing of each other, the page has no session, which would just go on.
    const others = ["--page-servers", "ws://b.example"];
    await using server = await RunningServer.start([
      ...["ws://127.0.0.1:0", "--origin", origin],
      ...others,
    ]);
    cable.to(Number(new URL(server.endpoints[0]).port));
    await using browser = await chromium.connect();
    const other = await browser.open(server.endpoints[0].replace("ws:", "http:"));
    const window = await browser.open(`${origin}/`);
    await Promise.all([other.state("Connected"), window.state("Connected")]);
    await window.takeName("ada");
    await window.type("before");
    await other.sees("before");

    cable.cut();
    await window.until("document.body.innerText.split('You are ada now.').length === 3");
    await other.until("document.body.innerText.includes('ada left.')");
    await window.type("after");
    await other.sees("after");
    await window.sees("after");
    const authors = `[...document.querySelectorAll("[role=log] .entry:not(.notice)")]
      .map(({ dataset }) => dataset.author)`;
    assertEquals(await other.value(authors), ["say ada", "say ada"]);
    assertEquals((await other.people()).filter((name) => name.includes("ada")), ["ada"]);
    assertEquals([await window.texts(), await other.texts()], [
      ["before", "after"],
      ["before", "after"],
    ]);
    assertEquals(await window.value("document.body.innerText.includes('Your key')"), false);
  },
);
