#!/usr/bin/env bash
# Deno prints the error of a worker that fails, although its owner has handled the event.
#
# Version: Deno 2.9.6 (from npm).
#
# A worker throws. Its owner gets the `error` event and calls `preventDefault()`, which says that the error
# was handled (HTML, "runtime script errors in workers": what was handled is not reported). One would expect
# nothing on stderr, as for an `error` event of the main thread.
#
# Seen: the owner goes on, as it should; but stderr has "error: Uncaught (in worker …)" with the stack. For the
# main thread, `preventDefault()` silences the same.
#
#   worker: handled              1
#   worker: printed all the same 1
#   main: handled                1
#   main: printed                0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno
cat >worker.ts <<'END'
throw new Error("the worker fails");
END
cat >owner.ts <<'END'
const worker = new Worker(import.meta.resolve("./worker.ts"), { type: "module" });
worker.addEventListener("error", (event) => {
  event.preventDefault();
  console.log("handled:", event.message);
});
END
cat >main.ts <<'END'
addEventListener("error", (event) => {
  event.preventDefault();
  console.log("handled:", event.message);
});
setTimeout(() => {
  throw new Error("the main thread fails");
});
END

status=0
check() { # what, expected, seen
  printf '%-28s %s\n' "$1" "$3"
  [ "$2" = "$3" ] || status=1
}
count() { grep -c "$1" "$2" || true; }
"$deno" run --allow-read owner.ts >out 2>err || true
check "worker: handled" 1 "$(count '^handled: ' out)"
check "worker: printed all the same" 1 "$(count 'Uncaught (in worker' err)"
"$deno" run main.ts >out 2>err || true
check "main: handled" 1 "$(count '^handled: ' out)"
check "main: printed" 0 "$(count 'the main thread fails' err)"
exit $status
