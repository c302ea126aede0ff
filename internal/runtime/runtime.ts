/** Which runtime this is, and what it can. */

/** The parts of the runtimes that tell which one it is. */
interface Global {
  readonly Deno?: { readonly version: { readonly deno: string } };
  readonly process?: { readonly versions?: { readonly node?: string; readonly bun?: string } };
}

/** A runtime. */
export interface Runtime {
  /** Its name. */
  readonly name: "Deno" | "Bun" | "Node" | "browser";
  /** Its version; empty for a browser. */
  readonly version: string;
}

/** The runtime that this is. Where Deno is, `process` is not asked for: it would load Node modules. */
export const runtime: Runtime = runtimeHere();

function runtimeHere(): Runtime {
  const { Deno: deno } = globalThis as Global;
  if (deno !== undefined) return { name: "Deno", version: deno.version.deno };
  const { bun, node } = (globalThis as Global).process?.versions ?? {};
  if (bun !== undefined) return { name: "Bun", version: bun };
  if (node !== undefined) return { name: "Node", version: node };
  return { name: "browser", version: "" };
}

/** The oldest versions that can be used, and why. */
const OLDEST: Readonly<Record<string, readonly [version: string, why: string]>> = {
  Deno: ["2.9.5", 'before 2.9.5 it loses pending writes on close; run "deno upgrade"'],
  Node: ["22.3.0", "22.3 or newer is needed"],
};

/** Throws for a version that is too old. */
export function requireRuntime({ name, version }: Runtime = runtime): void {
  const [oldest, why] = OLDEST[name] ?? ["0"];
  if (isBefore(version, oldest)) throw new Error(`Cannot use ${name} ${version}: ${why}`);
}

function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) => text.split(".").map(Number.parseFloat));
  const at = b.findIndex((number, i) => number !== a[i]);
  return at >= 0 && a[at] < b[at];
}

/** Throws where Deno is not, for what nobody else has. */
export function requireDenoFor(feature: string): void {
  if (runtime.name !== "Deno") throw notHere(feature);
}

/** The error for what this runtime does not have, such as `files`, and why. */
export function notHere(feature: string, why = "only Deno has what it needs"): Error {
  const { name, version } = runtime;
  return new Error(`Cannot use ${feature} in ${`${name} ${version}`.trim()}: ${why}`);
}
