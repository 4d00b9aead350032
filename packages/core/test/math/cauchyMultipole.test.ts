import { describe, expect, it } from "vitest";
import { Rng } from "@statespace/core";
import { makeNplr } from "@statespace/core/hippo";
import { CauchyMultipole, cauchyTree } from "@statespace/core/math";

/** The claim: every term errs by at most float32's rounding. Float64's own, some 2^-52 a term, does not show beside it. */
const ROUNDING = 2 ** -24;

type Points = Float64Array; // [count, 2]

/** The largest errors of values and slopes at up to `probes` of the nodes, relative to the sums of absolute terms. */
function errors(poles: Points, nodes: Points, weights: Points, probes = 400): { value: number; slope: number } {
  const count = nodes.length / 2;
  const [values, alone, slopes] = [
    new Float64Array(2 * count),
    new Float64Array(2 * count),
    new Float64Array(2 * count),
  ];
  const [z, w] = [cauchyTree(nodes), cauchyTree(poles)];
  new CauchyMultipole(w, z).sum(weights, { values: alone });
  new CauchyMultipole(w, z, true).sum(weights, { values, slopes });
  const worst = { value: 0, slope: 0 };
  for (let probe = 0; probe < Math.min(count, probes); probe++) {
    const t = Math.floor((probe * count) / Math.min(count, probes));
    const exact = directSum(poles, weights, nodes[2 * t]!, nodes[2 * t + 1]!);
    for (const sums of [values, alone])
      worst.value = Math.max(
        worst.value,
        Math.hypot(sums[2 * t]! - exact.re, sums[2 * t + 1]! - exact.im) / exact.size,
      );
    worst.slope = Math.max(
      worst.slope,
      Math.hypot(slopes[2 * t]! - exact.slopeRe, slopes[2 * t + 1]! - exact.slopeIm) / exact.slopeSize,
    );
  }
  return worst;
}

function directSum(
  poles: Points,
  weights: Points,
  x: number,
  y: number,
): { re: number; im: number; size: number; slopeRe: number; slopeIm: number; slopeSize: number } {
  const sum = { re: 0, im: 0, size: 0, slopeRe: 0, slopeIm: 0, slopeSize: 0 };
  for (let j = 0; j < poles.length; j += 2) {
    const [dRe, dIm] = [x - poles[j]!, y - poles[j + 1]!];
    const square = dRe ** 2 + dIm ** 2;
    const [re, im] = [
      (weights[j]! * dRe + weights[j + 1]! * dIm) / square,
      (weights[j + 1]! * dRe - weights[j]! * dIm) / square,
    ];
    const size = Math.hypot(weights[j]!, weights[j + 1]!);
    sum.re += re;
    sum.im += im;
    sum.size += size / Math.sqrt(square);
    sum.slopeRe -= (re * dRe + im * dIm) / square;
    sum.slopeIm -= (im * dRe - re * dIm) / square;
    sum.slopeSize += size / square;
  }
  return sum;
}

const points = (count: number, at: (i: number) => readonly [number, number]): Points => {
  const all = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) all.set(at(i), 2 * i);
  return all;
};

/** The nodes of S4's generating function, z = 2 i tan(pi k / l), k < l / 2: most near zero, the last at about l. */
const s4Nodes = (l: number): Points => points(Math.ceil(l / 2), (k) => [0, 2 * Math.tan((Math.PI * k) / l)]);

/** Poles of S4D-Inv, which nears HiPPO-LegS's: real part -1/2, imaginary parts up to n^2 / pi, times a step; both halves. */
function s4Poles(n: number, step: number): Points {
  return points(n, (i) => {
    const half = Math.ceil(n / 2);
    const k = i % half;
    return [-step / 2, (step * (i < half ? 1 : -1) * n * (n / (2 * k + 1) - 1)) / Math.PI];
  });
}

const gaussian = (rng: Rng, count: number): Points => rng.normals(2 * count);

