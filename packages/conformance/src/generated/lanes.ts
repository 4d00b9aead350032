import type { NdArrays } from "@statespace/core/backend";
import type { NdArray } from "@statespace/core/math";
import type { OpCase } from "../cases/opCase.ts";
import type { Dice } from "./dice.ts";

/** What all lanes share, such as weights. */
export const SHARED = -1;

/** Parts of a case that have nothing to do with each other: of each argument and result, which lane every element is in. */
export interface Lanes {
  readonly kind: string;
  readonly of: ReadonlyMap<string, Int32Array>;
  /** How many there are. */
  readonly count: number;
  /** Gradients that every lane may have a part in all the same. */
  readonly mixed: readonly string[];
}

/** Axes of an op's shapes along which it does the same to each; "..." are all leading ones. */
const INDEPENDENT: Readonly<Record<string, readonly string[]>> = {
  adamW: ["..."],
  causalAttention: ["b", "h"],
  causalAttentionStep: ["b", "h"],
  causalConv1d: ["b", "d"],
  causalConv1dStep: ["b", "d"],
  cauchy: ["h"],
  copy: ["..."],
  crossEntropy: ["..."],
  diagonalScan: ["b", "n"],
  embedding: ["...", "d"],
  expertLinear: ["..."],
  fftConv: ["b", "d"],
  gatedDeltaRule: ["b", "h"],
  gatedDeltaRuleStep: ["b", "h"],
  inverseRealFft: ["h"],
  layerNorm: ["..."],
  linear: ["...", "n"],
  mamba3Scan: ["b", "h"],
  mamba3ScanStep: ["b", "h"],
  matMul: ["b", "m", "n"],
  rmsNorm: ["..."],
  sampleToken: ["b"],
  selectiveScan: ["b", "d"],
  selectiveScanStep: ["b", "d"],
  softmax: ["..."],
  ssdScan: ["b", "h"],
  ssdScanStep: ["b", "h"],
  vandermonde: ["h"],
  where: ["..."],
};

/** Symbolic shapes of a case's arguments and results. */
function shapeTexts({ op: { spec }, attrs = {} }: OpCase): Readonly<Record<string, string>> {
  if (spec.name !== "matMul") return { ...spec.inputs, ...spec.outputs } as Record<string, string>;
  const { transposeA, transposeB } = attrs;
  return { a: transposeA ? "b k m" : "b m k", b: transposeB ? "b n k" : "b k n", y: "b m n" };
}

/** The symbols of the axes of an array, out of "int32 b l?", "h | h p", "b d n if returnLastState". */
function symbolsOf(text: string, rank: number): string[] {
  const options = text
    .split(" if ")[0]!
    .replace("?", "")
    .split("|")
    .filter((option) => !/^(int|float)32$/.test(option));
  const lists = options.map((option) =>
    option
      .trim()
      .split(" ")
      .filter((word) => !/^(int32|float32|bool)$/.test(word)),
  );
  return lists.find((list) => list.length === rank) ?? lists[0]!;
}

const laid = (size: number, lane: (i: number) => number): Int32Array =>
  Int32Array.from({ length: size }, (_, i) => lane(i));

/** Lanes along a symbol's axis. */
function alongSymbol(c: OpCase, arrays: NdArrays, symbol: string): Lanes {
  const texts = shapeTexts(c);
  let count = 0;
  const of = new Map<string, Int32Array>();
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const symbols = symbolsOf(texts[name]!, shape.length);
    const found = symbols.indexOf(symbol);
    const axis = found < 0 || symbols[0] !== "..." ? found : shape.length - symbols.length + found;
    const last = symbol === "..." ? shape.length - symbols.length : axis;
    const inner = shape.slice(last + 1).reduce((a, b) => a * b, 1);
    // One matrix for a whole batch is shared by all of it.
    const common = axis < 0 || (symbol !== "..." && c.op.spec.name === "matMul" && shape[axis] === 1);
    const extent = symbol === "..." ? data.length / Math.max(1, inner) : (shape[axis] ?? 0);
    if (!common) count = Math.max(count, extent);
    of.set(
      name,
      laid(data.length, (i) => (common ? SHARED : Math.floor(i / inner) % extent)),
    );
  }
  return { kind: symbol, of, count, mixed: [] };
}

