import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeHippoLegS } from "@statespace/core/hippo";
import { Rng } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { notebook, type Snippet } from "../../src/code/snippet.ts";
import { stepCode } from "../../src/pages/block/code.ts";
import { scanChannel, silu, type LayerTrace } from "../../src/pages/block/compute/trace.ts";
import { ledgerCode } from "../../src/pages/bytes/code.ts";
import { bytesMoved, kernelsOf, totalBytes } from "../../src/pages/bytes/compute/ledger.ts";
import { rulesCode } from "../../src/pages/discretize/code.ts";
import { discretizeAll, moduli, RULE_NAMES } from "../../src/pages/discretize/compute.ts";
import { recallCode, stackCode } from "../../src/pages/hybrids/code.ts";
import { drawTrials, keptBytes, recallOf } from "../../src/pages/hybrids/compute/recall.ts";
import { legsCode } from "../../src/pages/hippo/code.ts";
import { inductionCode } from "../../src/pages/induction/code.ts";
import { roundingCode } from "../../src/pages/machine/code.ts";
import { roundingOf } from "../../src/pages/machine/compute/rounding.ts";
import { growthCode, surpriseCode } from "../../src/pages/mamba/code.ts";
import { overtakes } from "../../src/pages/mamba/growth.ts";
import { parityCode } from "../../src/pages/mamba3/code.ts";
import { turns } from "../../src/pages/mamba3/compute/rotate.ts";
import { bitsCode } from "../../src/pages/model/code.ts";
import { frequencyBits } from "../../src/pages/model/frequencies.ts";
import { fitCode } from "../../src/pages/s4/code.ts";
import { basisOf, fitFilter, startingEigenvalues, target } from "../../src/pages/s4/compute/inits.ts";
import { INITS, TARGETS } from "../../src/pages/s4/compute/names.ts";
import { scanCode } from "../../src/pages/scan/code.ts";
import { jarCode } from "../../src/pages/selection/code.ts";
import { jarOf } from "../../src/pages/selection/jar.ts";
import { dualityCode } from "../../src/pages/ssd/code.ts";
import { duality } from "../../src/pages/ssd/compute/duality.ts";
import { systemCode } from "../../src/pages/stateSpace/code.ts";
import { presets, run, scriptedInput } from "../../src/pages/stateSpace/compute.ts";
import { viewsCode } from "../../src/pages/twoViews/code.ts";
import { bothViews, makeInput, makeLssl, MEASURES } from "../../src/pages/twoViews/compute/lssl.ts";
import { attentionCode } from "../../src/pages/why/code.ts";
import { attentionMap } from "../../src/pages/why/compute/attentionMap.ts";

/** Every line of code beside a figure is run, and gives the numbers that the page computed itself. */

interface Case {
  readonly snippet: Snippet;
  readonly expected: ArrayLike<number>;
}

const rng = new Rng(4);
const uniforms = (count: number, low: number, high: number): Float64Array =>
  Float64Array.from(rng.uniforms(count, low, high));

function channel(): Case {
  const [l, d, n, t, c] = [3, 2, 5, 2, 1];
  const trace = {
    l,
    d,
    n,
    u: uniforms(l * d, -1, 1),
    z: uniforms(l * d, -2, 2),
    deltaRaw: uniforms(l * d, -4, 1),
    delta: new Float64Array(l * d),
    A: uniforms(d * n, -5, -1),
    B: uniforms(l * n, -1, 1),
    C: uniforms(l * n, -1, 1),
    D: uniforms(d, 0, 1),
  };
  trace.delta.set(trace.deltaRaw.map((raw) => Math.log1p(Math.exp(raw))));
  const { states, y } = scanChannel(trace, c);
  const out = y[t]!;
  return {
    snippet: stepCode(trace as unknown as LayerTrace, states[t]!, t, c),
    expected: [...states[t + 1]!, out, out * silu(trace.z[t * d + c]!)],
  };
}

