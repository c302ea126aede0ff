/** The names of programs and protocols that are framings. */

/** What an endpoint may say as the framing, so that one need not know how the program frames. */
export type PresetName =
  | "9p"
  | "amqp091"
  | "bgp"
  | "bson"
  | "capnp"
  | "chromeNative"
  | "dbus"
  | "diameter"
  | "dns"
  | "dotnetString"
  | "erlang"
  | "gob"
  | "grpcMessage"
  | "hl7"
  | "javaUtf"
  | "journalExport"
  | "kafka"
  | "lsp"
  | "minecraft"
  | "mqtt"
  | "mysql"
  | "postgres"
  | "pythonConnection"
  | "qtByteArray"
  | "qtString"
  | "redis"
  | "ros1"
  | "smpp"
  | "sshAgent"
  | "syslog"
  | "thriftFramed"
  | "x11"
  | "zookeeper";

/** All of them, in the order of the alphabet. */
export const PRESET_NAMES: readonly PresetName[] = [
  "9p",
  "amqp091",
  "bgp",
  "bson",
  "capnp",
  "chromeNative",
  "dbus",
  "diameter",
  "dns",
  "dotnetString",
  "erlang",
  "gob",
  "grpcMessage",
  "hl7",
  "javaUtf",
  "journalExport",
  "kafka",
  "lsp",
  "minecraft",
  "mqtt",
  "mysql",
  "postgres",
  "pythonConnection",
  "qtByteArray",
  "qtString",
  "redis",
  "ros1",
  "smpp",
  "sshAgent",
  "syslog",
  "thriftFramed",
  "x11",
  "zookeeper",
];
