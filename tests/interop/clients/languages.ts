/** The clients in other languages, with their drivers. */

import type { Peer } from "../peers.ts";

const FOLDER = import.meta.dirname!;
const FRAMINGS = ["u32be", "u32le", "u24be", "u64be", "varint"];

/** The source of the client in C#. */
export const CSHARP_CLIENT: string =
  new URL("../../../clients/csharp/Lengthwise.cs", import.meta.url).pathname;

/** clients/python */
export const PYTHON: Peer = {
  name: "Python",
  probe: ["/usr/bin/python3", "--version"],
  framings: FRAMINGS,
  command: () => ["/usr/bin/python3", "-X", "dev", `${FOLDER}/driver.py`],
};

/** clients/go */
export const GO: Peer = {
  name: "Go",
  probe: ["go", "version"],
  framings: FRAMINGS,
  compile: (directory) => [
    ...["sh", "-c", 'cd "$0" && exec go build -o "$1" .'],
    ...[`${FOLDER}/go`, `${directory}/driver`],
  ],
  command: (directory) => [`${directory}/driver`],
};

/** clients/csharp */
export const CSHARP: Peer = {
  name: "C#",
  probe: ["mcs", "--version"],
  framings: FRAMINGS,
  compile: (directory) => [
    ...["mcs", "-langversion:7", "-codepage:utf8", "-r:Mono.Security"],
    ...[`-out:${directory}/Driver.exe`, CSHARP_CLIENT, `${FOLDER}/Driver.cs`],
  ],
  command: (directory) => ["mono", `${directory}/Driver.exe`],
};
