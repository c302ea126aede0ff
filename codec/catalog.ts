/** Every kind of framing that can be written as text, with its parameters. */

import type { Kind } from "./kind.ts";
import { COBS, DELIMITER, LINE, MLLP, NONE, SLIP } from "./kinds_of_ends.ts";
import { DUPLEX, STAGED } from "./kinds_of_framings.ts";
import {
  CONTENT_LENGTH,
  FCGI,
  FIXED,
  GOB_UVARINT,
  LENGTH,
  NETSTRING,
  OCTET_COUNTED,
  RECORD_MARKING,
  TPKT,
  VARINT,
} from "./kinds_of_lengths.ts";
import { BER_TLV, JSON_SEQUENCE, JSON_STREAM, RESP2, RESP3 } from "./kinds_of_values.ts";
import {
  BGP,
  BSON,
  CAPNP,
  CHROME_NATIVE,
  DIAMETER,
  DNS,
  DOTNET_STRING,
  GRPC_MESSAGE,
  JAVA_UTF,
  JOURNAL_EXPORT,
  KAFKA,
  MINECRAFT,
  MQTT,
  MYSQL,
  NINE_P,
  PYTHON_CONNECTION,
  QT_BYTE_ARRAY,
  QT_STRING,
  ROS1,
  SMPP,
  SSH_AGENT,
  THRIFT_FRAMED,
  ZOOKEEPER,
} from "./kinds_of_programs.ts";
import type { LengthPrefixOptions } from "./length_prefix.ts";
import type { FramingKind } from "./names.ts";

/** All kinds, in the order of the documentation. */
// Not by spreading: bundlers keep what is spread, because it may have side effects.
export const CATALOG: Readonly<Record<FramingKind, Kind>> = {
  length: LENGTH,
  varint: VARINT,
  fixed: FIXED,
  netstring: NETSTRING,
  octetCounted: OCTET_COUNTED,
  contentLength: CONTENT_LENGTH,
  recordMarking: RECORD_MARKING,
  fcgi: FCGI,
  tpkt: TPKT,
  delimiter: DELIMITER,
  mllp: MLLP,
  line: LINE,
  none: NONE,
  gobUvarint: GOB_UVARINT,
  slip: SLIP,
  cobs: COBS,
  jsonStream: JSON_STREAM,
  jsonSequence: JSON_SEQUENCE,
  berTlv: BER_TLV,
  resp2: RESP2,
  resp3: RESP3,
  staged: STAGED,
  duplex: DUPLEX,
  "9p": NINE_P,
  bgp: BGP,
  bson: BSON,
  capnp: CAPNP,
  chromeNative: CHROME_NATIVE,
  diameter: DIAMETER,
  dns: DNS,
  dotnetString: DOTNET_STRING,
  grpcMessage: GRPC_MESSAGE,
  javaUtf: JAVA_UTF,
  journalExport: JOURNAL_EXPORT,
  kafka: KAFKA,
  minecraft: MINECRAFT,
  mqtt: MQTT,
  mysql: MYSQL,
  pythonConnection: PYTHON_CONNECTION,
  qtByteArray: QT_BYTE_ARRAY,
  qtString: QT_STRING,
  ros1: ROS1,
  smpp: SMPP,
  sshAgent: SSH_AGENT,
  thriftFramed: THRIFT_FRAMED,
  zookeeper: ZOOKEEPER,
};

/** The names that stand for `length()` with these options. */
export const LENGTHS: Readonly<Record<string, LengthPrefixOptions>> = {
  u8: { bytes: 1 },
  u16be: { bytes: 2 },
  u16le: { bytes: 2, endian: "little" },
  u24be: { bytes: 3 },
  u32be: {},
  u32le: { endian: "little" },
  u64be: { bytes: 8 },
};
