import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compareHippo } from "../src/golden/hippo.ts";
import { judge } from "../src/golden/judge.ts";
import { compareNplr } from "../src/golden/nplr.ts";
import type { GoldenRow, GoldenTensors } from "../src/golden/row.ts";

const root = new URL("../golden/", import.meta.url);

/** Just enough of the format for the F64 tensors of these groups. */
function readF64(path: URL): { tensors: GoldenTensors; attrs: Record<string, unknown> } {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: number[] }
  >;
  const tensors: GoldenTensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = data_offsets.map((offset) => offset + 8 + headerLength);
    tensors[name] = { dtype, shape, data: new Float64Array(new Uint8Array(file.subarray(start, end)).buffer) };
  }
  return {
    tensors,
    attrs: JSON.parse((header["__metadata__"] as unknown as { attrs: string }).attrs) as Record<string, unknown>,
  };
}

/** Names of the rows outside their bound; a NaN or a missing element is outside as well. */
function failing(rows: GoldenRow[]): string[] {
  return rows.filter((row) => !judge(row).ok).map((row) => row.tensor);
}

const groups = { hippo: compareHippo, nplr: compareNplr };

describe.each(Object.entries(groups))("golden group %s", (group, compare) => {
  const folder = new URL(`${group}/`, root);
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));

  it("has vectors", () => expect(files.length).toBeGreaterThan(3));

  it.each(files)("%s", (file) => {
    const { tensors, attrs } = readF64(new URL(file, folder));
    const rows = compare(tensors, attrs);
    expect(rows.length).toBeGreaterThanOrEqual(Math.min(Object.keys(tensors).length, 6));
    expect(failing(rows)).toEqual([]);
  });
});

describe("the comparison itself", () => {
  it.each(["out.A", "out.B", "out.zoh.0.1.A", "out.bilinear.0.001.B"])(
    "notices %s of legs-9 moved by a billionth",
    (name) => {
      const { tensors, attrs } = readF64(new URL("hippo/legs-9.safetensors", root));
      tensors[name].data[3] += 1e-9;
      expect(failing(compareHippo(tensors, attrs))).toEqual([name]);
    },
  );

  it.each(["out.Lambda", "out.P", "out.B", "out.V"])("notices %s of legs-8 moved by a billionth", (name) => {
    const { tensors, attrs } = readF64(new URL("nplr/legs-8.safetensors", root));
    tensors[name].data[2] += 1e-9;
    expect(failing(compareNplr(tensors, attrs)).length).toBeGreaterThan(0);
  });

  it("does not depend on the phases of the eigenvectors", () => {
    const { tensors, attrs } = readF64(new URL("nplr/legs-8.safetensors", root));
    for (const name of ["out.V", "out.P", "out.B"]) {
      // -1 for the first column: -V, -V^* P, -V^* B
      const { data, shape } = tensors[name];
      const width = 2 * shape.at(-2)!;
      for (let i = 0; i < data.length; i++) if (i % width < 2) data[i] = -data[i];
    }
    expect(failing(compareNplr(tensors, attrs))).toEqual([]);
  });

  it("names a tensor the group does not have", () => {
    const { tensors, attrs } = readF64(new URL("hippo/legs-4.safetensors", root));
    tensors["out.rk4.0.1.A"] = tensors["out.A"];
    expect(() => compareHippo(tensors, attrs)).toThrow(/unknown discretization rk4/);
  });
});