describe("CauchyMultipole = the direct sum", () => {
  it.each([
    [1, 1],
    [1, 3000],
    [2, 65],
    [3000, 1],
    [100, 100],
    [700, 3000],
    [4096, 4096],
  ])("%i poles and %i nodes anywhere in the plane", (n, l) => {
    const rng = new Rng(n + l);
    const { value, slope } = errors(gaussian(rng, n), gaussian(rng, l), gaussian(rng, n));
    expect(value).toBeLessThan(ROUNDING);
    expect(slope).toBeLessThan(ROUNDING);
  });

  it.each([
    [1, 64],
    [8, 1024],
    [64, 1024],
    [64, 65536],
    [256, 16384],
    [1024, 1024],
    [4096, 4096],
    [4096, 65536],
  ])("S4: n = %i, l = %i, at steps of 0.001 and 0.1", (n, l) => {
    for (const step of [0.001, 0.1]) {
      const { value, slope } = errors(s4Poles(n, step), s4Nodes(l), gaussian(new Rng(n), n));
      expect(value).toBeLessThan(ROUNDING);
      expect(slope).toBeLessThan(ROUNDING);
    }
  });

  it("HiPPO-LegS itself, n = 128, l = 4096, and its transpose", () => {
    const { data } = makeNplr("legs", 128).Lambda;
    const poles = points(128, (i) => [data[2 * (i % 64)]! / 100, ((i < 64 ? 1 : -1) * data[2 * (i % 64) + 1]!) / 100]);
    const nodes = s4Nodes(4096);
    const rng = new Rng(5);
    for (const [from, at] of [
      [poles, nodes],
      [nodes, poles],
    ] as const) {
      const { value, slope } = errors(from, at, gaussian(rng, from.length / 2));
      expect(value).toBeLessThan(ROUNDING);
      expect(slope).toBeLessThan(ROUNDING);
    }
  });

  it("clusters: where series are used at their limit, and where distances span twelve decades", () => {
    const rng = new Rng(7);
    const clumps = (count: number, spread: number): Points =>
      points(count, (i) => [spread * rng.normal() + (i % 3), spread * rng.normal()]);
    const geometric = (count: number, first: number): Points =>
      points(count, (i) => [0, (i % 2 ? first : -first) * 10 ** ((12 * i) / count - 6)]);
    // all of one sign, so that errors add up as terms do
    const ones = points(900, () => [1, 0]);
    for (const poles of [clumps(900, 1e-9), clumps(900, 0.1), geometric(900, 1)]) {
      for (const nodes of [clumps(900, 0.2), geometric(900, 1.01), gaussian(rng, 900)]) {
        const { value, slope } = errors(poles, nodes, ones, 900);
        expect(value).toBeLessThan(ROUNDING);
        expect(slope).toBeLessThan(ROUNDING);
      }
    }
  });

  it("points that coincide: cells that cannot be cut, and a node on a pole", () => {
    const same = points(300, () => [1, 2]);
    expect(
      errors(
        same,
        points(300, () => [4, -2]),
        gaussian(new Rng(1), 300),
      ).value,
    ).toBeLessThan(ROUNDING);
    const values = new Float64Array(2);
    new CauchyMultipole(cauchyTree(same), cauchyTree([1, 2])).sum(same, { values });
    expect(values.every(Number.isFinite)).toBe(false);
  });
});

describe("what CauchyMultipole does grows as n + l", () => {
  const work = (n: number, l: number): number =>
    new CauchyMultipole(cauchyTree(s4Poles(n, 0.01)), cauchyTree(s4Nodes(2 * l))).work;
  const sizes = [512, 1024, 2048, 4096, 8192, 16384];

  it("n = l: twice of both, twice the work, where direct sums take four times as much", () => {
    const counts = sizes.map((n) => work(n, n));
    // The exponent over five doublings; a cell more or less at either end is some per cent of the whole.
    expect(Math.log(counts.at(-1)! / counts[0]!) / Math.log(32)).toBeLessThan(1.05);
    expect(counts.at(-1)!).toBeLessThan(16384 ** 2 / 50);
  });

  it("one at 1024 and the other growing: linear at most", () => {
    for (const grow of [(n: number) => work(n, 1024), (l: number) => work(1024, l)]) {
      const counts = sizes.map(grow);
      counts.forEach((count, i) => expect(count / (1024 + sizes[i]!)).toBeLessThan(250));
    }
  });

  it("gaussian points in the plane: linear, too", () => {
    const counts = [4096, 32768].map(
      (n) => new CauchyMultipole(cauchyTree(gaussian(new Rng(n), n)), cauchyTree(gaussian(new Rng(n + 1), n))).work,
    );
    // Small sets have a larger part of their cells at the rim, with fewer neighbours, so that the exponent comes down to 1 from above.
    expect(Math.log(counts[1]! / counts[0]!) / Math.log(8)).toBeLessThan(1.15);
  });
});