function affine(l: number): Case {
  const [a, b] = [Array.from(uniforms(l, 0.3, 1)), Array.from(uniforms(l, -1, 1))];
  let x = 0;
  return { snippet: scanCode(a, b), expected: a.map((keep, t) => (x = keep * x + b[t]!)) };
}

const rules = (delta: number, damping: number): Case => ({
  snippet: rulesCode(delta, damping),
  expected: RULE_NAMES.map((name) => Math.max(...moduli(discretizeAll("wave", delta, damping).discretePoles[name]))),
});
function system(preset: keyof typeof presets, kind: "impulse" | "step" | "sine"): Case {
  const numbers = { ...presets[preset], D: [0.5] };
  const { x1, x2, y } = run(numbers, scriptedInput(kind));
  return {
    snippet: systemCode(numbers, kind),
    expected: [x1.at(-1)!, x2.at(-1)!, y.reduce((most, each) => Math.max(most, Math.abs(each)), 0)],
  };
}

function views(measure: (typeof MEASURES)[number], n: number): Case {
  const layer = makeLssl(measure, n, 0.08, 1);
  const { u, recurrent } = bothViews(layer, makeInput(2));
  return { snippet: viewsCode(measure, n, 0.08, layer.C.data, u), expected: recurrent };
}

function fit(init: (typeof INITS)[number], name: (typeof TARGETS)[number]): Case {
  const [n, delta, lag] = [12, 0.013, 45];
  const eigenvalues = init === "legs" ? [] : startingEigenvalues(init, n);
  const found = fitFilter(basisOf(init, n, delta), target(name, lag));
  return { snippet: fitCode(init, eigenvalues, { n, delta, target: name, lag }), expected: [found.error] };
}
const fits = INITS.map((init, i) => [`S4, ${init}`, fit(init, TARGETS[i % TARGETS.length]!)] as const);

function ledger(fused: boolean, training: boolean, recompute: boolean): Case {
  const settings = { l: 1000, d: 48, n: 16, fused, training, recompute };
  const moved = kernelsOf(settings).map((kernel) => bytesMoved(kernel, settings));
  return { snippet: ledgerCode(settings), expected: [...moved, totalBytes(settings)] };
}

const trial = drawTrials(20, 8, 3)[0]!;
const stack = { layers: 16, attention: 3, dModel: 1024, dState: 16 };
const text = ["·", "dog", 'bo"ne', "·", "猫", "milk", "·", "·", "猫"];
/** All places score 0 but the one after the word that asks, which scores 8. */
const found = text.slice(0, -1).map((_, t) => Math.exp(t === 5 ? 8 : 0) / (Math.exp(8) + 7));
const surprise = [undefined, 3.25, 0.125, 11.5];

const head = duality({ l: 7, n: 3, chunk: 2, keep: 0.4, seed: 5 });
const words = ["the", "cat", "sat", "Über", "猫", "cat"];
const knobs = [2, 0.05, 0, 4, 1];
const bits = [1, 0, 1, 1, 0, 1];

const story = '小明说：“一\\二”，\n"three" 😀 four\tfive, 小明说。';
const letters = [...story];
const told = [
  Math.log2(new Set(letters).size),
  frequencyBits(letters),
  frequencyBits(letters.slice(1).map((letter, t) => letters[t]! + letter)) - frequencyBits(letters.slice(0, -1)),
];

