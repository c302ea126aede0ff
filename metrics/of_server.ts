/** The metrics of a server. docs/metrics.md says when to worry. */

import type { ServerStats, Times } from "../listen/listen.ts";
import type { Family, HistogramSample, Sample } from "./family.ts";

/** The metrics that the counts of a server are. */
export function familiesOf(stats: ServerStats): Family[] {
  return [...connections(stats), ...traffic(stats), ...trouble(stats)];
}

function connections(stats: ServerStats): Family[] {
  return [
    gauge("connections", "Connections that are open now.", stats.open),
    counter("connections_accepted", "Connections that came in.", stats.accepted),
    counters(
      "connections_refused",
      "Connections that were turned away, by reason.",
      by("reason", stats.refusals),
    ),
    counters(
      "connections_ended",
      "Connections that have ended, by reason.",
      by("reason", stats.ended),
    ),
    histogram("connection_duration", "How long connections were open.", stats.lifetimes),
    histogram(
      "round_trip",
      "Time from a heartbeat of a session or a ping of a WebSocket to its answer.",
      stats.roundTripTimes,
    ),
    counter("session_resumes", "How often sessions went on over another carrier.", stats.resumes),
  ];
}

function traffic(stats: ServerStats): Family[] {
  const { messagesReceived, messagesSent, bytesReceived, bytesSent } = stats;
  return [
    counters(
      "messages",
      "Messages that went each way.",
      by("direction", { in: messagesReceived, out: messagesSent }),
    ),
    bytes(
      counters(
        "transferred",
        "Bytes that went each way, with the headers of messages.",
        by("direction", { in: bytesReceived, out: bytesSent }),
      ),
    ),
    bytes(gauge("buffered", "Bytes that wait to be written.", stats.bufferedBytes)),
    bytes(gauge("unread", "Bytes of messages that wait to be read.", stats.unreadBytes)),
    gauge("unread_messages", "Messages that wait to be read.", stats.unreadMessages),
  ];
}

function trouble(stats: ServerStats): Family[] {
  return [
    counters("messages_dropped", "Messages that were dropped, by cause.", by("cause", stats.drops)),
    bytes(
      counter(
        "undelivered",
        "Bytes that were sent and had not left when their connection ended.",
        stats.undeliveredBytes,
      ),
    ),
    bytes(
      counter(
        "discarded",
        "Bytes that had arrived and were not read, because this end closed.",
        stats.discardedBytes,
      ),
    ),
    counter("accept_errors", "How often accepting failed.", stats.acceptErrors),
    counter("handler_errors", "Handlers that ended in an error.", stats.handlerErrors),
  ];
}

function gauge(name: string, help: string, value: number): Family {
  return { name: `lengthwise_${name}`, type: "gauge", help, samples: [{ value }] };
}

function counter(name: string, help: string, value: number): Family {
  return counters(name, help, [{ value }]);
}

function counters(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `lengthwise_${name}`, type: "counter", help, samples };
}

function bytes(family: Family): Family {
  return { ...family, name: `${family.name}_bytes`, unit: "bytes" };
}

function histogram(name: string, help: string, times: Times): Family {
  const histograms = [inSeconds(times)];
  return {
    name: `lengthwise_${name}_seconds`,
    type: "histogram",
    help,
    unit: "seconds",
    histograms,
  };
}

/** Times in Prometheus' unit. */
export function inSeconds({ bounds, counts, sum }: Times): HistogramSample {
  return { bounds: bounds.map((bound) => bound / 1000), counts, sum: sum / 1000 };
}

function by(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
