/** Metrics as text: both formats, and which one is given to whom. */

import { assertEquals, assertMatch } from "@std/assert";
import { exposition } from "../../metrics/exposition.ts";
import { preferred } from "../../metrics/negotiation.ts";
import { type Family, metrics } from "../../metrics.ts";
import { listen } from "../../server.ts";

const FAMILIES: readonly Family[] = [
  { name: "a", type: "gauge", help: 'Says "a"\nand \\.', samples: [{ value: 0.5 }] },
  {
    name: "b_bytes",
    type: "counter",
    help: "Bytes.",
    unit: "bytes",
    samples: [{ labels: { way: "in" }, value: 1e21 }, { labels: { way: 'a"b\\c\nd' }, value: 2 }],
  },
  {
    name: "c_seconds",
    type: "histogram",
    help: "Times.",
    unit: "seconds",
    histograms: [{ labels: { x: "y" }, bounds: [0.5, 1], counts: [2, 0, 1], sum: 7.25 }],
  },
];

Deno.test("exposition() writes Prometheus' text, which names a counter with its suffix", () => {
  assertEquals(
    exposition(FAMILIES, "prometheus"),
    [
      '# HELP a Says "a"\\nand \\\\.',
      "# TYPE a gauge",
      "a 0.5",
      "# HELP b_bytes_total Bytes.",
      "# TYPE b_bytes_total counter",
      'b_bytes_total{way="in"} 1e+21',
      'b_bytes_total{way="a\\"b\\\\c\\nd"} 2',
      "# HELP c_seconds Times.",
      "# TYPE c_seconds histogram",
      'c_seconds_bucket{x="y",le="0.5"} 2',
      'c_seconds_bucket{x="y",le="1.0"} 2',
      'c_seconds_bucket{x="y",le="+Inf"} 3',
      'c_seconds_sum{x="y"} 7.25',
      'c_seconds_count{x="y"} 3',
      "",
    ].join("\n"),
  );
});

Deno.test("exposition() writes OpenMetrics, with units, and with a mark at the end", () => {
  const lines = exposition(FAMILIES, "openmetrics").split("\n");
  assertEquals(lines.slice(0, 8), [
    '# HELP a Says \\"a\\"\\nand \\\\.',
    "# TYPE a gauge",
    "a 0.5",
    "# HELP b_bytes Bytes.",
    "# TYPE b_bytes counter",
    "# UNIT b_bytes bytes",
    'b_bytes_total{way="in"} 1e+21',
    'b_bytes_total{way="a\\"b\\\\c\\nd"} 2',
  ]);
  assertEquals(lines.slice(-2), ["# EOF", ""]);
});

const PROMETHEUS_2_42 =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

for (
  const [accept, format] of [
    [PROMETHEUS_2_42, "openmetrics"],
    [null, "prometheus"],
    ["*/*", "prometheus"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "prometheus"],
    ["application/json", "prometheus"],
    ["Application/OpenMetrics-Text", "openmetrics"],
    ["application/openmetrics-text; version=2.0.0", "prometheus"],
    ["application/openmetrics-text;q=0.3, text/plain;q=0.4", "prometheus"],
    ["application/openmetrics-text;q=x", "prometheus"],
    [",;=", "prometheus"],
  ] as const
) {
  Deno.test(`metrics for whoever accepts ${accept} are ${format}`, () => {
    assertEquals(preferred(accept), format);
  });
}

Deno.test("metrics() of a server are in base units, with labels from closed lists, and more of the program", async () => {
  await using server = await listen("tcp://127.0.0.1:0");
  const more: Family = { name: "mine", type: "gauge", help: "Mine.", samples: [{ value: 3 }] };
  const all = metrics(server, { process: false, more: () => [more] });
  for (const { name, type, unit, help, samples = [], histograms = [] } of all.families()) {
    assertMatch(name, /^(lengthwise_[a-z_]+|mine)$/);
    assertMatch(help, /^[A-Z][^\n]*\.$/);
    assertEquals(name.endsWith(`_${unit}`), unit !== undefined, name);
    assertEquals(samples.length > 0, type !== "histogram", name);
    for (const { bounds, counts } of histograms) assertEquals(counts.length, bounds.length + 1);
  }
  assertMatch(all.text(), /^mine 3$/m);
  assertMatch(all.text("openmetrics"), /\n# EOF\n$/);
});

Deno.test("metrics() tell memory and start of the process, unless somebody else does", async () => {
  await using server = await listen("tcp://127.0.0.1:0");
  assertMatch(metrics(server).text(), /^process_resident_memory_bytes \d{7,}$/m);
  assertEquals(metrics(server, { process: false }).text().includes("process_"), false);
});
