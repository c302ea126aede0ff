/** Who may come in: addresses on lists, addresses that belong together, how fast they come. */

import { assert, assertEquals, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type AddressRules, deniedBy } from "../../listen/address_rules.ts";
import { isLocalPeer, networkOf } from "../../listen/addresses.ts";

import { Recent } from "../../listen/recent.ts";
import { clocked, comeIn } from "../support/admission.ts";

/** Those of the addresses that come in under the rules. */
function letIn(rules: AddressRules, ...hostnames: string[]): string[] {
  const denied = deniedBy(rules);
  assert(denied !== undefined);
  return hostnames.filter((hostname) => !denied(hostname));
}

/** A network, addresses on its edges inside, and addresses beyond them. */
const NETWORKS: [string, string[], string[]][] = [
  ["192.168.1.7", ["192.168.1.7", "::ffff:192.168.1.7"], ["192.168.1.6", "192.168.1.8"]],
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:1"]],
  ["200.0.0.0/6", ["200.0.0.0", "203.255.255.255"], ["199.255.255.255", "204.0.0.0"]],
  ["128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255"]],
  ["10.0.0.2/31", ["10.0.0.2", "10.0.0.3"], ["10.0.0.1", "10.0.0.4"]],
  ["10.0.0.2/32", ["10.0.0.2"], ["10.0.0.1", "10.0.0.3"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1", "2001:db8::1"]],
  ["::/0", ["::", "2001:db8::1", "fe80::1%eth0"], ["1.2.3.4", "::ffff:1.2.3.4"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "127.0.0.1"]],
  ["::1/128", ["::1"], ["::", "::2"]],
  ["fe80::/10", ["fe80::1", "fe80::1%eth0", "FEBF:ffff::"], ["fe7f:ffff::", "fec0::"]],
  ["2001:DB8::/33", ["2001:db8:7fff::", "2001:db8::"], ["2001:db8:8000::", "2001:db7:ffff::"]],
  ["2001:db8::2/127", ["2001:db8::2", "2001:db8::3"], ["2001:db8::1", "2001:db8::4"]],
  ["::ffff:10.0.0.0/104", ["10.1.1.1", "::ffff:a01:101"], ["11.1.1.1", "::a01:101"]],
  ["::ffff:0:0/96", ["0.0.0.0", "255.255.255.255"], ["::1", "::fffe:0:0"]],
  ["::ffff:10.0.0.1", ["10.0.0.1"], ["10.0.0.2"]],
];

Deno.test("deniedBy() lets in what allow names and nothing else", () => {
  for (const [network, inside, outside] of NETWORKS) {
    assertEquals(letIn({ allow: [network] }, ...inside, ...outside), inside, network);
  }
});

Deno.test("deniedBy() keeps out what deny names and nothing else", () => {
  for (const [network, inside, outside] of NETWORKS) {
    assertEquals(letIn({ deny: [network] }, ...inside, ...outside), outside, network);
  }
});

Deno.test("deniedBy() goes by deny where allow says otherwise", () => {
  const rules = { allow: ["10.0.0.0/8", "::1"], deny: ["192.0.2.1", "10.1.0.0/16"] };
  assertEquals(
    letIn(
      rules,
      "10.0.0.1",
      "10.1.0.1",
      "10.2.0.1",
      "::1",
      "::ffff:10.1.2.3",
      "192.0.2.1",
      "8.8.8.8",
    ),
    ["10.0.0.1", "10.2.0.1", "::1"],
  );
});

Deno.test("deniedBy() never keeps out a peer without address", () => {
  assertEquals(letIn({ allow: [], deny: ["0.0.0.0/0", "::/0"] }, "", "127.0.0.1", "::1"), [""]);
});

Deno.test("deniedBy() takes what is no address for one that is on no list", () => {
  const garbage = ["localhost", "10.0.0.1.", "10.0.0", "010.0.0.1", "10.0.0.1%eth0", "10.0.0.256"];
  garbage.push(
    ":::",
    "1::2::3",
    "[::1]",
    "::1]/[",
    "::1%",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    " ",
    "\0",
  );
  assertEquals(letIn({ allow: ["0.0.0.0/0", "::/0"] }, ...garbage), []);
  assertEquals(letIn({ deny: ["0.0.0.0/0", "::/0"] }, ...garbage), garbage);
});

Deno.test("deniedBy() needs nothing without rules", () => {
  assertEquals(deniedBy({}), undefined);
  assertEquals(letIn({ deny: [] }, "10.0.0.1"), ["10.0.0.1"]);
  assertEquals(letIn({ allow: [] }, "10.0.0.1"), []);
});

Deno.test("deniedBy() names what is no network, and what would be right", () => {
  const example = `it must be an IP address or a network, such as "192.168.1.7" or "10.0.0.0/8"`;
  const wrong: [string, string][] = [
    ["localhost", example],
    ["", example],
    ["10.0.0", example],
    ["10.0.0.0/8/8", example],
    ["/8", example],
    ["[::1]", example],
    [" 10.0.0.1", example],
    ["1::2::3", example],
    ["10.0.0.0/33", "the prefix must be an integer from 0 to 32"],
    ["10.0.0.0/", "the prefix must be an integer from 0 to 32"],
    ["10.0.0.0/08", "the prefix must be an integer from 0 to 32"],
    ["10.0.0.0/-1", "the prefix must be an integer from 0 to 32"],
    ["10.0.0.0/255.0.0.0", "the prefix must be an integer from 0 to 32"],
    ["::/129", "the prefix must be an integer from 0 to 128"],
    ["::ffff:10.0.0.0/95", "the prefix must be an integer from 96 to 128"],
    ["fe80::1%eth0", `peers are told without zone; write "fe80::1"`],
    [
      "10.0.0.1/8",
      `its address goes beyond its prefix; write "10.0.0.0/8" for the network, or "10.0.0.1" for the address`,
    ],
    [
      "2001:DB8:0:0:1::1/33",
      `its address goes beyond its prefix; write "2001:db8::/33" for the network, or "2001:db8::1:0:0:1" for the address`,
    ],
    [
      "::ffff:10.0.0.1/104",
      `its address goes beyond its prefix; write "10.0.0.0/8" for the network, or "10.0.0.1" for the address`,
    ],
  ];
  for (const name of ["allow", "deny"]) {
    for (const [text, state] of wrong) {
      const error = assertThrows(() => deniedBy({ [name]: ["::1", text] }), TypeError);
      assertEquals(error.message, `Cannot use ${name} "${text}": ${state}`);
    }
    for (const value of ["10.0.0.0/8", [8], 8, null]) {
      const error = assertThrows(() => deniedBy({ [name]: value }), TypeError);
      const state = "it must be an array of strings";
      assertEquals(error.message, `Cannot use ${name} ${JSON.stringify(value)}: ${state}`);
    }
  }
});

Deno.test("deniedBy() finds every address in the networks of it, in no other", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const address = fc.tuple(octet, octet, octet, octet);
  const number = (octets: number[]) => octets.reduce((sum, octet) => sum * 256 + octet, 0);
  fc.assert(fc.property(address, address, fc.integer({ min: 0, max: 32 }), (one, other, bits) => {
    const size = 2 ** (32 - bits);
    const start = Math.floor(number(one) / size) * size;
    const network = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".");
    const denied = deniedBy({ deny: [`${network}/${bits}`] })!;
    const inside = number(other) >= start && number(other) < start + size;
    assert(denied(one.join(".")));
    assertEquals(denied(other.join(".")), inside);
    assertEquals(denied(`::ffff:${other.join(".")}`), inside);
  }));
});

