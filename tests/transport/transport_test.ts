import { conformance } from "../support/transport_conformance.ts";

conformance({ name: "tcp", endpoint: () => "tcp://127.0.0.1:0" });

conformance({ name: "ws", endpoint: () => "ws://127.0.0.1:0" });

let sockets = 0;
const directory = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

let names = 0;
conformance({ name: "memory", endpoint: () => `memory:conformance-${++names}` });

conformance({
  name: "unix",
  endpoint: () => `unix:${directory}/${++sockets}.sock`,
});
