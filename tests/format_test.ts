/** Formats: bytes, text and JSON, alone and over a connection. */

import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { framing, FRAMING_NAMES } from "../codec.ts";
import { Connection } from "../connection.ts";
import { InvalidMessageError } from "../errors.ts";
import { bytes, type Format, json, type StandardSchema, text } from "../format.ts";
import { FakeTransport, turn } from "./support/fake_transport.ts";
import { ascii, rawPair } from "./support/raw.ts";
import { asText } from "./support/texts.ts";

const U32BE = framing("u32be");
const NONE = framing("none");

/** Decodes messages one after another, and what the end brings. */
async function decodeAll<T>(format: Format<T>, messages: Uint8Array[], rule = U32BE): Promise<T[]> {
  const decoder = format.decoder(rule)!;
  const values: T[] = [];
  for (const message of messages) values.push(await decoder.decode(message));
  const last = decoder.end();
  return last === undefined ? values : [...values, last];
}

/** Whole numbers from 0 on, as a validator that answers at once or later. */
function count(answers: "at once" | "later"): StandardSchema<{ count: number }> {
  const validate = (value: unknown) => {
    const { count } = value as { count?: unknown };
    if (typeof count !== "number") return { issues: [{ message: "count must be a number" }] };
    return count >= 0
      ? { value: { count } }
      : { issues: [{ message: "count must be positive" }, { message: "or 0" }] };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: answers === "later" ? (value) => Promise.resolve(validate(value)) : validate,
    },
  };
}

// bytes()

Deno.test("bytes() sends strings as UTF-8 and hands messages out as they are", () => {
  const format = bytes();
  assertEquals(format.encode("é"), "é");
  assertEquals(format.encode(Uint8Array.of(255)), Uint8Array.of(255));
  assertEquals(format.decoder(U32BE), undefined);
});

// text()

Deno.test("text() decodes UTF-8, and keeps a byte order mark as the character it is", async () => {
  const messages = [ascii("hi"), new Uint8Array(0), Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)];
  assertEquals(await decodeAll(text(), messages), ["hi", "", "\ufeffA"]);
});

Deno.test("text() makes U+FFFD of each malformed part, within its own message", async () => {
  const cut = [
    Uint8Array.of(0x41, 0xc3),
    Uint8Array.of(0xa9, 0x42),
    Uint8Array.of(0xed, 0xa0, 0x80),
  ];
  assertEquals(await decodeAll(text(), cut), ["A\ufffd", "\ufffdB", "\ufffd\ufffd\ufffd"]);
});

Deno.test("text({ fatal }) refuses malformed UTF-8", async () => {
  const error = await assertRejects(
    () => decodeAll(text({ fatal: true }), [Uint8Array.of(0xc3, 0x28)]),
    InvalidMessageError,
  );
  assertEquals(error.message, "Cannot decode message: it is not UTF-8");
  assertInstanceOf(error.cause, TypeError);
});

Deno.test("text() under framing none puts characters together, whatever byte they were cut at", async () => {
  const whole = "aé€😀\ufeffz";
  const all = new TextEncoder().encode(whole);
  for (const fatal of [false, true]) {
    for (let one = 0; one <= all.length; one++) {
      for (let two = one; two <= all.length; two++) {
        const chunks = [all.subarray(0, one), all.subarray(one, two), all.subarray(two)];
        assertEquals((await decodeAll(text({ fatal }), chunks, NONE)).join(""), whole);
      }
    }
  }
});

Deno.test("text() under framing none tells of a character that the end cut off", async () => {
  const chunks = [ascii("ab"), Uint8Array.of(0xe2, 0x82)];
  assertEquals(await decodeAll(text(), chunks, NONE), ["ab", "", "\ufffd"]);
  await assertRejects(() => decodeAll(text({ fatal: true }), chunks, NONE), InvalidMessageError);
});

Deno.test("text() has a decoder of its own for each connection", () => {
  const format = text();
  const one = format.decoder(NONE)!;
  const two = format.decoder(NONE)!;
  one.decode(Uint8Array.of(0xc3));
  assertEquals([two.decode(Uint8Array.of(0xa9)), one.decode(Uint8Array.of(0xa9))], ["\ufffd", "é"]);
});

Deno.test("Connection with text() sends and receives strings under every framing", async () => {
  for (const name of FRAMING_NAMES) {
    await using pair = await rawPair({ framing: name, format: text() });
    await pair.connection.send("Grüße 😀");
    await pair.connection.closeWrite();
    const frame = framing(name).encode(new TextEncoder().encode("Grüße 😀"));
    assertEquals(await pair.peer.receive(100), frame);
    await pair.peer.send(frame);
    await pair.peer.closeWrite();
    assertEquals((await pair.connection.receiveAll()).join(""), "Grüße 😀", name);
  }
});

Deno.test("Connection sends a lone surrogate as U+FFFD", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "line", format: text() });
  connection.send("a\ud800b");
  connection.send("\udc00");
  connection.send("x".repeat(5000) + "\ud800");
  await connection.close();
  assertEquals(
    asText(transport.written),
    `a\ufffdb\n\ufffd\n${"x".repeat(5000)}\ufffd\n`,
  );
});