/** A lane for each packed sequence; a state before the first token is of the first, one after the last of the last. */
function sequences(c: OpCase, arrays: NdArrays, seqIdx: NdArray): Lanes {
  const [b, l] = seqIdx.shape as [number, number];
  const texts = shapeTexts(c);
  const tokens = new Int32Array(b * l);
  let count = 0;
  for (let i = 0; i < b * l; i++) {
    if (i % l === 0 || seqIdx.data[i] !== seqIdx.data[i - 1]) count++;
    tokens[i] = count - 1;
  }
  const of = new Map<string, Int32Array>();
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const [first, second] = symbolsOf(texts[name]!, shape.length);
    const inner = shape.slice(1).reduce((a, x) => a * x, 1);
    const ofToken = (i: number): number => tokens[Math.floor((i * l) / inner)]!;
    const ofRow = (i: number): number => tokens[Math.floor(i / inner) * l + (name.startsWith("last") ? l - 1 : 0)]!;
    of.set(name, laid(data.length, first !== "b" ? () => SHARED : second === "l" || second === "m" ? ofToken : ofRow));
  }
  return { kind: "sequences", of, count, mixed: [] };
}

/** Rows of a weight that ids choose: what is not chosen gets nothing. */
function chosen(arrays: NdArrays, ids: NdArray, input: string): Lanes {
  const { shape, data } = arrays[input]!;
  const rows = shape[0]!;
  const inner = data.length / rows;
  const y = arrays["y"]!;
  const width = y.data.length / ids.data.length;
  const of = new Map(Object.entries(arrays).map(([name, x]) => [name, laid(x.data.length, () => SHARED)]));
  of.set(
    input,
    laid(data.length, (i) => Math.floor(i / inner)),
  );
  of.set(
    "y",
    laid(y.data.length, (i) => ids.data[Math.floor(i / width)]!),
  );
  return { kind: "ids", of, count: rows, mixed: [] };
}

/** Tokens whose keys only their own queries may see, beside all others. Those queries see the others' keys, though. */
function hidden(arrays: NdArrays, visible: NdArray): Lanes {
  const [b, m] = visible.shape as [number, number];
  const of = Object.entries(arrays).map(([name, { shape, data }]): [string, Int32Array] => {
    if (shape.length < 2) return [name, laid(data.length, () => SHARED)]; // of heads
    const inner = shape.slice(2).reduce((x, y) => x * y, 1);
    const place = (i: number): number => {
      const token = Math.floor(i / inner);
      const l = data.length / (b * inner);
      return Math.floor(token / l) * m + m - l + (token % l);
    };
    return [name, laid(data.length, (i) => (visible.data[place(i)] === 0 ? 1 : 0))];
  });
  return { kind: "hidden", of: new Map(of), count: 2, mixed: ["k", "v"] };
}

/** One way to tell a case's lanes apart, of those that it has; undefined where there is one lane only. */
export function lanesOf(c: OpCase, inputs: NdArrays, outputs: NdArrays, dice: Dice): Lanes | undefined {
  const name: string = c.op.spec.name;
  const arrays = { ...inputs, ...outputs };
  const { seqIdx, visible, ids, k, q } = inputs;
  const ways = (INDEPENDENT[name] ?? []).map((symbol) => () => alongSymbol(c, arrays, symbol));
  if (seqIdx && (name !== "causalAttention" || k!.shape[1] === q!.shape[1]))
    ways.push(...Array.from({ length: 3 }, () => () => sequences(c, arrays, seqIdx)));
  if (visible && name === "causalAttention")
    ways.push(
      () => hidden(arrays, visible),
      () => hidden(arrays, visible),
    );
  if (ids && (name === "embedding" || name === "expertLinear")) ways.push(() => chosen(arrays, ids, "weight"));
  const start = ways.length > 0 ? dice.whole(ways.length) : 0;
  for (const way of [...ways.slice(start), ...ways.slice(0, start)]) {
    const lanes = way();
    if (lanes.count > 1) return lanes;
  }
  return undefined;
}
