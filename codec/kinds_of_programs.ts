/** The catalog of framings under the names of programs and protocols. */

import type { Kind } from "./kind.ts";
import type { Parameter } from "./parameters.ts";
import { amqp091, kafka, mqtt } from "./presets/brokers.ts";
import { bson, mysql, postgres, redis, zookeeper } from "./presets/databases.ts";
import { chromeNative, dbus, sshAgent } from "./presets/desktop.ts";
import { erlang } from "./presets/erlang.ts";
import { journalExport } from "./presets/journal.ts";
import { minecraft } from "./presets/minecraft.ts";
import { bgp, diameter, dns, nineP, smpp, syslog } from "./presets/network.ts";
import { pythonConnection } from "./presets/python.ts";
import { qtByteArray, qtString } from "./presets/qt.ts";
import { capnp, grpcMessage, hl7, lsp, ros1, thriftFramed } from "./presets/rpc.ts";
import { dotnetString, gob, javaUtf } from "./presets/strings.ts";
import { x11 } from "./presets/x11.ts";

const SIDE: Parameter = {
  type: "word",
  words: { client: "client", server: "server" },
  default: "client",
  help: "Which end this is.",
};

/** `9p`. */
export const NINE_P: Kind = {
  help: "Plan 9's file protocol, in Linux and virtual machines.",
  example: "9p",
  parameters: {},
  make: nineP,
};

/** `amqp091(…)`. */
export const AMQP091: Kind = {
  help: "AMQP 0-9-1 from its first 8 bytes on, as RabbitMQ speaks it.",
  example: "amqp091(side:server)",
  parameters: { side: SIDE },
  make: amqp091,
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

/** `dbus(…)`. */
export const DBUS: Kind = {
  help: "D-Bus from the lines of its authentication on.",
  example: "dbus(side:server)",
  parameters: { side: SIDE },
  make: dbus,
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

/** `erlang(…)`. */
export const ERLANG: Kind = {
  help: "Packet modes of Erlang's gen_tcp.",
  example: "erlang(4)",
  parameters: {
    packet: {
      type: "word",
      words: {
        raw: "raw",
        1: 1,
        2: 2,
        4: 4,
        line: "line",
        asn1: "asn1",
        cdr: "cdr",
        sunrm: "sunrm",
        fcgi: "fcgi",
        tpkt: "tpkt",
      },
      required: true,
      help: "The packet mode.",
    },
  },
  bare: "packet",
  make: erlang,
};

/** `gob`. */
export const GOB: Kind = {
  help: "Go's encoding/gob.",
  example: "gob",
  parameters: {},
  make: gob,
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

/** `hl7`. */
export const HL7: Kind = {
  help: "HL7 version 2, between hospitals' programs.",
  example: "hl7",
  parameters: {},
  make: hl7,
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

/** `lsp`. */
export const LSP: Kind = {
  help: "Language servers, debuggers and build servers.",
  example: "lsp",
  parameters: {},
  make: lsp,
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

/** `postgres(…)`. */
export const POSTGRES: Kind = {
  help: "PostgreSQL from its first message on.",
  example: "postgres(side:server)",
  parameters: { side: SIDE },
  make: postgres,
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

/** `redis(…)`. */
export const REDIS: Kind = {
  help: "Redis and Valkey.",
  example: "redis(version:3)",
  parameters: {
    version: {
      type: "word",
      words: { 2: 2, 3: 3 },
      default: "2",
      help: "The version of the protocol.",
    },
    side: SIDE,
  },
  make: redis,
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

/** `syslog`. */
export const SYSLOG: Kind = {
  help: "Syslog over TCP and TLS.",
  example: "syslog",
  parameters: {},
  make: syslog,
};

/** `thriftFramed`. */
export const THRIFT_FRAMED: Kind = {
  help: "Thrift's TFramedTransport.",
  example: "thriftFramed",
  parameters: {},
  make: thriftFramed,
};

/** `x11(…)`. */
export const X11: Kind = {
  help: "X11 from its setup on.",
  example: "x11(endian:big)",
  parameters: {
    endian: {
      type: "word",
      words: { big: "big", little: "little" },
      default: "little",
      help: "The byte order that the client chooses.",
    },
    side: SIDE,
  },
  make: x11,
};

/** `zookeeper`. */
export const ZOOKEEPER: Kind = {
  help: "ZooKeeper's packets.",
  example: "zookeeper",
  parameters: {},
  make: zookeeper,
};
