import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  csharpInt32,
  erlangPacket,
  type Framing,
  InvalidLengthError,
  javaWriteInt,
  MessageTooLargeError,
  nettyLengthField,
  type NettyLengthFieldOptions,
  protobufDelimited,
  tokioLengthDelimited,
  twistedInt,
} from "../../codec.ts";
import { byteByByte, cutAt, decodeAll, everyTwoCuts, hex, utf8 } from "../support/bytes.ts";

/** A frame that another program made. */
interface Golden {
  /** The expression that made it, in the other language. */
  by: string;
  framing: Framing;
  message: Uint8Array;
  /** The frame, or its first bytes, when the rest is `message` only. */
  frame: string;
}

const GOLDENS: Golden[] = [
  {
    by: `Erlang: gen_tcp:send(Socket, <<"HELLO">>), with {packet, 1}`,
    framing: erlangPacket(1),
    message: utf8("HELLO"),
    frame: "05 48454c4c4f",
  },
  {
    by: `Erlang: gen_tcp:send(Socket, <<"HELLO">>), with {packet, 2}`,
    framing: erlangPacket(2),
    message: utf8("HELLO"),
    frame: "0005 48454c4c4f",
  },
  {
    by: `Erlang: gen_tcp:send(Socket, binary:copy(<<$x>>, 300)), with {packet, 2}`,
    framing: erlangPacket(2),
    message: new Uint8Array(300).fill(0x78),
    frame: "012c 7878",
  },
  {
    by: `Erlang: gen_tcp:send(Socket, <<"HELLO">>), with {packet, 4}`,
    framing: erlangPacket(4),
    message: utf8("HELLO"),
    frame: "00000005 48454c4c4f",
  },
  {
    by: `Erlang: gen_tcp:send(Socket, <<"HELLO\\n">>), with {packet, line}`,
    framing: erlangPacket("line"),
    message: utf8("HELLO"),
    frame: "48454c4c4f 0a",
  },
  {
    by: `C#: stream.Write(BitConverter.GetBytes(b.Length), 0, 4); stream.Write(b, 0, b.Length)`,
    framing: csharpInt32(),
    message: utf8("HELLO"),
    frame: "05000000 48454c4c4f",
  },
  {
    by: `C#: b = Encoding.UTF8.GetBytes("Grüße €"); writer.Write(b.Length); writer.Write(b)`,
    framing: csharpInt32(),
    message: utf8("Grüße €"),
    frame: "0b000000 4772c3bcc39f6520e282ac",
  },
  {
    by: `C#: BitConverter.GetBytes(70000)`,
    framing: csharpInt32(),
    message: new Uint8Array(70_000),
    frame: "70110100",
  },
  {
    by: `Java: out.writeInt(b.length); out.write(b)`,
    framing: javaWriteInt(),
    message: utf8("HELLO"),
    frame: "00000005 48454c4c4f",
  },
  {
    by: `Java: b = "Grüße €".getBytes("UTF-8"); out.writeInt(b.length); out.write(b)`,
    framing: javaWriteInt(),
    message: utf8("Grüße €"),
    frame: "0000000b 4772c3bcc39f6520e282ac",
  },
  {
    by: `Java: out.writeInt(70000)`,
    framing: javaWriteInt(),
    message: new Uint8Array(70_000),
    frame: "00011170",
  },
  {
    by: `Python, as Int8StringReceiver.sendString: struct.pack("!B", len(b)) + b`,
    framing: twistedInt(8),
    message: utf8("HELLO"),
    frame: "05 48454c4c4f",
  },
  {
    by: `Python, as Int16StringReceiver.sendString: struct.pack("!H", len(b)) + b`,
    framing: twistedInt(16),
    message: new Uint8Array(300).fill(0x78),
    frame: "012c 7878",
  },
  {
    by: `Python, as Int32StringReceiver.sendString: struct.pack("!I", len(b)) + b`,
    framing: twistedInt(32),
    message: new Uint8Array(70_000),
    frame: "00011170",
  },
  {
    by: `Python, as LengthDelimitedCodec.encode: len(b).to_bytes(4, "big") + b`,
    framing: tokioLengthDelimited(),
    message: utf8("HELLO"),
    frame: "00000005 48454c4c4f",
  },
  {
    by: `Java: StringValue.of("HELLO").writeDelimitedTo(out)`,
    framing: protobufDelimited(),
    message: hex("0a05 48454c4c4f"),
    frame: "07 0a05 48454c4c4f",
  },
  {
    by: `Java: StringValue.getDefaultInstance().writeDelimitedTo(out)`,
    framing: protobufDelimited(),
    message: hex(""),
    frame: "00",
  },
  {
    by: `Java: StringValue.of("x".repeat(297)).writeDelimitedTo(out)`,
    framing: protobufDelimited(),
    message: concat([hex("0aa902"), new Uint8Array(297).fill(0x78)]),
    frame: "ac02 0aa902 787878",
  },
];

