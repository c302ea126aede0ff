#!/usr/bin/env bash
# rsyslog takes a line of syslog that begins with a digit for a counted one, and tears it and others up.
#
# Version: rsyslog 8.2302.0 (Debian 12), needs bash and the package rsyslog.
#
# RFC 6587 knows two ways to send syslog over TCP: a line up to a newline, and a message behind its length in
# decimal digits and a space. rsyslog takes both on one port. One would expect that a line such as "5 apples",
# which no priority in angle brackets follows, stays a line.
#
# Seen: any line that begins with a digit is a counted one. "5 apples" is taken for 5 bytes, "apple", and the
# rest of the line for a message of its own. "404 not found" waits for 404 bytes: the lines behind it are
# taken into it, and all of them are lost when the connection ends before. A count that is larger than
# rsyslog allows makes a line of it after all, without the space behind the count.
#
#   5 apples               [apple] [s] [<14>next]
#   404 not found          nothing
#   999999999 too many     [999999999too many] [<14>next]
set -euo pipefail
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
daemon=
trap 'if [ -n "$daemon" ]; then kill "$daemon"; wait "$daemon" || true; fi; rm -rf "$folder"' EXIT
rsyslogd -v | sed -n 1p

cat >"$folder/conf" <<END
global(workDirectory="$folder")
module(load="imtcp")
template(name="raw" type="string" string="[%rawmsg%] ")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="$folder/port" ruleset="r")
ruleset(name="r") { action(type="omfile" file="$folder/out" template="raw" flushOnTXEnd="on") }
END
rsyslogd -n -i "$folder/pid" -f "$folder/conf" 2>/dev/null &
daemon=$!
until [ -s "$folder/port" ]; do sleep 0.1; done

status=0
expect() {
  local line=$1 wanted=$2 seen
  : >"$folder/out"
  printf '%s\n<14>next\n' "$line" >"/dev/tcp/127.0.0.1/$(cat "$folder/port")"
  sleep 1
  seen=$(sed 's/ $//' "$folder/out")
  printf '%-22s %s\n' "$line" "${seen:-nothing}"
  [ "${seen:-nothing}" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect "5 apples" "[apple] [s] [<14>next]"
expect "404 not found" "nothing"
expect "999999999 too many" "[999999999too many] [<14>next]"
exit $status
