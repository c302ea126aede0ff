/** All programs and protocols that have a framing under their name. */

import { AMQP091, KAFKA, MQTT } from "./brokers.ts";
import { CAPNP, GRPC_MESSAGE, HL7, LSP, ROS1, THRIFT_FRAMED } from "./calls.ts";
import { BSON, MYSQL, POSTGRES, REDIS, ZOOKEEPER } from "./databases.ts";
import { CHROME_NATIVE, DBUS, JOURNAL_EXPORT, SSH_AGENT, X11 } from "./desktop.ts";
import {
  DOTNET_STRING,
  ERLANG,
  GOB,
  JAVA_UTF,
  PYTHON_CONNECTION,
  QT_BYTE_ARRAY,
  QT_STRING,
} from "./languages.ts";
import { BGP, DIAMETER, DNS, MINECRAFT, NINE_P, SMPP, SYSLOG } from "./network.ts";
import type { ProgramFormat } from "./format.ts";

/** The table, in the order of the alphabet. */
export const FORMATS: readonly ProgramFormat[] = [
  NINE_P,
  AMQP091,
  BGP,
  BSON,
  CAPNP,
  CHROME_NATIVE,
  DBUS,
  DIAMETER,
  DNS,
  DOTNET_STRING,
  ERLANG,
  GOB,
  GRPC_MESSAGE,
  HL7,
  JAVA_UTF,
  JOURNAL_EXPORT,
  KAFKA,
  LSP,
  MINECRAFT,
  MQTT,
  MYSQL,
  POSTGRES,
  PYTHON_CONNECTION,
  QT_BYTE_ARRAY,
  QT_STRING,
  REDIS,
  ROS1,
  SMPP,
  SSH_AGENT,
  SYSLOG,
  THRIFT_FRAMED,
  X11,
  ZOOKEEPER,
];
