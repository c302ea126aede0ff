// The codec without a socket: messages into a file and out of it again.
// deno run --allow-read --allow-write examples/frames_in_a_file.ts
import { decode, DecoderStream, EncoderStream, framing } from "@lengthwise/lengthwise/codec";

const varint = framing("varint");
const path = await Deno.makeTempFile();

const messages = ["one", "two", "three"].map((text) => new TextEncoder().encode(text));
const out = await Deno.open(path, { write: true });
await ReadableStream.from(messages).pipeThrough(new EncoderStream(varint)).pipeTo(out.writable);

for await (const message of decode((await Deno.open(path)).readable, varint)) {
  console.log(new TextDecoder().decode(message));
}

let count = 0;
const again = await Deno.open(path);
for await (const _message of again.readable.pipeThrough(new DecoderStream(varint))) count++;
console.log(`${count} messages`);
await Deno.remove(path);
