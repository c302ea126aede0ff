/** The server program, with workers of which the first one fails at SIGUSR2: it is told what it does not know. */

import { main } from "../../programs/server/main.ts";

/** The workers, in the order of their start. */
const workers: Worker[] = [];

globalThis.Worker = class extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    workers.push(this);
  }
};

Deno.addSignalListener("SIGUSR2", () => workers[0].postMessage({ do: "nonsense" }));
await main(Deno.args);
