/** The dashboard for Grafana, and the pages about metrics. */

import { assert, assertEquals } from "@std/assert";
import { type Family, metrics } from "../../metrics.ts";
import { RequestTotals } from "../../request.ts";
import { listen } from "../../server.ts";

const ROOT = new URL("../../", import.meta.url);

async function families(): Promise<Family[]> {
  await using server = await listen("tcp://127.0.0.1:0");
  const requests = new RequestTotals();
  requests.answered("add", undefined, 1);
  return metrics(server, { requests }).families();
}

/** The names under which Prometheus keeps what a metric tells. */
function namesOf({ name, type }: Family): string[] {
  if (type === "gauge") return [name];
  if (type === "counter") return [`${name}_total`];
  return ["bucket", "sum", "count"].map((part) => `${name}_${part}`);
}

/** The labels that a metric has. */
function labelsOf({ samples = [], histograms = [] }: Family): string[] {
  const labels = [...samples, ...histograms].flatMap(({ labels = {} }) => Object.keys(labels));
  return [...labels, ...(histograms.length > 0 ? ["le"] : []), "job", "instance"];
}

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

async function expressions(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("docs/grafana.json", ROOT));
  const { panels, templating }: Dashboard = JSON.parse(text);
  return [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ definition }) => definition ?? []),
  ];
}

Deno.test("The dashboard names only metrics that exist, with labels that they have", async () => {
  const known = new Map(
    (await families()).flatMap((family) => namesOf(family).map((name) => [name, family] as const)),
  );
  const found = await expressions();
  assert(found.length > 12);
  for (const expression of found) {
    const names = expression.match(/\b(?:lengthwise|process)_\w+/g) ?? [];
    assert(names.length > 0, expression);
    for (const name of names) {
      assert(known.has(name), `${name} in ${expression}`);
      const labels = labelsOf(known.get(name)!);
      for (const [_, label] of expression.matchAll(/by \(([\w, ]+)\)/g)) {
        for (const one of label.split(", ")) assert(labels.includes(one), `${one} of ${name}`);
      }
    }
  }
});

Deno.test("The dashboard shows every metric of a server but those that only say when", async () => {
  const shown = (await expressions()).join();
  const missing = (await families()).map(({ name }) => name).filter((name) =>
    !shown.includes(name)
  );
  assertEquals(missing, ["process_start_time_seconds"]);
});

Deno.test("docs/metrics.md has each metric, and names no other", async () => {
  const page = await Deno.readTextFile(new URL("docs/metrics.md", ROOT));
  const told = new Set(
    page.match(/`(?:lengthwise|process)_\w+`/g)!.map((name) => name.slice(1, -1)),
  );
  const exist = (await families()).map((family) =>
    family.type === "counter" ? `${family.name}_total` : family.name
  );
  assertEquals([...told].toSorted(), exist.toSorted());
});
