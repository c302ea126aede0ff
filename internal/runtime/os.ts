/** The operating system beneath. */

/** What `Deno.build.os` says, or the same word elsewhere; `unknown` in a page. */
export const os: string = osHere();

function osHere(): string {
  const { Deno: deno } = globalThis as { Deno?: { build: { os: string } } };
  if (deno !== undefined) return deno.build.os;
  // Deno would load its Node modules for it.
  const { process } = globalThis as { process?: { platform?: string } };
  const name = process?.platform ?? "unknown";
  return name === "win32" ? "windows" : name;
}
