import { runComposite, runKernel } from "../tensor/run.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./binary.ts";
import { concat } from "./joining.ts";
import { embedding } from "./embedding.ts";
import { expertLinear } from "./expertLinear.ts";
import { linear } from "./linear.ts";
import { range } from "../tensor/create.ts";
import { matMul } from "./matMul.ts";
import { reshape, transpose } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import { sum } from "./sum.ts";

/** Elements of a packed weight that are there as float32 at once. */
const UNPACKED_AT_ONCE = 1 << 24;

/**
 * A packed weight as float32, or rows of it; a plain one whole is a copy.
 * @param weight [n, k] @returns [count, k]
 */
export function unpackWeight(weight: Tensor, from = 0, count: number = weight.shape[0]! - from): Tensor {
  return tidy(() => embedding({ weight, ids: range(from, count, 1, { backend: weight.backend }) }).y);
}

/** How `linearFrozen` multiplies with packed weights. */
export interface FrozenLinearOptions {
  /** Elements of a packed weight that are there as float32 at once. */
  readonly atOnce?: number;
  /**
   * As kernels for packed weights do it, which may round x, and dy, to 8 bits; where there is none, it is exact. The gradient is that of the product
   * without rounding (straight through). Default false.
   */
  readonly rounded?: boolean;
}

/** What `linearFrozen` takes; the weight may be packed. */
export interface FrozenLinearInputs {
  readonly x: Tensor; // [..., k]
  readonly weight: Tensor; // [n, k]
  readonly bias?: Tensor | undefined; // [n]
}

/**
 * y = x weight^T + bias, of which only x gets a gradient: the weight's is not computed, x is not kept for it, and the weight may be packed.
 * Packed ones are unpacked, some rows at a time, unless it may be `rounded`: kernels for packed weights may round x too, which training would feel.
 *
 * Shapes: as `linear`.
 * Errors: ShapeError, DTypeError.
 * Source: what stays of a layer's gradient when its weights are frozen (Dettmers et al. 2023, arXiv 2305.14314, equation 5, where they are packed);
 * rounded: products of 8-bit numbers forward (Dettmers et al. 2022, arXiv 2208.07339), and in the gradient too (Xi et al. 2024, arXiv 2403.12422).
 */
export function linearFrozen(
  { x, weight, bias }: FrozenLinearInputs,
  { atOnce = UNPACKED_AT_ONCE, rounded = false }: FrozenLinearOptions = {},
): Tensor {
  const [y] = runComposite(
    "linearFrozen",
    { x },
    () => [isPacked(weight) && !rounded ? unpackedLinear(x, weight, bias, atOnce) : linear({ x, weight, bias }).y],
    () => ({
      save: [weight],
      backward: ([dy], [kept]) => ({
        x: rounded && mayRound(kept!) ? roundedBack(dy!, kept!) : backThrough(dy!, kept!, atOnce),
      }),
    }),
  );
  return y!;
}

function mayRound(weight: Tensor): boolean {
  const { backend } = weight;
  const format = backend.formatOf(weight);
  return backend.roundedGradients.some((each) => each === format);
}

const roundedBack = (dY: Tensor, weight: Tensor): Tensor => runKernel("linearGrad", { dY, weight })[0]!;

const isPacked = (weight: Tensor): boolean => weight.backend.formatOf(weight) !== "f32";

/** From and count of the rows that are unpacked at once. */
function parts([n, k]: readonly number[], atOnce: number): (readonly [from: number, count: number])[] {
  const height = Math.max(1, Math.floor(atOnce / k!));
  const count = Math.ceil(n! / height);
  return Array.from({ length: count }, (_, i) => [i * height, Math.min(height, n! - i * height)] as const);
}

function unpackedLinear(x: Tensor, weight: Tensor, bias: Tensor | undefined, atOnce: number): Tensor {
  return tidy(() => {
    const ys = parts(weight.shape, atOnce).map(([from, count]) =>
      tidy(() => linear({ x, weight: unpackWeight(weight, from, count) }).y),
    );
    const y = ys.length === 1 ? ys[0]! : concat(ys, -1);
    return bias === undefined ? y : add(y, bias);
  });
}

/** dy weight. @param dy [..., n] @returns [..., k] */
function backThrough(dy: Tensor, weight: Tensor, atOnce: number): Tensor {
  const [n, k] = weight.shape as [number, number];
  const rows = reshape(dy, [dy.size / n, n]);
  const out = [...dy.shape.slice(0, -1), k];
  if (!isPacked(weight)) return reshape(matMul(rows, weight), out);
  let dx: Tensor | undefined;
  for (const [from, count] of parts(weight.shape, atOnce)) {
    const before: Tensor | undefined = dx;
    dx = tidy(() => {
      const part = matMul(count === n ? rows : sliceAxis(rows, 1, from, count), unpackWeight(weight, from, count));
      return before === undefined ? part : add(before, part);
    });
    before?.dispose();
  }
  return reshape(dx!, out);
}

/** What `expertLinearFrozen` takes; the weight may be packed. */
export interface FrozenExpertInputs {
  readonly x: Tensor; // [..., k]
  readonly weight: Tensor; // [e, n, k]
  readonly ids: Tensor; // int32 [..., s]
}

/**
 * As `expertLinear`, of which only x gets a gradient: the experts' is not computed, and they may be packed, which are unpacked then.
 *
 * Shapes, errors and source as `expertLinear` and `linearFrozen`.
 */
export function expertLinearFrozen({ x, weight, ids }: FrozenExpertInputs): Tensor {
  const [y] = runComposite(
    "expertLinearFrozen",
    { x },
    () => [tidy(() => expertLinear({ x, weight: plainExperts(weight), ids }).y)],
    () => ({
      save: [weight, ids],
      backward: ([dy], [kept, chosen]) => ({ x: backThroughExperts(dy!, kept!, chosen!) }),
    }),
  );
  return y!;
}

function plainExperts(weight: Tensor): Tensor {
  if (!isPacked(weight)) return weight;
  const [e, n, k] = weight.shape as [number, number, number];
  return reshape(unpackWeight(reshape(weight, [e * n, k])), [e, n, k]);
}

/** The sum over choices of dy W. @param dy [..., s, n] @returns [..., k] */
function backThroughExperts(dy: Tensor, weight: Tensor, ids: Tensor): Tensor {
  const turned = transpose(plainExperts(weight), [0, 2, 1]); // [e, k, n]
  const each = expertLinear({ x: dy, weight: turned, ids: reshape(ids, [...ids.shape, 1]) }).y; // [..., s, 1, k]
  const k = weight.shape[2]!;
  return sum(reshape(each, [...ids.shape, k]), -2);
}
