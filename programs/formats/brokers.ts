/** How message brokers frame. */

import type { ProgramFormat } from "./format.ts";

/** MQTT. */
export const MQTT: ProgramFormat = {
  name: "mqtt",
  programs: "MQTT of all versions: Mosquitto, EMQX, HiveMQ and others",
  bytes: "c0 | 00",
  parts: "type and flags, length, content (none here): a ping",
  message: "the whole packet; one whose length is wrong is not sent",
  endpoint: "tcp://127.0.0.1:1883?framing=mqtt",
  order: "little-endian",
  counts: "what follows it, in groups of 7 bits, 1 to 4 bytes",
  limit: 16_777_216,
  above: "Mosquitto takes what 4 bytes can say, 268 435 455 bytes, and closes at a fifth byte",
  version: "Mosquitto 2.0.11",
  surprises: [
    "Mosquitto takes a length that is longer than need be, which the specification forbids.",
  ],
};

/** Kafka. */
export const KAFKA: ProgramFormat = {
  name: "kafka",
  programs: "Kafka, Redpanda",
  bytes: "00 00 00 0e | 00 03 00 00 00 00 00 01 ff ff 00 00 00 00",
  parts: "length, content: a question for all topics",
  message: "the content",
  endpoint: "tcp://127.0.0.1:9092?framing=kafka",
  order: "big-endian",
  counts: "what follows it",
  limit: 104_857_600,
  above: "a broker closes above socket.request.max.bytes, 104 857 600 by default",
  version: "kcat 1.7.1 with librdkafka 2.0.2, as the client",
  surprises: [],
};

/** AMQP. */
export const AMQP091: ProgramFormat = {
  name: "amqp091",
  programs: "AMQP 0-9-1: RabbitMQ, LavinMQ",
  bytes: "08 | 00 00 | 00 00 00 00 | ce",
  parts: "type, channel, length, content (none here), end: a heartbeat",
  message: "the whole frame; the encoder writes the length over its bytes 3 to 6",
  endpoint: "tcp://127.0.0.1:5672?framing=amqp091",
  order: "big-endian",
  counts: "the content only",
  limit: 131_072,
  above: "both ends agree on a limit first; RabbitMQ proposes 131 072 bytes",
  version: "RabbitMQ 3.10.8",
  surprises: [
    "The client begins with 8 bytes: AMQP, 0, 0, 9, 1. RabbitMQ answers others with its own 8 bytes and a reset.",
    "To a frame with a wrong end RabbitMQ answers FRAME_ERROR once the connection is open. Before that it is " +
    "silent for 3 seconds, and resets.",
  ],
};
