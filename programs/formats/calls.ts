/** How libraries of remote procedure calls frame. */

import type { ProgramFormat } from "./format.ts";

/** Thrift. */
export const THRIFT_FRAMED: ProgramFormat = {
  name: "thriftFramed",
  programs: "Thrift: TFramedTransport, in all languages",
  bytes: "00 00 00 11 | 80 01 00 01 00 00 00 04 70 69 6e 67 00 00 00 00 00",
  parts: "length, content: a call of ping()",
  message: "the content",
  endpoint: "tcp://127.0.0.1:9090?framing=thriftFramed",
  order: "big-endian",
  counts: "what follows it",
  limit: 16_384_000,
  above: "Thrift's C++ and Java close above 16 384 000 bytes; its Python has no limit",
  version: "Thrift's Python 0.17.0",
  surprises: ["Thrift's Python takes a negative length for an empty frame; here it is refused."],
};

/** ROS. */
export const ROS1: ProgramFormat = {
  name: "ros1",
  programs: "ROS 1: TCPROS, its headers and messages",
  bytes: "06 00 00 00 | 02 00 00 00 68 69",
  parts: "length, content: a std_msgs/String",
  message: "the content",
  endpoint: "tcp://127.0.0.1:40000?framing=ros1",
  order: "little-endian",
  counts: "what follows it",
  limit: 16_777_216,
  above: "roscpp closes above 1 000 000 000 bytes; rospy has no limit",
  version: "rospy 1.15.15",
  surprises: [
    "The header of a connection is a frame, and each of its fields has a length of that kind, too.",
  ],
};

/** gRPC. */
export const GRPC_MESSAGE: ProgramFormat = {
  name: "grpcMessage",
  programs: "gRPC, in the body of HTTP/2",
  bytes: "00 | 00 00 00 02 | 08 01",
  parts: "flag, length, content",
  message: "the content; with grpcMessage(keepHeader:true) flag and length, too",
  endpoint: "grpcMessage",
  order: "big-endian",
  counts: "what follows it, and not the flag",
  limit: 4_194_304,
  above: "the call ends with status 8, RESOURCE_EXHAUSTED",
  version: "gRPC's Python 1.51.1",
  surprises: [
    "A body that ends inside a message is no error for gRPC's Python: it drops the message, and the call " +
    "ends with status 0.",
  ],
};

/** Cap'n Proto. */
export const CAPNP: ProgramFormat = {
  name: "capnp",
  programs: "Cap'n Proto in streams and files, not packed",
  bytes: "00 00 00 00 | 01 00 00 00 | 00 00 00 00 00 00 00 00",
  parts: "number of segments less one, words of the segment, the segment: nothing",
  message: "the whole; one whose table tells another size is not sent",
  endpoint: "capnp",
  order: "little-endian",
  counts: "each segment, in words of 8 bytes",
  limit: 67_108_864,
  above: "C++ throws above traversalLimitInWords, 64 MiB by default, and above 511 segments",
  version: "capnp 0.9.2",
  surprises: [
    "It takes 511 segments: its check is “less than 512”.",
    "If the number of segments is even, 4 bytes fill up the table.",
  ],
};

/** Language servers. */
export const LSP: ProgramFormat = {
  name: "lsp",
  programs: "Language servers (LSP), debuggers (DAP), build servers (BSP)",
  bytes: "43 6f 6e 74 65 6e 74 2d 4c 65 6e 67 74 68 3a 20 32 0d 0a 0d 0a | 7b 7d",
  parts: "Content-Length: 2, an empty line, JSON",
  message: "the JSON",
  endpoint: "tcp://127.0.0.1:6009?framing=lsp",
  order: "decimal",
  counts: "the bytes behind the empty line, not the characters",
  limit: 16_777_216,
  above: "the protocol has no limit",
  version: "clangd 14.0.6",
  surprises: [],
};

/** HL7. */
export const HL7: ProgramFormat = {
  name: "hl7",
  programs: "HL7 version 2 in its minimal envelope (MLLP)",
  bytes: "0b | 4d 53 48 7c | 1c 0d",
  parts: "start, content: MSH|, end",
  message: "the content, whose lines end with CR",
  endpoint: "tcp://127.0.0.1:2575?framing=hl7",
  order: "none",
  counts: "there is no length",
  limit: 16_777_216,
  above: "the protocol has no limit",
  version: "Python's hl7 0.4.5",
  surprises: [],
};