Deno.test("networkOf() is the same for IPv6 addresses that share 64 bits, and for IPv4 in IPv6", () => {
  const same = [
    ["2001:db8::1", "2001:db8::2", "2001:DB8:0:0:ffff::", "2001:db8:0:0:1:2:3:4", "2001:0db8::%9"],
    ["2001:db8:0:1::", "2001:db8:0:1:ffff:ffff:ffff:ffff"],
    ["1:2:3:4::", "1:2:3:4:5:6:7:8", "1:2:3:4::8"],
    ["::1", "::2", "::1:0:0:0"],
    ["fe80::1", "fe80::2%eth0"],
    ["10.0.0.1", "::ffff:10.0.0.1", "::FFFF:a00:1", "0:0:0:0:0:ffff:10.0.0.1"],
    ["10.0.0.2"],
    ["garbage"],
    ["gar:bage"],
    [""],
  ];
  const names = same.map((addresses) => new Set(addresses.map(networkOf)));
  for (const [index, name] of names.entries()) assertEquals(name.size, 1, same[index].join(" "));
  assertEquals(new Set(names.flatMap((name) => [...name])).size, same.length);
});

Deno.test("networkOf() is the first 64 bits, wherever the zeros are", () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 })
    .filter((groups) => groups.slice(0, 5).some((group) => group !== 0));
  const long = (groups: number[]) => groups.map((group) => group.toString(16)).join(":");
  fc.assert(fc.property(groups, groups, (one, other) => {
    const short = new URL(`http://[${long(one)}]`).hostname.slice(1, -1);
    assertEquals(networkOf(short), networkOf(long(one)));
    assertEquals(networkOf(long([...one.slice(0, 4), ...other.slice(4)])), networkOf(short));
    assertEquals(
      networkOf(long(one)) === networkOf(long(other)),
      long(one.slice(0, 4)) === long(other.slice(0, 4)),
    );
  }));
});

