/**
 * Other ways to find the frames of a stream: slow, recursive, over the whole stream, and short enough to
 * be right at first sight. What the decoders find is held against them.
 */

/** What was found: the messages, and whether they are all of the stream. */
export interface Found {
  readonly messages: Uint8Array[];
  readonly isAll: boolean;
}

/** A text with a character for each byte. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What a sticky pattern matches at a place; undefined if nothing. */
function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const SPACE = /[ \t\r\n]*/y;
const SCALAR =
  // deno-lint-ignore no-control-regex
  /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|true|false|null|-?(?:0(?!\d)|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Where the JSON value at a place ends; -1 if there is none that is whole. */
function jsonEnd(text: string, at: number): number {
  const skip = (at: number) => at + match(SPACE, text, at)!.length;
  const scalar = match(SCALAR, text, at);
  if (scalar !== undefined) return at + scalar.length;
  if (text[at] !== "[" && text[at] !== "{") return -1;
  const close = text[at] === "[" ? "]" : "}";
  at = skip(at + 1);
  if (text[at] === close) return at + 1;
  while (true) {
    if (close === "}") {
      const name = text[at] === '"' ? match(SCALAR, text, at) : undefined;
      if (name === undefined) return -1;
      at = skip(at + name.length);
      if (text[at] !== ":") return -1;
      at = skip(at + 1);
    }
    const end = jsonEnd(text, at);
    if (end < 0) return -1;
    at = skip(end);
    if (text[at] === close) return at + 1;
    if (text[at] !== ",") return -1;
    at = skip(at + 1);
  }
}

/** Messages of JSON, one behind the other. */
export function jsonStreamOf(stream: Uint8Array): Found {
  const text = latin1(stream);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (true) {
    at += match(SPACE, text, at)!.length;
    if (at === text.length) return { messages, isAll: true };
    const end = jsonEnd(text, at);
    const isNumber = /[-\d]/.test(text[at]);
    if (end < 0 || isNumber && end < text.length && !/[ \t\r\n"[{]/.test(text[end])) {
      return { messages, isAll: false };
    }
    messages.push(stream.slice(at, end));
    at = end;
  }
}

/** Messages of a JSON text sequence. */
export function jsonSequenceOf(stream: Uint8Array): Found {
  const text = latin1(stream);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (true) {
    at += match(SPACE, text, at)!.length;
    if (at === text.length) return { messages, isAll: true };
    // deno-lint-ignore no-control-regex
    const before = match(/\x1e(?:[ \t\r\n]*\x1e)*/y, text, at);
    if (before === undefined) return { messages, isAll: false };
    const start = at + before.length;
    const value = start + match(SPACE, text, start)!.length;
    const end = value < text.length ? jsonEnd(text, value) : -1;
    if (end < 0) return { messages, isAll: false };
    const rest = match(/[ \t\r]*/y, text, end)!;
    const stop = end + rest.length;
    const isSure = rest !== "" || /["[{]/.test(text[value]);
    if (text[stop] !== "\n" && !(isSure && (stop === text.length || text[stop] === "\x1e"))) {
      return { messages, isAll: false };
    }
    messages.push(stream.slice(start, stop));
    at = text[stop] === "\n" ? stop + 1 : stop;
  }
}

/** Where the value of RESP at a place ends; -1 if there is none that is whole. */
function respEnd(text: string, at: number, version: 2 | 3, depth = 0): number {
  const line = match(version === 2 ? /[-+:][^\r\n]*\r\n/y : /[-+:_,#(][^\r\n]*\r\n/y, text, at);
  if (line !== undefined) return at + line.length;
  const count = match(/[$*]-1\r\n|[$*!=~%|>;](?:0|[1-9]\d{0,18})\r\n|[$*~%]\?\r\n/y, text, at);
  if (count === undefined || version === 2 && !/[$*][-\d]/.test(count)) return -1;
  const type = count[0];
  at += count.length;
  if (count[1] === "-") return at;
  if (count[1] === "?") {
    for (let items = 0;; items++) {
      if (type === "$") {
        const part = match(/;(?:0|[1-9]\d{0,18})\r\n/y, text, at);
        if (part === undefined) return -1;
        at += part.length;
        const length = Number(part.slice(1));
        if (length === 0) return at;
        if (text.slice(at + length, at + length + 2) !== "\r\n") return -1;
        at += length + 2;
        continue;
      }
      if (match(/\.\r\n/y, text, at) !== undefined) {
        return type === "%" && items % 2 === 1 ? -1 : at + 3;
      }
      at = respEnd(text, at, version, depth + 1);
      if (at < 0) return -1;
    }
  }
  const length = Number(count.slice(1));
  if (/[$!=]/.test(type)) {
    return text.slice(at + length, at + length + 2) === "\r\n" ? at + length + 2 : -1;
  }
  if (type === ";" || type === ">" && depth > 0) return -1;
  const items = /[%|]/.test(type) ? 2 * length : length;
  for (let i = 0; i < items && at >= 0; i++) at = respEnd(text, at, version, depth + 1);
  return type === "|" && at >= 0 ? respEnd(text, at, version, depth) : at;
}

/** Messages of Redis. */
export function respOf(stream: Uint8Array, version: 2 | 3, isInline = false): Found {
  const text = latin1(stream);
  const messages: Uint8Array[] = [];
  for (let at = 0;;) {
    if (isInline) at += match(/[\r\n]*/y, text, at)!.length;
    if (at === text.length) return { messages, isAll: true };
    const isTyped = (version === 2 ? /[-+:$*]/ : /[-+:$*_,#(!=~%|>;.]/).test(text[at]);
    const newline = text.indexOf("\n", at);
    const end = isTyped || !isInline ? respEnd(text, at, version) : newline < 0 ? -1 : newline + 1;
    if (end < 0) return { messages, isAll: false };
    messages.push(stream.slice(at, end));
    at = end;
  }
}

/** Where the BER value at a place ends; -1 if there is none that is whole. */
function berEnd(bytes: Uint8Array, at: number): number {
  const start = at;
  const tag = bytes[at++];
  if (tag === undefined || tag === 0) return -1;
  if ((tag & 0x1f) === 0x1f) {
    if (bytes[at] === 0x80) return -1;
    while (bytes[at] >= 0x80) at++;
    if (++at - start > 10 || at > bytes.length) return -1;
  }
  const first = bytes[at++];
  if (first === undefined || first > 0x88) return -1;
  if (first === 0x80) {
    if ((tag & 0x20) === 0) return -1;
    while (at >= 0 && bytes[at] !== 0) at = berEnd(bytes, at);
    return at >= 0 && bytes[at + 1] === 0 ? at + 2 : -1;
  }
  let length = first;
  if (first > 0x80) {
    const end = at + (first & 0x7f);
    if (end > bytes.length) return -1;
    for (length = 0; at < end; at++) length = length * 256 + bytes[at];
  }
  return at + length <= bytes.length ? at + length : -1;
}

/** Messages of BER. */
export function berOf(stream: Uint8Array): Found {
  const messages: Uint8Array[] = [];
  for (let at = 0;;) {
    if (at === stream.length) return { messages, isAll: true };
    const end = berEnd(stream, at);
    if (end < 0) return { messages, isAll: false };
    messages.push(stream.slice(at, end));
    at = end;
  }
}

/** The parts of a stream before each mark that is its end, but for empty ones; then the rest. */
function parts(stream: Uint8Array, mark: number): [parts: number[][], rest: number[]] {
  const all: number[][] = [[]];
  for (const byte of stream) {
    if (byte === mark) all.push([]);
    else all.at(-1)!.push(byte);
  }
  const rest = all.pop()!;
  return [all.filter((part) => part.length > 0), rest];
}

/** Messages of SLIP. */
export function slipOf(stream: Uint8Array): Found {
  const [frames, rest] = parts(stream, 0xc0);
  const messages: Uint8Array[] = [];
  for (const frame of frames) {
    const text = latin1(Uint8Array.from(frame));
    if (/\xdb(?![\xdc\xdd])/.test(text)) return { messages, isAll: false };
    const message = text.replace(
      /\xdb([\xdc\xdd])/g,
      (_, byte) => byte === "\xdc" ? "\xc0" : "\xdb",
    );
    messages.push(Uint8Array.from(message, (character) => character.charCodeAt(0)));
  }
  return { messages, isAll: rest.length === 0 };
}

/** Messages of COBS. */
export function cobsOf(stream: Uint8Array): Found {
  const [frames, rest] = parts(stream, 0);
  const messages: Uint8Array[] = [];
  for (const frame of frames) {
    const message: number[] = [];
    while (frame.length > 0) {
      const code = frame.shift()!;
      if (frame.length < code - 1) return { messages, isAll: false };
      message.push(...frame.splice(0, code - 1));
      if (code < 255 && frame.length > 0) message.push(0);
    }
    messages.push(Uint8Array.from(message));
  }
  return { messages, isAll: rest.length === 0 };
}

/** Messages of gob. */
export function gobOf(stream: Uint8Array): Found {
  const messages: Uint8Array[] = [];
  for (let at = 0;;) {
    if (at === stream.length) return { messages, isAll: true };
    let length = stream[at++];
    if (length >= 128) {
      const end = at + 256 - length;
      if (end - at > 8 || end > stream.length) return { messages, isAll: false };
      for (length = 0; at < end; at++) length = length * 256 + stream[at];
    }
    if (at + length > stream.length) return { messages, isAll: false };
    messages.push(stream.slice(at, at + length));
    at += length;
  }
}
