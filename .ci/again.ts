/**
 * Runs the tests that failed once more, by themselves: `again.ts LOG ROOT`, with what `deno task test`
 * printed, and where its tests are. Exits with 0 when all of them pass now.
 *
 * A machine that others use may be late at any moment, and a test that waits for something real fails
 * then without a fault. A fault of ours fails again. What fails the first time is named in either case,
 * and is a bug of the test at least.
 */

/** Many failures are no accident. */
const MOST = 5;

const [log, root] = Deno.args;
const lines = (await Deno.readTextFile(log)).split("\n");

/** Those of the closing list "FAILURES", by name and by file. */
const failures = lines
  .slice(
    lines.lastIndexOf(" FAILURES ") + 1,
    lines.findLastIndex((line) => /^FAILED \|/.test(line)),
  )
  .filter((line) => line !== "");
const names = new Set<string>();
const files = new Set<string>();
for (const failure of failures) {
  const [, name, file] = /^(.*?)(?: \.\.\. .*)? => (.*):\d+:\d+$/.exec(failure) ?? [];
  if (name === undefined) stop(`${failure}: not a test's failure`);
  names.add(name);
  // A test may be made by a function that several files use.
  files.add(file.endsWith("_test.ts") ? file : root);
}
if (names.size === 0) stop("no test failed");
if (names.size > MOST) stop(`${names.size} tests failed`);

console.log(`\nonce more: ${[...names].join(", ")}`);
const filter = `/^(${[...names].map(RegExp.escape).join("|")})$/`;
const { success } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--filter", filter, ...(files.has(root) ? [root] : files)],
}).spawn().status;
if (!success) Deno.exit(1);

function stop(why: string): never {
  console.log(`not once more: ${why}`);
  Deno.exit(1);
}