Deno.test("isLocalPeer() knows this machine in every form", () => {
  const loopback = ["", "127.0.0.1", "127.255.0.3", "::1", "0:0:0:0:0:0:0:1", "::1%lo"];
  loopback.push("::ffff:127.0.0.1", "::FFFF:7f00:1");
  const others = ["128.0.0.1", "1.127.0.0", "::", "::2", "::7f00:1", "::127.0.0.1", "fe80::1"];
  others.push("127.evil", "127.0.0.1.example", "localhost", "::ffff:127.x", "1::1");
  assertEquals([...loopback, ...others].filter(isLocalPeer), loopback);
});

Deno.test("Admission refuses what is denied before all else, and counts it", () => {
  const { admission } = clocked({ maxConnections: 1, denied: deniedBy({ deny: ["10.0.0.0/8"] }) });
  const answers = ["10.0.0.1", "192.0.2.1", "10.0.0.1", ""].map((name) => admission.enter(name));
  assertEquals(answers, ["denied", undefined, "denied", "maxConnections"]);
  assertEquals(admission.refused, 3);
  assertEquals(admission.refusals, {
    maxConnections: 1,
    maxConnectionsPerAddress: 0,
    maxConnectionRate: 0,
    denied: 2,
  });
});

Deno.test("Admission denies loopback like others where the rules say so", () => {
  const { admission } = clocked({ denied: deniedBy({ allow: ["10.0.0.0/8"] }) });
  assertEquals(admission.enter("127.0.0.1"), "denied");
  assertEquals(admission.enter(""), undefined);
});

Deno.test("Admission counts IPv6 addresses that share 64 bits as one", () => {
  const { admission } = clocked({ maxConnectionsPerAddress: 2 });
  const enter = (hostname: string) => admission.enter(hostname);
  assertEquals(
    ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"].map(enter),
    [undefined, undefined, "maxConnectionsPerAddress", undefined],
  );
  admission.leave("2001:db8::1");
  assertEquals(["2001:db8::4", "2001:db8::5"].map(enter), [undefined, "maxConnectionsPerAddress"]);
  assertEquals(
    ["::ffff:192.0.2.1", "192.0.2.1", "::ffff:c000:201", "192.0.2.2"].map(enter),
    [undefined, undefined, "maxConnectionsPerAddress", undefined],
  );
});

Deno.test("Admission counts loopback in all, and not with its neighbours in ::/64", () => {
  const { admission } = clocked({ maxConnections: 4, maxConnectionsPerAddress: 1 });
  const enter = (hostname: string) => admission.enter(hostname);
  assertEquals(
    ["::1", "::1", "::2", "::3", "::1", "::1"].map(enter),
    [undefined, undefined, undefined, "maxConnectionsPerAddress", undefined, "maxConnections"],
  );
  admission.leave("::1");
  assertEquals(["::3", "::1"].map(enter), ["maxConnectionsPerAddress", undefined]);
});

Deno.test("Admission lets in maxConnectionRate per second and address, twice as many at once", () => {
  const { clock, admission } = clocked({ maxConnectionRate: 10 });
  assertEquals(comeIn(admission, "192.0.2.1"), 20);
  assertEquals(admission.enter("192.0.2.1"), "maxConnectionRate");
  assertEquals(comeIn(admission, "2001:db8::1"), 20);
  assertEquals(admission.enter("2001:db8::2"), "maxConnectionRate");
  clock.time = 1000;
  assertEquals(comeIn(admission, "192.0.2.1"), 10);
  clock.time = 60_000;
  assertEquals(comeIn(admission, "::ffff:192.0.2.1"), 20);
  assertEquals(admission.refusals.maxConnectionRate, admission.refused);
});

