/** The catalog of framings under the names of programs and protocols. */

import type { Kind } from "./kind.ts";
import { kafka, mqtt } from "./presets/brokers.ts";
import { bson, mysql, zookeeper } from "./presets/databases.ts";
import { chromeNative, sshAgent } from "./presets/desktop.ts";
import { journalExport } from "./presets/journal.ts";
import { minecraft } from "./presets/minecraft.ts";
import { bgp, diameter, dns, nineP, smpp } from "./presets/network.ts";
import { pythonConnection } from "./presets/python.ts";
import { qtByteArray, qtString } from "./presets/qt.ts";
import { capnp, grpcMessage, ros1, thriftFramed } from "./presets/rpc.ts";
import { dotnetString, javaUtf } from "./presets/strings.ts";

/** `9p`. */
export const NINE_P: Kind = {
  help: "Plan 9's file protocol, in Linux and virtual machines.",
  example: "9p",
  parameters: {},
  make: nineP,
};

/** `bgp`. */
export const BGP: Kind = {
  help: "Routes between networks.",
  example: "bgp",
  parameters: {},
  make: bgp,
};

/** `bson`. */
export const BSON: Kind = {
  help: "Documents of MongoDB, in files and dumps.",
  example: "bson",
  parameters: {},
  make: bson,
};

/** `capnp`. */
export const CAPNP: Kind = {
  help: "Cap'n Proto's messages, not packed.",
  example: "capnp",
  parameters: {},
  make: capnp,
};

/** `chromeNative(…)`. */
export const CHROME_NATIVE: Kind = {
  help: "Programs that Chrome and Firefox start for an extension.",
  example: "chromeNative(side:browser)",
  parameters: {
    side: {
      type: "word",
      words: { host: "host", browser: "browser" },
      default: "host",
      help: "Which end this is.",
    },
  },
  make: chromeNative,
};

/** `diameter`. */
export const DIAMETER: Kind = {
  help: "Who may use a mobile network.",
  example: "diameter",
  parameters: {},
  make: diameter,
};

/** `dns`. */
export const DNS: Kind = {
  help: "Names, over TCP and TLS.",
  example: "dns",
  parameters: {},
  make: dns,
};

/** `dotnetString`. */
export const DOTNET_STRING: Kind = {
  help: "Strings of .NET's BinaryWriter.",
  example: "dotnetString",
  parameters: {},
  make: dotnetString,
};

/** `grpcMessage(…)`. */
export const GRPC_MESSAGE: Kind = {
  help: "Messages of gRPC, in the body of HTTP/2.",
  example: "grpcMessage(keepHeader:true)",
  parameters: {
    keepHeader: {
      type: "boolean",
      default: "false",
      help: "Messages begin with their flag and length.",
    },
  },
  make: grpcMessage,
};

/** `javaUtf`. */
export const JAVA_UTF: Kind = {
  help: "Java's DataOutputStream.writeUTF.",
  example: "javaUtf",
  parameters: {},
  make: javaUtf,
};

/** `journalExport`. */
export const JOURNAL_EXPORT: Kind = {
  help: "Entries of systemd's journal.",
  example: "journalExport",
  parameters: {},
  make: journalExport,
};

/** `kafka`. */
export const KAFKA: Kind = {
  help: "Kafka's requests and answers.",
  example: "kafka",
  parameters: {},
  make: kafka,
};

/** `minecraft`. */
export const MINECRAFT: Kind = {
  help: "Packets of Minecraft, Java Edition.",
  example: "minecraft",
  parameters: {},
  make: minecraft,
};

/** `mqtt`. */
export const MQTT: Kind = {
  help: "MQTT's packets.",
  example: "mqtt",
  parameters: {},
  make: mqtt,
};

/** `mysql`. */
export const MYSQL: Kind = {
  help: "Packets of MySQL and MariaDB.",
  example: "mysql",
  parameters: {},
  make: mysql,
};

/** `pythonConnection`. */
export const PYTHON_CONNECTION: Kind = {
  help: "Python's multiprocessing.connection.",
  example: "pythonConnection",
  parameters: {},
  make: pythonConnection,
};

/** `qtByteArray`. */
export const QT_BYTE_ARRAY: Kind = {
  help: "Qt's QDataStream << QByteArray.",
  example: "qtByteArray",
  parameters: {},
  make: qtByteArray,
};

/** `qtString`. */
export const QT_STRING: Kind = {
  help: "Qt's QDataStream << QString.",
  example: "qtString",
  parameters: {},
  make: qtString,
};

/** `ros1`. */
export const ROS1: Kind = {
  help: "Messages between robots' programs.",
  example: "ros1",
  parameters: {},
  make: ros1,
};

/** `smpp`. */
export const SMPP: Kind = {
  help: "Short messages of mobile phones.",
  example: "smpp",
  parameters: {},
  make: smpp,
};

/** `sshAgent`. */
export const SSH_AGENT: Kind = {
  help: "The agent that keeps SSH's keys.",
  example: "sshAgent",
  parameters: {},
  make: sshAgent,
};

/** `thriftFramed`. */
export const THRIFT_FRAMED: Kind = {
  help: "Thrift's TFramedTransport.",
  example: "thriftFramed",
  parameters: {},
  make: thriftFramed,
};

/** `zookeeper`. */
export const ZOOKEEPER: Kind = {
  help: "ZooKeeper's packets.",
  example: "zookeeper",
  parameters: {},
  make: zookeeper,
};
