#!/usr/bin/env bash
# nginx as a TCP proxy drops the answer of a client that has ended its own direction, and ends in order.
#
# Versions: nginx 1.22.1, HAProxy 2.6.12, socat 1.7.4.4 (Debian 12), needs bash, Python 3 and the packages nginx,
# libnginx-mod-stream, haproxy and socat.
#
# A client sends its request, ends its direction (shutdown(), a FIN) and reads the answer to the end. Much that
# speaks TCP does so, `nc -N` with a pipe for one. One would expect a TCP proxy to hand on the end as it
# hands on the bytes, and the client to get the answer.
#
# Seen: at the client's end nginx closes both connections. An answer that has not begun is lost, and of one that
# is on its way the client gets a part; either way it reads an ordinary end, so that nothing tells it that
# bytes are missing. The server got the whole request. `proxy_half_close on` (since 1.21.4, off by default) does
# what one expects, and so do HAProxy and socat.
#
#                               a short answer    an answer of 50000000 bytes
#   without a proxy             7 bytes           50000000 bytes
#   nginx                       0 bytes           a part
#   nginx, proxy_half_close on  7 bytes           50000000 bytes
#   HAProxy                     7 bytes           50000000 bytes
#   socat                       7 bytes           50000000 bytes
set -euo pipefail
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
started=()
stop() {
  for process in "${started[@]}"; do
    kill "$process" || true
    wait "$process" || true
  done
  rm -rf "$folder"
}
trap stop EXIT
nginx -v 2>&1
haproxy -v | sed -n 1p

read -r server default half haproxy socat < <(python3 - <<'END_PYTHON'
import socket
kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[one.getsockname()[1] for one in kept])
END_PYTHON
)

# Reads a request to its end and answers it after 0.3 s: "short" with 7 bytes, "long" at once with 50 000 000.
cat >"$folder/server.py" <<'END_PYTHON'
import socket, sys, threading, time
def serve(peer):
    try:
        if peer.recv(5) == b"long\n":
            peer.sendall(bytes(50_000_000))
        else:
            while peer.recv(65536): pass
            time.sleep(0.3)
            peer.sendall(b"answer\n")
    except ConnectionError:
        pass
    peer.close()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END_PYTHON
# Ends its direction when the request is sent and, for the long answer, when its first bytes are there.
cat >"$folder/client.py" <<'END_PYTHON'
import socket, sys
for attempt in range(100):
    try: peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10); break
    except ConnectionRefusedError: __import__("time").sleep(0.1)
request = sys.argv[2]
peer.sendall(request.encode() + b"\n")
came = len(peer.recv(1000)) if request == "long" else 0
peer.shutdown(socket.SHUT_WR)
while chunk := peer.recv(65536): came += len(chunk)
print("a part" if request == "long" and 0 < came < 50_000_000 else f"{came} bytes")
END_PYTHON
cat >"$folder/nginx.conf" <<END_CONF
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log stderr crit;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {}
stream {
  server { listen 127.0.0.1:$default; proxy_pass 127.0.0.1:$server; }
  server { listen 127.0.0.1:$half; proxy_pass 127.0.0.1:$server; proxy_half_close on; }
}
END_CONF
cat >"$folder/haproxy.cfg" <<END_CONF
defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
listen proxy
  bind 127.0.0.1:$haproxy
  server one 127.0.0.1:$server
END_CONF
python3 "$folder/server.py" "$server" & started+=($!)
nginx -p "$folder" -c "$folder/nginx.conf" 2>/dev/null & started+=($!)
haproxy -db -f "$folder/haproxy.cfg" >/dev/null 2>&1 & started+=($!)
socat "TCP-LISTEN:$socat,bind=127.0.0.1,fork,reuseaddr" "TCP:127.0.0.1:$server" & started+=($!)

status=0
printf '%-27s %-17s %s\n' "" "a short answer" "an answer of 50000000 bytes"
expect() {
  local label=$1 port=$2 short long
  short=$(python3 "$folder/client.py" "$port" short)
  long=$(python3 "$folder/client.py" "$port" long)
  printf '%-27s %-17s %s\n' "$label" "$short" "$long"
  [ "$short, $long" = "$3" ] || { echo "  expected: $3"; status=1; }
}
whole="7 bytes, 50000000 bytes"
expect "without a proxy" "$server" "$whole"
expect nginx "$default" "0 bytes, a part"
expect "nginx, proxy_half_close on" "$half" "$whole"
expect HAProxy "$haproxy" "$whole"
expect socat "$socat" "$whole"
exit $status