Deno.test("Admission takes nothing of the rate for what it refuses", () => {
  const { clock, admission } = clocked({ maxConnectionRate: 1, maxConnectionsPerAddress: 1 });
  const enter = () => admission.enter("192.0.2.1");
  assertEquals([enter(), enter(), enter()], [
    undefined,
    "maxConnectionsPerAddress",
    "maxConnectionsPerAddress",
  ]);
  admission.leave("192.0.2.1");
  assertEquals(enter(), undefined);
  admission.leave("192.0.2.1");
  for (let n = 0; n < 100; n++) assertEquals(enter(), "maxConnectionRate");
  clock.time = 1000;
  assertEquals(enter(), undefined);
});

Deno.test("Admission does not limit the rate of loopback, nor without maxConnectionRate", () => {
  const limited = clocked({ maxConnectionRate: 1 }).admission;
  const free = clocked({}).admission;
  for (let n = 0; n < 1000; n++) {
    for (const hostname of ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""]) {
      limited.penalize(hostname);
      assertEquals(limited.enter(hostname), undefined);
    }
    free.penalize("192.0.2.1");
    assertEquals(free.enter("192.0.2.1"), undefined);
  }
  assertEquals(limited.remembered, 0);
});

Deno.test("Admission.penalize() costs an address ten connections", () => {
  const { clock, admission } = clocked({ maxConnectionRate: 10 });
  admission.penalize("192.0.2.1");
  assertEquals(comeIn(admission, "192.0.2.1"), 10);
  admission.penalize("192.0.2.1");
  clock.time = 1000;
  assertEquals(comeIn(admission, "192.0.2.1"), 0);
  clock.time = 2000;
  assertEquals(comeIn(admission, "192.0.2.1"), 10);
  assertEquals(comeIn(admission, "192.0.2.2"), 20);
});

Deno.test("Admission.penalize() slows guessing down, with many connections at once too", () => {
  for (const atOnce of [1, 10, 64]) {
    const { clock, admission } = clocked({
      maxConnectionRate: 100,
      maxConnectionsPerAddress: atOnce,
    });
    let guesses = 0;
    for (; clock.time < 60_000; clock.time += 10) {
      const open = comeIn(admission, "192.0.2.1");
      for (let n = 0; n < open; n++) {
        admission.penalize("192.0.2.1");
        admission.leave("192.0.2.1");
      }
      guesses += open;
    }
    // A guess costs 11 of 100 per second, after 200 at once.
    assertLessOrEqual(guesses, 60 * 100 / 11 + 200);
    assertLess(500, guesses);
  }
});

Deno.test("Admission.penalize() keeps no address out for more than 20 seconds or so", () => {
  for (const maxConnectionRate of [1, 10, 1000]) {
    const { clock, admission } = clocked({ maxConnectionRate });
    for (let n = 0; n < 10_000; n++) admission.penalize("192.0.2.1");
    clock.time = 20_000;
    assertEquals(admission.enter("192.0.2.1"), "maxConnectionRate");
    clock.time = 21_000;
    assertEquals(admission.enter("192.0.2.1"), undefined);
  }
});

Deno.test("Recent gives the value of a key while it keeps coming", () => {
  const clock = { time: 0 };
  const recent = new Recent({ maxKeys: 100, maxAge: 1000 }, () => ({}), () => clock.time);
  const first = recent.get("a");
  for (let n = 0; n < 50; n++) {
    clock.time += 999;
    assert(recent.get("a") === first);
  }
  clock.time += 1999;
  recent.get("b");
  clock.time += 1000;
  assert(recent.get("a") !== first);
});

Deno.test("Recent does not forget before maxAge, unless there are too many keys", () => {
  const keys = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200, size: "max" });
  fc.assert(fc.property(keys, fc.boolean(), (keys, many) => {
    const clock = { time: 0 };
    const maxKeys = many ? 10 : 1000;
    const recent = new Recent({ maxKeys, maxAge: 100 }, () => ({}), () => clock.time);
    const seen = new Map<number, { at: number; value: object }>();
    for (const key of keys) {
      clock.time += 7;
      const value = recent.get(`${key}`);
      const last = seen.get(key);
      if (!many && last !== undefined && clock.time - last.at < 100) assert(value === last.value);
      assert(recent.get(`${key}`) === value);
      assertLessOrEqual(recent.size, maxKeys);
      seen.set(key, { at: clock.time, value });
    }
  }));
});

Deno.test("Recent keeps the value of a key that comes when there are too many", () => {
  const recent = new Recent({ maxKeys: 4, maxAge: 1000 }, () => ({}), () => 0);
  const first = recent.get("a");
  for (const key of ["b", "c", "d"]) recent.get(key);
  assert(recent.get("a") === first);
});
