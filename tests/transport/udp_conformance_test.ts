import { conformance } from "../support/transport_conformance.ts";

const NO_LARGE = "a datagram holds 65507 bytes at most";
const NO_END = "UDP tells nobody that the other side ended";
const PORTS_COME_AGAIN =
  "a client whose port another one had before goes on with that one's connection";
const NO_HOLDING = "UDP holds nobody back: what does not fit is dropped";

conformance({
  name: "udp",
  endpoint: () => "udp://127.0.0.1:0",
  skip: {
    "echoes messages of many sizes, in order and whole": NO_LARGE,
    "carries the largest message, and refuses one byte more": NO_LARGE,
    "closes while it reads and while it sends, with one outcome and no leak": NO_LARGE,
    "tells the end when the other side closes, after its last message": NO_END,
    "half-closes: the answer comes after the end": NO_END,
    "tells the loss when the other side aborts": NO_END,
    "holds back the sender when nobody reads, and loses nothing": NO_HOLDING,
    "serves 1000 connections, 50 at a time": PORTS_COME_AGAIN,
    "aborts at writeTimeout when the other side takes nothing, and counts what is left": NO_HOLDING,
  },
});
