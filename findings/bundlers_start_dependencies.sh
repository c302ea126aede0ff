#!/usr/bin/env bash
# Bundlers merge `import.meta.main` of a dependency into the bundle, so that bundling starts programs.
#
# Versions: esbuild 0.28.2, Rollup 4.68.8, Rolldown 1.3.3, Deno 2.9.6 (all from npm).
#
# A module may be a program too: `if (import.meta.main) start();` runs when the file itself is started, and
# does not when it is imported (Deno, Bun, Node 24.2 and newer). An application that imports such a
# module and is then bundled into one file should behave as before.
#
# Seen: esbuild, Rollup and Rolldown leave the words `import.meta.main` of the dependency as they are. In
# the bundle they speak of the bundle itself, which is the main module: the dependency's program starts,
# before the application. None of them warns. `deno bundle` writes `false` there.
#
#   plain       app 42
#   esbuild     the program of the dependency runs | app 42
#   rollup      the program of the dependency runs | app 42
#   rolldown    the program of the dependency runs | app 42
#   deno        app 42
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export NO_COLOR=1

npm init -y >/dev/null
npm install --silent --no-audit --no-fund esbuild@0.28.2 rollup@4.68.8 rolldown@1.3.3 deno@2.9.6 >/dev/null
deno=$folder/node_modules/.bin/deno

cat >dependency.mjs <<'END'
export const answer = 42;
if (import.meta.main) console.log("the program of the dependency runs");
END
cat >app.mjs <<'END'
import { answer } from "./dependency.mjs";
console.log("app", answer);
END

npx esbuild app.mjs --bundle --format=esm --log-level=warning --outfile=esbuild.mjs
npx rollup app.mjs --format es --silent --file rollup.mjs
npx rolldown app.mjs --format esm --file rolldown.mjs >/dev/null
"$deno" bundle --quiet --output deno.mjs app.mjs

# What a file prints, as one line.
prints() { "$deno" run --quiet "$1" | paste -sd '|' - | sed 's/|/ | /g'; }
status=0
expect() {
  local seen
  seen=$(prints "$2")
  printf '%-11s %s\n' "$1" "$seen"
  [ "$seen" = "$3" ] || { echo "  expected: $3"; status=1; }
}
expect plain app.mjs "app 42"
for bundler in esbuild rollup rolldown; do
  expect "$bundler" "$bundler.mjs" "the program of the dependency runs | app 42"
done
expect deno deno.mjs "app 42"
exit $status
