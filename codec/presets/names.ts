/** The names of programs and protocols that are framings. */

/** What an endpoint may say as the framing, so that one need not know how the program frames. */
export type PresetName =
  | "9p"
  | "bgp"
  | "bson"
  | "capnp"
  | "chromeNative"
  | "diameter"
  | "dns"
  | "dotnetString"
  | "grpcMessage"
  | "javaUtf"
  | "journalExport"
  | "kafka"
  | "minecraft"
  | "mqtt"
  | "mysql"
  | "pythonConnection"
  | "qtByteArray"
  | "qtString"
  | "ros1"
  | "smpp"
  | "sshAgent"
  | "thriftFramed"
  | "zookeeper";

/** All of them, in the order of the alphabet. */
export const PRESET_NAMES: readonly PresetName[] = [
  "9p",
  "bgp",
  "bson",
  "capnp",
  "chromeNative",
  "diameter",
  "dns",
  "dotnetString",
  "grpcMessage",
  "javaUtf",
  "journalExport",
  "kafka",
  "minecraft",
  "mqtt",
  "mysql",
  "pythonConnection",
  "qtByteArray",
  "qtString",
  "ros1",
  "smpp",
  "sshAgent",
  "thriftFramed",
  "zookeeper",
];
