import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WasmBackend } from "../src/index.ts";
import * as mamba3 from "../src/ops/mamba3Scan/index.ts";
import * as ssd from "../src/ops/ssdScan/index.ts";

type Info = { dataId: object; shape: number[]; dtype: "float32" | "int32" };

/** Several chunks a row, extents that fill no panel, sequences that end inside chunks. */
const [b, l, h, g, r, p, n] = [2, 301, 4, 2, 3, 12, 10];
let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start({ threads: 2 });
});
afterAll(() => backend.dispose());

const noise = (i: number, seed: number): number => Math.sin(seed + 12.9898 * i) * Math.cos(0.37 * i * seed);
function floats(shape: number[], seed: number, map = (x: number): number => x): Info {
  const values = Float32Array.from({ length: shape.reduce((x, y) => x * y) }, (_, i) => map(noise(i, seed)));
  return { dataId: backend.write(values, shape, "float32"), shape, dtype: "float32" };
}
const sequences = (): Info => ({
  dataId: backend.write(
    Int32Array.from({ length: b * l }, (_, i) => Math.floor((i % l) / 47)),
    [b, l],
    "int32",
  ),
  shape: [b, l],
  dtype: "int32",
});

/**
 * The two forms round in different places, each some tens of times on a value's path: against the largest value. What is one a head
 * (or one a channel) is a sum over b l tokens whose parts cancel, and keeps the rounding of a random walk as long.
 */
function expectEqual(chunked: Info[], recurrent: Info[]): void {
  expect(chunked.length).toBe(recurrent.length);
  for (const [i, info] of chunked.entries()) {
    const actual = backend.readSync(info.dataId) as Float32Array;
    const expected = backend.readSync(recurrent[i]!.dataId) as Float32Array;
    const peak = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
    expect(peak).toBeGreaterThan(0);
    const worst = actual.reduce(
      (largest, x, j) => Math.max(largest, Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.abs(x - expected[j]!)),
      0,
    );
    const terms = actual.length < b * l ? Math.sqrt(b * l) : 1;
    expect(worst).toBeLessThan(64 * terms * 2 ** -24 * peak);
  }
}

describe.each([
  ["one sequence a row", false],
  ["packed sequences", true],
])("scans in chunks equal the recurrence: %s", (_, packed) => {
  it("Mamba-2, forward and gradients", () => {
    const attrs = {
      dtSoftplus: true,
      dtMin: 0,
      dtMax: Number.POSITIVE_INFINITY,
      chunkSize: 128,
      returnLastState: true,
    };
    const inputs = {
      x: floats([b, l, h, p], 2),
      dt: floats([b, l, h], 3, (x) => x - 4),
      A: floats([h], 4, (x) => -0.05 - Math.abs(x)),
      B: floats([b, l, g, n], 5),
      C: floats([b, l, g, n], 6),
      D: floats([h, p], 7),
      z: floats([b, l, h, p], 9),
      dtBias: floats([h], 10),
      initialState: floats([b, h, p, n], 11),
      ...(packed ? { seqIdx: sequences() } : {}),
    };
    expectEqual(
      ssd.ssdScanChunked(backend, inputs, attrs) as Info[],
      ssd.ssdScanRecurrent(backend, inputs, attrs) as Info[],
    );
    const upstream = { ...inputs, dY: floats([b, l, h, p], 12), dLastState: floats([b, h, p, n], 13) };
    expectEqual(
      ssd.ssdScanChunkedGrad(backend, upstream, attrs) as Info[],
      ssd.ssdScanRecurrentGrad(backend, upstream, attrs) as Info[],
    );
  });
  it("Mamba-3 with several ranks, forward and gradients", () => {
    const attrs = { chunkSize: 64, returnLastState: true };
    const inputs = {
      q: floats([b, l, h, r, n], 2),
      k: floats([b, l, h, r, n], 3),
      v: floats([b, l, h, r, p], 4),
      adt: floats([b, l, h], 5, (x) => -0.05 * Math.abs(x)),
      dt: floats([b, l, h], 6, (x) => 0.1 * Math.abs(x)),
      trap: floats([b, l, h], 7),
      D: floats([h], 8),
      z: floats([b, l, h, r, p], 9),
      initialState: floats([b, h, p, n], 10),
      initialK: floats([b, h, r, n], 11),
      initialV: floats([b, h, r, p], 12),
      ...(packed ? { seqIdx: sequences() } : {}),
    };
    expectEqual(
      mamba3.mamba3ScanChunked(backend, inputs, attrs) as Info[],
      mamba3.mamba3ScanRecurrent(backend, inputs, attrs) as Info[],
    );
    const upstream = { ...inputs, dY: floats([b, l, h, r, p], 13), dLastState: floats([b, h, p, n], 14) };
    expectEqual(
      mamba3.mamba3ScanChunkedGrad(backend, upstream, attrs) as Info[],
      mamba3.mamba3ScanRecurrentGrad(backend, upstream) as Info[],
    );
  });
});
