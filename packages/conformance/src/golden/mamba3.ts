import { add, reshape, tidy, type Tensor } from "@statespace/core";
import { mamba3Scan } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { rotatedScan, type LayerState } from "@statespace/models";
import type { GoldenCase } from "./goldenCase.ts";
import { absolute, expectedOf, inputArrays, toTensor, U32 } from "./inputs.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

const TURN = 2 * Math.PI;

/** Roundings of one output, in units of 2^-24 of the absolute sum behind it: each step of the recurrence adds four and two functions, and old ones decay with the state. */
const ROUNDINGS = 64;

/** Roundings of an angle, in units of 2^-24 of all the turning before it: a running sum, two products a token, and the whole turns taken off. */
const ANGLE_ROUNDINGS = 8;

/** Golden group `mamba3-siso`: y and the four final states. The vectors themselves are float32, so both sides round. */
export async function compareMamba3Siso(golden: GoldenCase): Promise<GoldenRow[]> {
  const inputs = inputArrays(golden);
  const { y, state } = run(inputs);
  const got: Readonly<Record<string, Float64Array>> = {
    y: await take(y),
    angleState: await take(state.angle!),
    ssmState: await take(state.ssm!),
    kState: await take(state.k!),
    vState: await take(state.v!),
  };
  const bounds = allowances(inputs);
  return Object.entries(got).map(([tensor, values]) => {
    const expected = expectedOf(golden, `out.${tensor}`);
    // Angles are equal up to whole turns.
    const actual =
      tensor === "angleState" ? values.map((x, i) => x - TURN * Math.round((x - expected[i]!) / TURN)) : values;
    return {
      tensor,
      actual,
      expected,
      bound: bounds[tensor]!,
      reason: `${ROUNDINGS} x 2^-24 x the scan of absolute values, and the angle's error, which grows with the turns so far`,
    };
  });
}

function run(inputs: Readonly<Record<string, NdArray>>): { y: Tensor; state: LayerState } {
  const { y, ...state } = tidy(() => {
    const t = (name: string): Tensor => toTensor(inputs[name]!);
    const result = rotatedScan(
      {
        q: biasedHeads(t("Q"), t("Q_bias")),
        k: biasedHeads(t("K"), t("K_bias")),
        v: oneRank(t("V")),
        adt: toTensor(tokensFirst(inputs["ADT"]!)),
        dt: toTensor(tokensFirst(inputs["DT"]!)),
        trap: toTensor(tokensFirst(inputs["Trap"]!)),
        rates: t("Angles"),
        D: t("D"),
        z: oneRank(t("Z")),
      },
      { pairing: "neighbours", returnState: true },
    );
    return { y: result.y, ...result.state! };
  }) as { y: Tensor } & Record<string, Tensor>;
  return { y, state };
}

/** [b, l, g, n] + [h, n] -> [b, l, h, 1, n], h/g heads a group. */
function biasedHeads(x: Tensor, bias: Tensor): Tensor {
  const [b, l, g, n] = x.shape as [number, number, number, number];
  const h = bias.shape[0]!;
  return reshape(add(reshape(x, [b * l, g, 1, n]), reshape(bias, [g, h / g, n])), [b, l, h, 1, n]);
}

function oneRank(x: Tensor): Tensor {
  const [b, l, h, p] = x.shape as [number, number, number, number];
  return reshape(x, [b, l, h, 1, p]);
}

/** [b, h, l] -> [b, l, h]. */
function tokensFirst({ shape, data }: NdArray): NdArray {
  const [b, h, l] = shape as [number, number, number];
  const out = new Float64Array(data.length);
  for (let i = 0; i < b; i++)
    for (let t = 0; t < l; t++)
      for (let head = 0; head < h; head++) out[(i * l + t) * h + head] = data[(i * h + head) * l + t]!;
  return ndarray([b, l, h], out);
}

/** Every output's bound: the scan of absolute values times roundings; an angle off by e moves a rotated pair by e of its length. */
function allowances(inputs: Readonly<Record<string, NdArray>>): Record<string, number | Float64Array> {
  const [b, l, h] = inputs["V"]!.shape as [number, number, number];
  const angleError = ANGLE_ROUNDINGS * U32 * (TURN + farthestTurn(inputs));
  const unit = ROUNDINGS * U32 + angleError;
  const q = pairLengths(headsOf(inputs["Q"]!, inputs["Q_bias"]!));
  const k = pairLengths(headsOf(inputs["K"]!, inputs["K_bias"]!));
  const rank = ({ shape, data }: NdArray): NdArray => absolute(ndarray([...shape.slice(0, 3), 1, shape[3]!], data));
  const magnitude = mamba3Scan.spec.reference(
    {
      q,
      k,
      v: rank(inputs["V"]!),
      adt: tokensFirst(inputs["ADT"]!),
      dt: tokensFirst(inputs["DT"]!),
      trap: tokensFirst(inputs["Trap"]!),
      D: absolute(inputs["D"]!),
      z: rank(inputs["Z"]!),
    },
    { chunkSize: 1, returnLastState: true },
  );
  const width = h * k.shape[4]!;
  const kLast = Array.from({ length: b }, (_, i) => [
    ...k.data.subarray(((i + 1) * l - 1) * width, (i + 1) * l * width),
  ]).flat();
  return {
    y: magnitude["y"]!.data.map((x) => unit * x),
    ssmState: magnitude["lastState"]!.data.map((x) => unit * x),
    angleState: angleError,
    kState: Float64Array.from(kLast, (x) => unit * x),
    vState: 0,
  };
}

/** The largest sum over a sequence of pi tanh|rate| dt. */
function farthestTurn(inputs: Readonly<Record<string, NdArray>>): number {
  const { shape, data } = inputs["Angles"]!;
  const [b, l, h, s] = shape as [number, number, number, number];
  const dt = tokensFirst(inputs["DT"]!).data;
  const sums = new Float64Array(b * h * s);
  data.forEach((rate, e) => {
    const token = Math.floor(e / (h * s));
    sums[Math.floor(token / l) * h * s + (e % (h * s))]! +=
      Math.PI * Math.tanh(Math.abs(rate)) * dt[Math.floor(e / s)]!;
  });
  return Math.max(...sums);
}

function headsOf(x: NdArray, bias: NdArray): NdArray {
  const [b, l, g, n] = x.shape as [number, number, number, number];
  const h = bias.shape[0]!;
  const out = Float64Array.from({ length: b * l * h * n }, (_, e) => {
    const head = Math.floor(e / n) % h;
    const token = Math.floor(e / (n * h));
    return x.data[(token * g + Math.floor((head * g) / h)) * n + (e % n)]! + bias.data[head * n + (e % n)]!;
  });
  return ndarray([b, l, h, 1, n], out);
}

/** Every entry replaced by the length of the pair it turns in: what it can become at most. */
function pairLengths({ shape, data }: NdArray): NdArray {
  return ndarray(
    shape,
    data.map((_, e) => Math.hypot(data[e - (e % 2)]!, data[e - (e % 2) + 1]!)),
  );
}
