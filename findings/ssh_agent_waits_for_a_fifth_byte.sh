#!/usr/bin/env bash
# ssh-agent looks at the length of a request when a fifth byte has come.
#
# Version: ssh-agent of OpenSSH 9.2p1 (Debian 12), needs bash, Python 3 and the package openssh-client.
#
# A request is a length of 4 bytes and as many bytes. One would expect a length that cannot be to be refused
# when its 4 bytes are there: 0, which no request has, and what is above the limit of 256 KiB.
#
# Seen: after any 4 bytes ssh-agent waits. At the next byte it closes, without an answer, if the length is 0
# or above the limit. So a request that follows an empty one is what ends the connection.
#
#   length 0:            waits; after a byte more: closed
#   length 262145:       waits; after a byte more: closed
#   length 262144:       waits; after a byte more: waits
#   length 1:            waits; after a byte more: answers
set -euo pipefail
folder=$(mktemp -d)
agent=
trap 'if [ -n "$agent" ]; then kill "$agent"; wait "$agent" || true; fi; rm -rf "$folder"' EXIT
ssh -V 2>&1

ssh-agent -D -a "$folder/socket" >/dev/null 2>&1 &
agent=$!
until [ -S "$folder/socket" ]; do sleep 0.1; done

# Sends a length and then a byte, and says what the agent does after each.
talk() {
  python3 - "$folder/socket" "$1" <<'END'
import socket, struct, sys
def state(peer):
    try:
        return "answers" if peer.recv(4096) else "closed"
    except TimeoutError:
        return "waits"
    except ConnectionError:
        return "closed"
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(0.5)
peer.connect(sys.argv[1])
peer.sendall(struct.pack(">I", int(sys.argv[2])))
first = state(peer)
peer.sendall(b"\x0b")
print(f"{first}; after a byte more: {state(peer)}")
END
}

status=0
expect() {
  local length=$1 wanted=$2 seen
  seen=$(talk "$length")
  printf '%-20s %s\n' "length $length:" "$seen"
  [ "$seen" = "$wanted" ] || { echo "  expected: $wanted"; status=1; }
}
expect 0 "waits; after a byte more: closed"
expect 262145 "waits; after a byte more: closed"
expect 262144 "waits; after a byte more: waits"
expect 1 "waits; after a byte more: answers"
exit $status
