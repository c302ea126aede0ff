import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { listen } from "../../mod.ts";
import { runHere } from "../support/in_process.ts";

const RATE = 500;
const SECONDS = 1;
const STALL = 200;
/** How often it is looked whether this process runs, in milliseconds. */
const TICK = 5;

/** For how long this process did nothing, since others had the cores, in milliseconds. */
class Lag implements Disposable {
  total = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.total += Math.max(0, now - this.#last - 2 * TICK);
    this.#last = now;
  }, TICK);

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

Deno.test("bench --rate counts a stall for each message that was due in it, not only for one", async () => {
  let heard = 0;
  let lag = 0;
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    using measured = new Lag();
    for await (const message of connection) {
      if (++heard === RATE * SECONDS / 2) await delay(STALL);
      connection.send(message);
    }
    lag = measured.total;
  });
  const args = ["--rate", `${RATE}`, "--duration", `${SECONDS}s`, "--json"];
  const { code, stdout } = await runHere("client.ts", [server.endpoints[0], "bench", ...args]);
  const result = JSON.parse(stdout);
  assertEquals([code, result.count], [0, RATE * SECONDS]);
  // A fifth of all messages was due in the stall, each with what was left of it: 200 ms down to 0.
  // So 80 % took no time, 10 % took more than 100 ms, and 1 % took more than 190 ms.
  // Who else has the cores makes each take longer by so much at most.
  const within = (name: string, least: number, most: number) => {
    const value = result[name];
    const bound = most + lag;
    assert(value >= least && value <= bound, `${name} is ${value}, not ${least} to ${bound}`);
  };
  within("p50", 0, 60);
  within("p90", 97, 170);
  within("p99", 187, 260);
  within("max", STALL - 3, STALL + 100);
  // Of 100 messages, which took 100 ms on average, among 500.
  within("mean", 19, 60);
});

Deno.test("bench without --rate sees the same stall once, because it waits for it", async () => {
  let heard = 0;
  await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
    for await (const message of connection) {
      if (++heard === 100) await delay(STALL);
      connection.send(message);
    }
  });
  const args = ["--connections", "1", "--count", "1000", "--json"];
  const { stdout } = await runHere("client.ts", [server.endpoints[0], "bench", ...args]);
  const { max, p99 } = JSON.parse(stdout);
  assert(max >= STALL - 3 && p99 < STALL / 2, `max ${max}, p99 ${p99}`);
});
