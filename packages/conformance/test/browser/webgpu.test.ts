import { setBackend } from "@statespace/core";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { parseSafetensors, toFloat64Array } from "@statespace/files";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { opCases } from "../../src/cases/index.ts";
import type { GoldenCase } from "../../src/golden/goldenCase.ts";
import { goldenGroups } from "../../src/golden/groups.ts";
import { judge } from "../../src/golden/judge.ts";
import { checkForward, checkGradients } from "../../src/harness/checkCase.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Every case, not one of each op and of each golden group; see the project's configuration. */
    readonly allCases: boolean;
  }
}

declare global {
  interface ImportMeta {
    /** Vite's own. */
    glob(pattern: string, options: object): Record<string, string>;
  }
}

const files: Record<string, string> = import.meta.glob("../../golden/*/**/*.safetensors", {
  query: "?url",
  import: "default",
  eager: true,
});

/** The golden cases that depend on a backend, by their address on the test server. */
const cases = Object.entries(files).flatMap(([path, url]) => {
  const [group, name, inner] = path
    .replace("../../golden/", "")
    .replace(/\.safetensors$/, "")
    .split("/") as [string, string, string?];
  return goldenGroups[group]!.backendFree || (inner ?? "expected") !== "expected"
    ? []
    : [[`${group}/${name}`, group, name, url] as const];
});

async function readGolden(group: string, name: string, url: string): Promise<GoldenCase> {
  const { metadata, tensors } = parseSafetensors(new Uint8Array(await (await fetch(url)).arrayBuffer()), url);
  const values = Object.fromEntries(
    [...tensors].map(([key, raw]) => [key, { dtype: raw.dtype, shape: [...raw.shape], data: toFloat64Array(raw) }]),
  );
  const folder = new URL(url.replace(/\/[^/]*$/, "/"), location.href).href;
  return {
    group,
    name,
    folder,
    attrs: JSON.parse(metadata.get("attrs") ?? "{}") as Record<string, unknown>,
    tensors: values,
  };
}

beforeAll(() => setBackend(webGpuBackend()));

/** Of each op the last case, which is not plain; `CONFORMANCE_CASES=all` runs the rest here as Node does. */
const chosen = opCases.filter((c) => inject("allCases") || c === opCases.findLast(({ op }) => op === c.op));
/** Of each group the first. */
const goldenChosen = cases.filter(
  ([, group], i) => inject("allCases") || i === cases.findIndex(([, other]) => other === group),
);

describe("op cases", () => {
  it("are of every op", () =>
    expect(new Set(chosen.map(({ op }) => op))).toEqual(new Set(opCases.map(({ op }) => op))));
  it.each(chosen.map((c) => [`${c.op.spec.name}: ${c.name}`, c] as const))("%s", async (_, c) => {
    const verdicts = [...(await checkForward(c)), ...(await checkGradients(c))];
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
  });
});

describe("golden vectors", () => {
  it("are all here", () => expect(cases.length).toBeGreaterThan(30));
  it.each(goldenChosen)("%s", async (_, group, name, url) => {
    const rows = await goldenGroups[group]!.compare(await readGolden(group, name, url));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map((row) => judge(row)).filter(({ ok }) => !ok)).toEqual([]);
  });
});