for (const { by, framing, message, frame } of GOLDENS) {
  Deno.test(`Presets write and read the bytes of ${by}`, () => {
    const start = hex(frame);
    const encoded = framing.encode(message);
    assertEquals(encoded.subarray(0, start.length), start);
    assertEquals(concat(framing.encodeParts(message)), encoded);

    const rest = Math.max(0, framing.frameBytes(message) - start.length);
    const golden = concat([start, message.subarray(message.length - rest)]);
    const cuts = [[], [1], [2, 3], [golden.length - 1]];
    for (const positions of cuts) {
      const chunks = cutAt(golden, ...positions.map((at) => Math.min(at, golden.length)));
      assertEquals(decodeAll(framing, chunks), [message]);
    }
  });
}

Deno.test("erlangPacket() refuses what an Erlang sender would wrap", () => {
  // With {packet, 1}, gen_tcp:send(Socket, binary:copy(<<$x>>, 300)) sends 2c and 300 bytes.
  assertThrows(() => erlangPacket(1).encode(new Uint8Array(300)), MessageTooLargeError, "255");
  assertThrows(() => erlangPacket(2).encode(new Uint8Array(65_536)), MessageTooLargeError, "65535");
});

Deno.test('erlangPacket("line") knows no telnet', () => {
  assertEquals(erlangPacket("line").encode(hex("61ff62")), hex("61ff62 0a"));
  assertEquals(decodeAll(erlangPacket("line"), [hex("61fffb010a")]), [hex("61fffb01")]);
});

Deno.test("Presets take a limit", () => {
  const options = { maxMessageBytes: 100 };
  for (
    const limited of [
      erlangPacket(1, options),
      erlangPacket(4, options),
      erlangPacket("line", options),
      csharpInt32(options),
      javaWriteInt(options),
      twistedInt(16, options),
      tokioLengthDelimited(options),
      protobufDelimited(options),
      nettyLengthField({ maxFrameLength: 104, initialBytesToStrip: 4 }),
    ]
  ) {
    assertEquals(limited.maxMessageBytes, 100);
    const [fits, above] = [new Uint8Array(100).fill(0x61), new Uint8Array(101).fill(0x61)];
    assertEquals(decodeAll(limited, [limited.encode(fits)]), [fits]);
    assertThrows(() => decodeAll(limited, [limited.encode(above)]), MessageTooLargeError);
  }
});

