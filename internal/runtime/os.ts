/** The operating system beneath. */

/** What `Deno.build.os` says, or the same word elsewhere; `unknown` in a page. */
export const os: string = osHere();

function osHere(): string {
  const { Deno: deno, process } = globalThis as {
    Deno?: { build: { os: string } };
    process?: { platform?: string };
  };
  const name = deno?.build.os ?? process?.platform ?? "unknown";
  return name === "win32" ? "windows" : name;
}