Deno.test("Connection with text() under none: batches(), iteration and receive() give what the end brings", async () => {
  const read = {
    batches: async (connection: Connection<string>) => {
      const all = [];
      for await (const batch of connection.batches()) all.push(...batch);
      return all;
    },
    iteration: (connection: Connection<string>) => Array.fromAsync(connection),
    receive: async (connection: Connection<string>) => {
      const all = [];
      for (let next; (next = await connection.receive()) !== undefined;) all.push(next);
      return all;
    },
    receiveAll: (connection: Connection<string>) => connection.receiveAll(),
  };
  for (const [name, way] of Object.entries(read)) {
    const transport = new FakeTransport();
    await using connection = new Connection(transport, { framing: "none", format: text() });
    transport.arrive([0x41, 0xe2]);
    transport.arrive([0x82]);
    transport.end();
    assertEquals((await way(connection)).join(""), "A\ufffd", name);
  }
});

// json()

Deno.test("json() sends and receives values of RFC 8259", async () => {
  const format = json();
  for (const value of [null, true, -0.5, "ü\n", [1, [2]], { a: { b: [] } }]) {
    const message = format.encode(value);
    assertEquals(message, JSON.stringify(value));
    const [decoded] = await decodeAll(format, [new TextEncoder().encode(message as string)]);
    assertEquals(decoded, value);
  }
});

Deno.test("json() refuses to send what is not JSON", () => {
  const format = json();
  assertThrows(() => format.encode(undefined), TypeError, "Cannot send undefined: it is not JSON");
  assertThrows(() => format.encode(() => {}), TypeError, "Cannot send function: it is not JSON");
  assertThrows(() => format.encode(1n), TypeError);
  const circle: unknown[] = [];
  circle.push(circle);
  assertThrows(() => format.encode(circle), TypeError);
});

Deno.test("json() accepts a byte order mark, refuses malformed UTF-8 and malformed JSON", async () => {
  const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x5b, 0x5d);
  assertEquals(await decodeAll(json(), [marked]), [[]]);
  for (const wrong of [[], [0x22, 0xff, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], ascii("{a:1}")]) {
    const error = await assertRejects(
      () => decodeAll(json(), [Uint8Array.from(wrong)]),
      InvalidMessageError,
    );
    assertEquals(error.message, "Cannot decode message: it is not JSON");
  }
});

for (const answers of ["at once", "later"] as const) {
  Deno.test(`json(schema) gives what a validator that answers ${answers} made of the message`, async () => {
    const values = await decodeAll(json(count(answers)), [ascii('{"count":3,"more":1}')]);
    assertEquals(values, [{ count: 3 }]);
  });

  Deno.test(`json(schema) refuses what a validator that answers ${answers} refuses, with all issues`, async () => {
    const error = await assertRejects(
      () => decodeAll(json(count(answers)), [ascii('{"count":-1}')]),
      InvalidMessageError,
    );
    assertEquals(error.message, "Cannot accept message: count must be positive; or 0");
  });

  Deno.test(`Connection with json(schema) that answers ${answers} gives the values before a wrong one, then its error`, async () => {
    const read = {
      receive: async (connection: Connection<{ count: number }>, seen: number[]) => {
        for (let n = 0; n < 3; n++) seen.push((await connection.receive())!.count);
      },
      iteration: async (connection: Connection<{ count: number }>, seen: number[]) => {
        for await (const { count } of connection) seen.push(count);
      },
      batches: async (connection: Connection<{ count: number }>, seen: number[]) => {
        for await (const batch of connection.batches()) {
          seen.push(...batch.map(({ count }) => count));
        }
      },
    };
    for (const [name, way] of Object.entries(read)) {
      const transport = new FakeTransport();
      const options = { framing: "line", format: json(count(answers)) } as const;
      const connection = new Connection(transport, options);
      transport.arrive(ascii('{"count":1}\n{"count":2}\n{"count":null}\n{"count":4}\n'));
      await turn();
      const seen: number[] = [];
      const error = await assertRejects(() => way(connection, seen), InvalidMessageError);
      assertEquals(error.message, "Cannot accept message: count must be a number");
      assertEquals(seen, [1, 2], name);
      assertEquals((await connection.closed).error, error);
      await assertRejects(() => connection.receive(), InvalidMessageError);
    }
  });
}

Deno.test("Connection with json() keeps going when a value cannot be sent, and closed tells", async () => {
  const transport = new FakeTransport({ endsInReply: true });
  const connection = new Connection(transport, { framing: "line", format: json<unknown>() });
  connection.send({ fine: 1 });
  connection.send(undefined);
  connection.send([2]);
  const info = await connection.close();
  assertEquals(asText(transport.written), '{"fine":1}\n[2]\n');
  assertInstanceOf(info.error, TypeError);
  assertEquals(connection.stats.messagesDropped, 1);
});

Deno.test("Connection is aborted by a validator that throws, with its error", async () => {
  const transport = new FakeTransport();
  const broken = new Error("broken validator");
  const schema: StandardSchema<never> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => {
        throw broken;
      },
    },
  };
  const connection = new Connection(transport, { framing: "line", format: json(schema) });
  transport.arrive(ascii("1\n"));
  assertEquals(await assertRejects(() => connection.receive()), broken);
  assertEquals((await connection.closed).error, broken);
});
