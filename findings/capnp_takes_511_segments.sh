#!/usr/bin/env bash
# Cap'n Proto's C++ takes messages of up to 511 segments, not 512.
#
# Version: capnp 0.9.2 (Debian 12), needs bash, Python 3 and the package capnproto.
#
# A message begins with the number of its segments less one, in 4 bytes. The code and its error speak of 512
# as the limit. One would expect a message of 512 segments to be taken.
#
# Seen: 511 segments are taken, and 512 are refused with "Message has too many segments.": the check is
# "less than 512".
#
#   511 segments:    (x = 7)
#   512 segments:    refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
capnp --version

echo '@0xb4d6b2f1c3a59e87; struct Point { x @0 :Int32; }' >"$folder/point.capnp"

# A message whose first segment has the point, and whose other segments are empty.
message() {
  python3 - "$1" <<'END'
import struct, sys
count = int(sys.argv[1])
table = struct.pack("<II", count - 1, 2) + struct.pack("<I", 0) * (count - 1)
table += bytes(-len(table) % 8)
pointer = struct.pack("<IHH", 0, 1, 0)
sys.stdout.buffer.write(table + pointer + struct.pack("<q", 7))
END
}

status=0
expect() {
  local count=$1 wanted=$2 seen
  if seen=$(message "$count" | capnp convert binary:text "$folder/point.capnp" Point 2>"$folder/error"); then
    seen=$(tr -s ' \n' ' ' <<<"$seen" | sed 's/^ //; s/ $//')
  elif grep -q "too many segments" "$folder/error"; then seen=refused
  else seen=$(cat "$folder/error"); fi
  printf '%-16s %s\n' "$count segments:" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect 511 "(x = 7)"
expect 512 refused
exit $status
