#!/usr/bin/env bash
# RabbitMQ delivers MQTT messages under other topics than they were published to.
#
# Versions: RabbitMQ 3.10.8 with its plugin rabbitmq_mqtt, Mosquitto 2.0.11 (Debian 12), needs bash, Python 3 and the
# packages rabbitmq-server and mosquitto.
#
# Two MQTT clients meet at a broker. In MQTT 3.1.1 (4.7) levels are separated by `/`, the wildcards are `+` and
# `#`, and a dot or an asterisk are characters like others. One would expect a message for `v1.2/x` to arrive as
# `v1.2/x`, and only subscribers of just that, or of a wildcard that fits, to get it. Mosquitto does that.
#
# Seen: RabbitMQ writes `.` for `/` and `*` for `+` inside, and the other way round when it delivers, without
# looking whether they were there before. So `v1.2/x` arrives as `v1/2/x`, and `a/*` as `a/+`, which is not a legal
# topic of a message. A subscriber of `a/b` gets what was for `a.b`, one of `a/*` gets `a/b`, and one
# of `a/+` does not get `a/x.y`. Nothing is refused.
#
#   subscribed  published   Mosquitto   RabbitMQ
#   a/b         a/b         a/b         a/b
#   #           v1.2/x      v1.2/x      v1/2/x
#   #           a/*         a/*         a/+
#   a/b         a.b         nothing     a/b
#   a/*         a/b         nothing     a/b
#   a/+         a/x.y       a/x.y       nothing
set -euo pipefail
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
started=()
names=
stop() {
  for process in "${started[@]}"; do
    kill "$process" || true
    wait "$process" || true
  done
  # The list of names on a port of its own, which RabbitMQ has started and leaves.
  if [ -n "$names" ]; then epmd -port "$names" -kill >/dev/null || true; fi
  rm -rf "$folder"
}
trap stop EXIT
dpkg-query -W mosquitto rabbitmq-server

read -r mosquitto rabbitmq amqp distribution names < <(python3 - <<'END_PYTHON'
import socket
kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[one.getsockname()[1] for one in kept])
END_PYTHON
)
mosquitto -p "$mosquitto" >/dev/null 2>&1 & started+=($!)

export ERL_EPMD_PORT=$names ERL_EPMD_ADDRESS=127.0.0.1
export HOME=$folder RABBITMQ_NODENAME=finding@localhost RABBITMQ_DIST_PORT=$distribution
export RABBITMQ_MNESIA_BASE=$folder/data RABBITMQ_LOG_BASE=$folder/log RABBITMQ_PID_FILE=$folder/pid
export RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=$folder/plugins
export RABBITMQ_CONF_ENV_FILE=$folder/environment
touch "$folder/environment"
echo "[rabbitmq_mqtt]." >"$folder/plugins"
printf '%s\n' "listeners.tcp.1 = 127.0.0.1:$amqp" "mqtt.listeners.tcp.1 = 127.0.0.1:$rabbitmq" >"$folder/rabbitmq.conf"
/usr/lib/rabbitmq/bin/rabbitmq-server >"$folder/output" 2>&1 & started=($! "${started[@]}")

# Subscribes to a filter, publishes to a topic from another client, and prints the topic that came.
cat >"$folder/meet.py" <<'END_PYTHON'
import socket, struct, sys, time
port, wanted, topic = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def text(string): return struct.pack(">H", len(string)) + string.encode()
def packet(kind, content): return bytes([kind, len(content)]) + content
def receive(peer):
    head = peer.recv(2, socket.MSG_WAITALL)
    return peer.recv(head[1], socket.MSG_WAITALL)
def join(name):
    peer = socket.create_connection(("127.0.0.1", port), 10)
    login = b"\x04\xc2\x00\x3c" + text(name) + text("guest") + text("guest")
    peer.sendall(packet(0x10, text("MQTT") + login))
    assert receive(peer) == b"\0\0"
    return peer
subscriber, publisher = join("subscriber"), join("publisher")
subscriber.sendall(packet(0x82, b"\0\1" + text(wanted) + b"\0"))
assert receive(subscriber) == b"\0\1\0"
publisher.sendall(packet(0x30, text(topic) + b"hello"))
subscriber.settimeout(1)
try:
    message = receive(subscriber)
    print(message[2:-5].decode())
except TimeoutError:
    print("nothing")
for peer in (subscriber, publisher): peer.sendall(packet(0xe0, b""))
END_PYTHON
until (: </dev/tcp/127.0.0.1/"$mosquitto" && : </dev/tcp/127.0.0.1/"$rabbitmq") 2>/dev/null; do
  kill -0 "${started[0]}" || { cat "$folder/output"; exit 1; }
  sleep 0.2
done

status=0
row() { printf '%-11s %-11s %-11s %s\n' "$@"; }
row subscribed published Mosquitto RabbitMQ
expect() {
  local first second
  first=$(python3 "$folder/meet.py" "$mosquitto" "$1" "$2")
  second=$(python3 "$folder/meet.py" "$rabbitmq" "$1" "$2")
  row "$1" "$2" "$first" "$second"
  [ "$first, $second" = "$3, $4" ] || { echo "  expected: $3, $4"; status=1; }
}
expect a/b a/b a/b a/b
expect "#" v1.2/x v1.2/x v1/2/x
expect "#" "a/*" "a/*" a/+
expect a/b a.b nothing a/b
expect "a/*" a/b nothing a/b
expect a/+ a/x.y a/x.y nothing
exit $status