const cases: Readonly<Record<string, Case>> = {
  "attention map": { snippet: attentionCode(words, 4), expected: attentionMap(words, 4).at(-1)! },
  "discretization, swinging": rules(0.4, 0.3),
  "discretization, damped": rules(0.25, 2.5),
  HiPPO: { snippet: legsCode(6), expected: makeHippoLegS(6).A.data },
  "the jar": { snippet: jarCode(["a", "b", "c", "d", "e"], knobs), expected: jarOf(knobs).shares },
  "bits a character": { snippet: bitsCode(story), expected: told },
  "scan of 8": affine(8),
  "scan of 13": affine(13),
  "one step": channel(),
  duality: { snippet: dualityCode(head), expected: head.byRecurrence },
  "a spring, pushed": system("spring", "impulse"),
  "a leak, switched on": system("leak", "step"),
  "what explodes, swung": system("unstable", "sine"),
  ...Object.fromEntries(MEASURES.map((measure, i) => [`two views, ${measure}`, views(measure, [16, 2, 8][i]!)])),
  ...Object.fromEntries(fits),
  "an induction head": { snippet: inductionCode(text, 8), expected: found },
  "bytes, one kernel after the other": ledger(false, false, false),
  "bytes, training with recomputation": ledger(false, true, true),
  "bytes, fused": ledger(true, true, true),
  recall: { snippet: recallCode(trial), expected: [recallOf(trial).state, recallOf(trial).attention] },
  "a stack": { snippet: stackCode(stack, 5000), expected: Object.values(keptBytes(stack, 5000)) },
  "state and cache": {
    snippet: growthCode(4, 128, 98_304, 77),
    expected: [overtakes(98_304, 4 * 2 * 4 * 128), 98_304, 4 * 2 * 4 * 128 * 77],
  },
  surprise: { snippet: surpriseCode(["a", " b", '"', "\n"], surprise), expected: surprise.slice(1) as number[] },
  rounding: { snippet: roundingCode(7), expected: [roundingOf(7)] },
  parity: { snippet: parityCode(bits, 0.5), expected: turns(bits, Math.PI, 0.8).map(({ re }) => re) },
};

function lastLine(command: string, args: readonly string[]): number[] {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as number[];
}

function expectNear(actual: readonly number[], expected: ArrayLike<number>): void {
  expect(actual).toHaveLength(expected.length);
  // numbers stand in the code with eight digits
  actual.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6 * (1 + Math.abs(expected[i]!))),
  );
}

const inFile = (ending: string, text: string, run: (path: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), "beside-"));
  try {
    writeFileSync(join(folder, `code.${ending}`), text);
    run(join(folder, `code.${ending}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const python = process.env["PYTHON"] ?? "python3";
const hasNumpy = spawnSync(python, ["-c", "import numpy"]).status === 0;

describe.each(Object.entries(cases))("code beside %s", (_, { snippet, expected }) => {
  it("is short, in both languages", () => {
    for (const text of [snippet.mjs, snippet.numpy]) expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(22);
    expect(snippet.name).toMatch(/^[a-z0-9-]+$/);
  });

  it("runs as it is in Node", () =>
    inFile("mjs", snippet.mjs, (path) => expectNear(lastLine(process.execPath, [path]), expected)));

  it.skipIf(!hasNumpy)("runs as it is with numpy", () =>
    inFile("py", snippet.numpy, (path) => expectNear(lastLine(python, [path]), expected)),
  );

  it("is a notebook with the same lines", () => {
    const told = JSON.parse(notebook(snippet)) as {
      nbformat: number;
      cells: { cell_type: string; source: string[] }[];
    };
    expect(told.nbformat).toBe(4);
    expect(told.cells.map(({ source }) => source.join(""))).toEqual([snippet.numpy.trimEnd()]);
  });
});

it("every page that has code beside it is among those that are run", () => {
  const pages = join(import.meta.dirname, "../../src/pages");
  const own = readFileSync(import.meta.filename, "utf8");
  const found = readdirSync(pages).filter((folder) => existsSync(join(pages, folder, "code.ts")));
  // the index of ideas has no figure
  const all = readdirSync(pages, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(found.toSorted()).toEqual(all.map(({ name }) => name).filter((name) => name !== "ideas"));
  for (const folder of found) {
    expect(own).toContain(`pages/${folder}/code.ts`);
    const parts = readdirSync(join(pages, folder)).filter((file) => file.endsWith(".tsx"));
    expect(parts.some((file) => readFileSync(join(pages, folder, file), "utf8").includes("<CodeBeside"))).toBe(true);
  }
});