/** The examples of Netty's documentation, from plain to odd; the content is "HELLO, WORLD". */
const NETTY: {
  name: string;
  options: NettyLengthFieldOptions;
  before: string;
  after: string;
  /** What encoding `after` gives, where it is not `before`: stripped bytes come back as zeros. */
  encoded?: string;
}[] = [
  {
    name: "a length of 2 bytes at the start, kept",
    options: { lengthFieldLength: 2 },
    before: "000c 48454c4c4f2c20574f524c44",
    after: "000c 48454c4c4f2c20574f524c44",
  },
  {
    name: "a length of 2 bytes at the start, stripped",
    options: { lengthFieldLength: 2, initialBytesToStrip: 2 },
    before: "000c 48454c4c4f2c20574f524c44",
    after: "48454c4c4f2c20574f524c44",
  },
  {
    name: "a length that counts itself",
    options: { lengthFieldLength: 2, lengthAdjustment: -2 },
    before: "000e 48454c4c4f2c20574f524c44",
    after: "000e 48454c4c4f2c20574f524c44",
  },
  {
    name: "a header of 2 bytes before a length of 3",
    options: { lengthFieldOffset: 2, lengthFieldLength: 3 },
    before: "cafe 00000c 48454c4c4f2c20574f524c44",
    after: "cafe 00000c 48454c4c4f2c20574f524c44",
  },
  {
    name: "a header of 2 bytes after a length of 3, not counted",
    options: { lengthFieldLength: 3, lengthAdjustment: 2 },
    before: "00000c cafe 48454c4c4f2c20574f524c44",
    after: "00000c cafe 48454c4c4f2c20574f524c44",
  },
  {
    name: "two headers of 1 byte around the length, the first and the length stripped",
    options: {
      lengthFieldOffset: 1,
      lengthFieldLength: 2,
      lengthAdjustment: 1,
      initialBytesToStrip: 3,
    },
    before: "ca 000c fe 48454c4c4f2c20574f524c44",
    after: "fe 48454c4c4f2c20574f524c44",
    encoded: "00 000c fe 48454c4c4f2c20574f524c44",
  },
  {
    name: "two headers of 1 byte around a length that counts everything, 3 bytes stripped",
    options: {
      lengthFieldOffset: 1,
      lengthFieldLength: 2,
      lengthAdjustment: -3,
      initialBytesToStrip: 3,
    },
    before: "ca 0010 fe 48454c4c4f2c20574f524c44",
    after: "fe 48454c4c4f2c20574f524c44",
    encoded: "00 0010 fe 48454c4c4f2c20574f524c44",
  },
  {
    name: "the counterpart of LengthFieldPrepender(4)",
    options: { initialBytesToStrip: 4 },
    before: "0000000c 48454c4c4f2c20574f524c44",
    after: "48454c4c4f2c20574f524c44",
  },
  {
    name: "the counterpart of LengthFieldPrepender(4, true)",
    options: { lengthAdjustment: -4, initialBytesToStrip: 4 },
    before: "00000010 48454c4c4f2c20574f524c44",
    after: "48454c4c4f2c20574f524c44",
  },
];

for (const { name, options, before, after, encoded = before } of NETTY) {
  Deno.test(`nettyLengthField() with ${name}`, () => {
    const framing = nettyLengthField(options);
    for (const chunks of [...everyTwoCuts(hex(before + before)), byteByByte(hex(before))]) {
      const messages = decodeAll(framing, chunks);
      assertEquals(messages[0], hex(after));
      assertEquals(concat(messages), concat(messages.map(() => hex(after))));
    }
    assertEquals(framing.encode(hex(after)), hex(encoded));
    assertEquals(concat(framing.encodeParts(hex(after))), hex(encoded));
    assertEquals(decodeAll(framing, [hex(encoded)]), [hex(after)]);
  });
}

Deno.test("nettyLengthField() limits the frame with its header, as Netty does", () => {
  const framing = nettyLengthField({ maxFrameLength: 9, initialBytesToStrip: 4 });
  assertEquals(decodeAll(framing, [hex("00000005 48454c4c4f")]), [utf8("HELLO")]);
  assertThrows(() => framing.decoder().decode(hex("00000006")), MessageTooLargeError, "of 6 bytes");
  const whole = nettyLengthField({ maxFrameLength: 9 });
  assertEquals(decodeAll(whole, [hex("00000005 48454c4c4f")])[0].length, 9);
  assertThrows(() => whole.decoder().decode(hex("00000006")), MessageTooLargeError, "of 10 bytes");
});

Deno.test("nettyLengthField() refuses a length that is adjusted below its own header", () => {
  const framing = nettyLengthField({ lengthAdjustment: -4 });
  assertThrows(() => framing.decoder().decode(hex("00000003")), InvalidLengthError);
});
