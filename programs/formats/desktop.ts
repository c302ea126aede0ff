/** How programs of a desktop and its system frame. */

import type { ProgramFormat } from "./format.ts";

/** ssh-agent. */
export const SSH_AGENT: ProgramFormat = {
  name: "sshAgent",
  programs: "ssh-agent, gpg-agent, and what speaks to them",
  bytes: "00 00 00 01 | 0b",
  parts: "length, content: which keys are there?",
  message: "the content",
  endpoint: "unix:/run/user/1000/ssh-agent.socket?framing=sshAgent",
  order: "big-endian",
  counts: "what follows it",
  limit: 262_144,
  above: "it closes without a word, when the first byte behind the length has come",
  version: "ssh-agent of OpenSSH 9.2",
  surprises: [
    "It does not look at a length before a fifth byte has come: after a length of 0 it waits, and closes at " +
    "the byte behind it, also if that begins a good frame.",
    "What stands behind a request, up to the limit, it does not look at.",
  ],
};

/** Native messaging. */
export const CHROME_NATIVE: ProgramFormat = {
  name: "chromeNative",
  programs: "Native messaging of Chrome, Edge and Firefox, over stdin and stdout",
  bytes: "02 00 00 00 | 7b 7d",
  parts: "length, JSON",
  message: "the JSON",
  endpoint: "chromeNative",
  order: "little-endian",
  counts: "what follows it",
  limit: 67_108_864,
  above: "Chrome ends a host that sends more than 1 MiB; it sends up to 64 MiB itself",
  surprises: [
    "The byte order is that of the machine, which is little-endian wherever these browsers run.",
  ],
};

/** systemd's journal. */
export const JOURNAL_EXPORT: ProgramFormat = {
  name: "journalExport",
  programs: "systemd's journal: journalctl -o export, systemd-journal-remote and -gatewayd",
  bytes: "4d 45 53 53 41 47 45 3d 68 69 0a | 0a",
  parts: "a field, MESSAGE=hi, and an empty line",
  message: "the fields of an entry, with the LF of each",
  endpoint: "journalExport",
  order: "little-endian",
  counts: "a value that is not one line of text: its bytes, in 8 bytes behind the name and LF",
  limit: 16_777_216,
  above:
    "systemd-journal-remote drops an entry with a field above 768 MiB or more than 1 024 fields",
  version: "systemd 252",
  surprises: [
    "journalctl writes a value that is one line of text as text, in whatever form it came.",
    "The file of a journal ends with an empty line; without it, the last entry is cut here.",
  ],
};

/** D-Bus. */
export const DBUS: ProgramFormat = {
  name: "dbus",
  programs: "D-Bus: the buses of sessions and systems",
  bytes: "4f 4b 20 30 31 0d 0a",
  parts: "the server's first line: OK 01, CR LF",
  message: "a line without its end; then whole messages, whose header must tell their size",
  endpoint: "unix:/run/user/1000/bus?framing=dbus",
  order: "either",
  counts: "the body, and the fields of the header, each in 4 bytes of their own",
  limit: 134_217_728,
  above: "dbus-daemon closes without a word above 128 MiB, or its own max_message_size",
  version: "dbus-daemon 1.14.10",
  surprises: [
    "The conversation begins with lines, and the first line with a NUL. This framing is for two lines of the " +
    "client; for more, begin with delimiter(0d0a) and switch the framing.",
    "The fields are padded to a multiple of 8 bytes; their length does not count that.",
    "The byte order is that of each message: its first byte is l or B. dbus-daemon answers in its own.",
  ],
};

/** X11. */
export const X11: ProgramFormat = {
  name: "x11",
  programs: "X11: X.Org, Xvfb, Xwayland",
  bytes: "01 00 0b 00 00 00 | 01 00 | 00 00 00 00",
  parts: "success and version, length, the rest: the server's first message",
  message: "the whole; one whose header tells another size is not sent",
  endpoint: "unix:/tmp/.X11-unix/X0?framing=x11",
  order: "either",
  counts: "words of 4 bytes: the whole of a request; of an answer, what is above 32 bytes",
  limit: 16_777_216,
  above:
    "it answers the error BadLength above 16 777 212 bytes, and above 262 140 without BIG-REQUESTS",
  version: "Xvfb 21.1.7",
  surprises: [
    "Each direction has a framing of its own, and the first message of each has another one.",
    "The client chooses the byte order of both with its first byte: x11(endian:big) is for B.",
    "A length of 0 means that the length follows in 4 bytes.",
  ],
};
