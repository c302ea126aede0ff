import { assertEquals } from "@std/assert";
import { likely } from "../../internal/nearest.ts";

const WORDS = ["chat", "echo", "print", "sink", "files", "u8", "u32be", "line", "max-message"];

for (
  const [word, meant] of [
    ["ehco", "echo"],
    ["cho", "echo"],
    ["pr", "print"],
    ["file", "files"],
    ["LINE", "line"],
    ["u32", "u32be"],
    ["u32bee", "u32be"],
    ["max-mesage", "max-message"],
    ["maxmessag", "max-message"],
    ["foo", undefined],
    ["-1", undefined],
    ["1", undefined],
    ["e", undefined],
    ["", undefined],
    ["zzzzz", undefined],
    ["utf8", undefined],
    ["e".repeat(10_000_000), undefined],
  ] as const
) {
  Deno.test(`likely() takes ${JSON.stringify(word.slice(0, 20))} for ${meant ?? "nothing"}`, () => {
    assertEquals(likely(word, WORDS), meant);
  });
}

const COMMANDS = ["send", "request", "put", "get", "ls", "ping", "bench"];

for (
  const [word, meant] of [
    ["pign", "ping"],
    ["pingg", "ping"],
    ["req", "request"],
    ["p", "put"],
    ["pot", "put"],
    ["pong", "ping"],
    ["belch", "bench"],
    ["sing", "send"],
    ["foo", undefined],
    ["sendmessage", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`likely() that is eager takes "${word}" for ${meant ?? "nothing"}`, () => {
    assertEquals(likely(word, COMMANDS, { eager: true }), meant);
  });
}
