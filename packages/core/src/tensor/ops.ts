import { DTypeError, ShapeError } from "../errors.ts";
import { scalar, tidy, zeros } from "./create.ts";
import { engine, isRecording } from "./engine.ts";
import { currentBackend } from "./registry.ts";
import { runComposite, runKernel, type GradientRule } from "./run.ts";
import type { DType, Tensor } from "./types.ts";

type Rule = (outputs: readonly Tensor[]) => GradientRule;

/** For ops whose derivative is zero wherever it exists (comparisons, rounding, indices). */
const noGradient: Rule = () => ({ save: [], backward: () => ({}) });

const show = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** @throws DTypeError unless the tensor has one of the dtypes. */
function expectDType(op: string, argument: string, x: Tensor, ...dtypes: readonly DType[]): void {
  if (!dtypes.includes(x.dtype as DType)) throw new DTypeError(`${op}: ${argument} must be ${dtypes.join(" or ")}, got ${x.dtype}`);
}

function one(name: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>, rule: Rule): Tensor {
  return runKernel(name, inputs, attrs, rule)[0]!;
}

/** Axes counted from the end when negative, ascending. @throws ShapeError out of range or twice. */
function normalAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  const given = axes === undefined ? Array.from({ length: rank }, (_, i) => i) : typeof axes === "number" ? [axes] : axes;
  const out = given.map((axis) => {
    const at = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(at) || at < 0 || at >= rank) throw new ShapeError(`${op}: axis ${axis} is not an axis of a tensor of rank ${rank}`);
    return at;
  });
  if (new Set(out).size !== out.length) throw new ShapeError(`${op}: axes must differ, got [${given.join(", ")}]`);
  return out.sort((a, b) => a - b);
}

/** Shape of the broadcast of two shapes. @throws ShapeError naming both. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(`${op}: a ${show(a)} and b ${show(b)} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Sums a gradient over the axes its input was broadcast along. */
function unbroadcast(dy: Tensor, shape: readonly number[]): Tensor {
  if (dy.shape.join() === shape.join()) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []));
  return reshape(sum(dy, axes), shape);
}

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/** Runs an op on two operands; the scalars that numbers became are disposed again. */
function withPair(op: string, a: Operand, b: Operand, run: (x: Tensor, y: Tensor) => Tensor, ...dtypes: readonly DType[]): Tensor {
  const dtype: DType = typeof a !== "number" ? (a.dtype as DType) : typeof b !== "number" ? (b.dtype as DType) : "float32";
  const typed = (argument: string, operand: Operand): Tensor => {
    if (typeof operand !== "number") {
      expectDType(op, argument, operand, ...dtypes);
      return operand;
    }
    if (dtype !== "float32" && !Number.isInteger(operand)) throw new DTypeError(`${op}: ${argument} = ${operand} is no integer, and the other operand is ${dtype}`);
    return scalar(operand, dtype);
  };
  const checked = (): Tensor => {
    const x = typed("a", a);
    const y = typed("b", b);
    if (x.dtype !== y.dtype) throw new DTypeError(`${op}: a and b must have one dtype, got ${x.dtype} and ${y.dtype}`);
    broadcastShape(op, x.shape, y.shape);
    return run(x, y);
  };
  return typeof a === "number" || typeof b === "number" ? tidy(checked) : checked();
}

function binary(name: string, a: Operand, b: Operand, save: (x: Tensor, y: Tensor, out: Tensor) => Tensor[], back: (dy: Tensor, saved: readonly Tensor[]) => [Tensor, Tensor]): Tensor {
  const run = (x: Tensor, y: Tensor): Tensor =>
    one(name, { a: x, b: y }, {}, ([out]) => ({
      save: save(x, y, out!),
      backward: ([dy], saved) => {
        const [da, db] = back(dy!, saved);
        return { a: unbroadcast(da, x.shape), b: unbroadcast(db, y.shape) };
      },
    }));
  return withPair(name, a, b, run, "float32", "int32");
}

/** a + b, broadcast. */
export function add(a: Operand, b: Operand): Tensor {
  return binary("Add", a, b, () => [], (dy) => [dy, dy]);
}
/** a - b, broadcast. */
export function sub(a: Operand, b: Operand): Tensor {
  return binary("Sub", a, b, () => [], (dy) => [dy, neg(dy)]);
}
/** a * b elementwise, broadcast. */
export function mul(a: Operand, b: Operand): Tensor {
  return binary("Multiply", a, b, (x, y) => [x, y], (dy, [x, y]) => [mul(dy, y!), mul(dy, x!)]);
}
/** a / b elementwise, broadcast. */
export function div(a: Operand, b: Operand): Tensor {
  return binary("RealDiv", a, b, (_, y, out) => [y, out], (dy, [y, out]) => {
    const da = div(dy, y!);
    return [da, neg(mul(da, out!))];
  });
}
/** The larger of a and b; at a tie the gradient goes to a. */
export function maximum(a: Operand, b: Operand): Tensor {
  return binary("Maximum", a, b, (x, y) => [x, y], (dy, [x, y]) => splitBy(dy, greaterEqual(x!, y!)));
}
/** The smaller of a and b; at a tie the gradient goes to a. */
export function minimum(a: Operand, b: Operand): Tensor {
  return binary("Minimum", a, b, (x, y) => [x, y], (dy, [x, y]) => splitBy(dy, lessEqual(x!, y!)));
}
function splitBy(dy: Tensor, first: Tensor): [Tensor, Tensor] {
  const toFirst = mul(dy, cast(first, "float32"));
  return [toFirst, sub(dy, toFirst)];
}
/** a to the power of b, for a > 0. */
export function pow(a: Operand, b: Operand): Tensor {
  return binary("Pow", a, b, (x, y, out) => [x, y, out], (dy, [x, y, out]) => [mul(dy, div(mul(y!, out!), x!)), mul(dy, mul(out!, log(x!)))]);
}

function compare(name: string, a: Operand, b: Operand): Tensor {
  return withPair(name, a, b, (x, y) => one(name, { a: x, b: y }, {}, noGradient), "float32", "int32");
}
/** a == b, as bool. */
export function equal(a: Operand, b: Operand): Tensor {
  return compare("Equal", a, b);
}
/** a != b, as bool. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return compare("NotEqual", a, b);
}
/** a < b, as bool. */
export function less(a: Operand, b: Operand): Tensor {
  return compare("Less", a, b);
}
/** a <= b, as bool. */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return compare("LessEqual", a, b);
}
/** a > b, as bool. */
export function greater(a: Operand, b: Operand): Tensor {
  return compare("Greater", a, b);
}
/** a >= b, as bool. */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return compare("GreaterEqual", a, b);
}
/** Both true, as bool. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return withPair("LogicalAnd", a, b, (x, y) => one("LogicalAnd", { a: x, b: y }, {}, noGradient), "bool");
}
/** Not true, as bool. */
export function logicalNot(x: Tensor): Tensor {
  expectDType("LogicalNot", "x", x, "bool");
  return one("LogicalNot", { x }, {}, noGradient);
}

/** A unary op whose derivative is written with its input (`x`) or its output (`y`). */
function unary(name: string, x: Tensor, of: "x" | "y", back: (dy: Tensor, saved: Tensor) => Tensor, ...also: readonly DType[]): Tensor {
  expectDType(name, "x", x, "float32", ...also);
  return one(name, { x }, {}, ([y]) => ({ save: [of === "x" ? x : y!], backward: ([dy], [saved]) => ({ x: back(dy!, saved!) }) }));
}

/** -x. */
export function neg(x: Tensor): Tensor {
  expectDType("Neg", "x", x, "float32", "int32");
  return one("Neg", { x }, {}, () => ({ save: [], backward: ([dy]) => ({ x: neg(dy!) }) }));
}
/** |x|. */
export function abs(x: Tensor): Tensor {
  return unary("Abs", x, "x", (dy, v) => mul(dy, sign(v)), "int32");
}
/** -1, 0 or 1. */
export function sign(x: Tensor): Tensor {
  expectDType("Sign", "x", x, "float32");
  return one("Sign", { x }, {}, noGradient);
}
/** Largest integer not above x. */
export function floor(x: Tensor): Tensor {
  expectDType("Floor", "x", x, "float32");
  return one("Floor", { x }, {}, noGradient);
}
/** Nearest integer, ties to even. */
export function round(x: Tensor): Tensor {
  expectDType("Round", "x", x, "float32");
  return one("Round", { x }, {}, noGradient);
}
/** e^x. */
export function exp(x: Tensor): Tensor {
  return unary("Exp", x, "y", (dy, y) => mul(dy, y));
}
/** e^x - 1 without cancellation near 0. */
export function expm1(x: Tensor): Tensor {
  return unary("Expm1", x, "y", (dy, y) => mul(dy, add(y, 1)));
}
/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return unary("Log", x, "x", (dy, v) => div(dy, v));
}
/** log(1 + x) without cancellation near 0. */
export function log1p(x: Tensor): Tensor {
  return unary("Log1p", x, "x", (dy, v) => div(dy, add(v, 1)));
}
/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return unary("Sqrt", x, "y", (dy, y) => div(dy, mul(y, 2)));
}
/** 1 / sqrt(x). */
export function rsqrt(x: Tensor): Tensor {
  return unary("Rsqrt", x, "y", (dy, y) => mul(dy, mul(mul(square(y), y), -0.5)));
}
/** x^2. */
export function square(x: Tensor): Tensor {
  return unary("Square", x, "x", (dy, v) => mul(dy, mul(v, 2)), "int32");
}
/** 1 / x. */
export function reciprocal(x: Tensor): Tensor {
  return unary("Reciprocal", x, "y", (dy, y) => neg(mul(dy, square(y))));
}
/** 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return unary("Sigmoid", x, "y", (dy, y) => mul(dy, mul(y, sub(1, y))));
}
/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return unary("Tanh", x, "y", (dy, y) => mul(dy, sub(1, square(y))));
}
/** log(1 + e^x), accurate relatively for every x. */
export function softplus(x: Tensor): Tensor {
  return unary("Softplus", x, "x", (dy, v) => mul(dy, sigmoid(v)));
}
/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  return unary("Relu", x, "x", (dy, v) => mul(dy, cast(greater(v, 0), "float32")));
}
/** x sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return unary("Silu", x, "x", (dy, v) => {
    const s = sigmoid(v);
    return mul(dy, mul(s, add(mul(v, sub(1, s)), 1)));
  });
}
/** x Phi(x), the exact form with erf. */
export function gelu(x: Tensor): Tensor {
  return unary("Gelu", x, "x", (dy, v) => {
    const cdf = mul(add(erf(mul(v, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(square(v), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(dy, add(cdf, mul(v, density)));
  });
}
/** Sine. */
export function sin(x: Tensor): Tensor {
  return unary("Sin", x, "x", (dy, v) => mul(dy, cos(v)));
}
/** Cosine. */
export function cos(x: Tensor): Tensor {
  return unary("Cos", x, "x", (dy, v) => neg(mul(dy, sin(v))));
}
/** Error function. */
export function erf(x: Tensor): Tensor {
  return unary("Erf", x, "x", (dy, v) => mul(dy, mul(exp(neg(square(v))), 2 / Math.sqrt(Math.PI))));
}
/** x limited to [min, max]; no gradient where it is limited. */
export function clip(x: Tensor, min: number, max: number): Tensor {
  expectDType("ClipByValue", "x", x, "float32");
  return one("ClipByValue", { x }, { min, max }, () => ({
    save: [x],
    backward: ([dy], [v]) => ({ x: mul(dy!, cast(logicalAnd(greaterEqual(v!, min), lessEqual(v!, max)), "float32")) }),
  }));
}

/** Another dtype; the gradient passes between floats only. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return same(x);
  return one("Cast", { x }, { dtype }, noGradient);
}

/** `t` where the condition holds, else `e`; all three broadcast. */
export function where(condition: Tensor, t: Tensor, e: Tensor): Tensor {
  expectDType("where", "condition", condition, "bool");
  expectDType("where", "e", e, t.dtype as DType);
  const shape = broadcastShape("where", broadcastShape("where", condition.shape, t.shape), e.shape);
  return tidy(() => {
    const c = broadcastTo(condition, shape);
    return one("Select", { condition: c, t: broadcastTo(t, shape), e: broadcastTo(e, shape) }, {}, () => ({
      save: [c],
      backward: ([dy], [cond]) => {
        const toT = mul(dy!, cast(cond!, "float32"));
        return { t: toT, e: sub(dy!, toT) };
      },
    }));
  });
}

/** Another handle on the same values, so that every op's result is the caller's to dispose. */
function same(x: Tensor): Tensor {
  return one("Identity", { x }, {}, () => ({ save: [], backward: ([dy]) => ({ x: dy! }) }));
}

/** Repeats axes of extent 1 (and adds leading ones) to reach a shape. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.join() === shape.join()) return same(x);
  if (broadcastShape("broadcastTo", x.shape, shape).join() !== shape.join()) throw new ShapeError(`broadcastTo: ${show(x.shape)} does not broadcast to ${show(shape)}`);
  const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  return tidy(() => tile(reshape(x, padded), shape.map((extent, i) => (padded[i] === extent ? 1 : extent))));
}

/** The same values under another shape, without a copy; one extent may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const full = shape.map((extent) => (extent === -1 ? x.size / known : extent));
  if (full.some((extent) => !Number.isInteger(extent)) || full.reduce((a, b) => a * b, 1) !== x.size) {
    throw new ShapeError(`reshape: ${show(x.shape)} has ${x.size} elements and does not fit ${show(shape)}`);
  }
  return one("Reshape", { x }, { shape: full }, () => ({ save: [], backward: ([dy]) => ({ x: reshape(dy!, x.shape) }) }));
}

/** Reorders axes; reverses them by default. */
export function transpose(x: Tensor, perm: readonly number[] = x.shape.map((_, i) => x.shape.length - 1 - i)): Tensor {
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.shape.length) throw new ShapeError(`transpose: perm [${perm.join(", ")}] is not an order of the axes of ${show(x.shape)}`);
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return one("Transpose", { x }, { perm: [...perm] }, () => ({ save: [], backward: ([dy]) => ({ x: transpose(dy!, inverse) }) }));
}

/** `size` elements from `begin` along every axis; -1 takes the rest. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const full = size.map((extent, i) => (extent === -1 ? x.shape[i]! - begin[i]! : extent));
  const inside = begin.length === x.shape.length && full.length === x.shape.length && begin.every((from, i) => from >= 0 && full[i]! >= 0 && from + full[i]! <= x.shape[i]!);
  if (!inside) throw new ShapeError(`slice: begin [${begin.join(", ")}], size [${size.join(", ")}] is not inside ${show(x.shape)}`);
  const alias = contiguousView(x, begin, full);
  if (alias !== undefined) return alias;
  const paddings = x.shape.map((extent, i) => [begin[i]!, extent - begin[i]! - full[i]!] as const);
  return one("Slice", { x }, { begin: [...begin], size: full }, () => ({ save: [], backward: ([dy]) => ({ x: pad(dy!, paddings) }) }));
}

/**
 * A slice that is one run of memory needs no copy where nothing is recorded: decoding at batch 1 cuts its projections so.
 * `undefined` where it is not one run, or the backend cannot bind at that offset.
 */
function contiguousView(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor | undefined {
  if (isRecording()) return undefined;
  const first = size.findIndex((extent) => extent !== 1);
  const cut = first < 0 ? size.length - 1 : first;
  if (size.some((extent, i) => extent === 0 || (i > cut && extent !== x.shape[i]))) return undefined;
  let offset = 0;
  x.shape.forEach((extent, i) => (offset = offset * extent + begin[i]!));
  const backend = currentBackend();
  if ((4 * offset) % backend.viewAlignment !== 0) return undefined;
  return engine().makeTensorFromTensorInfo(backend.view(x, size, offset));
}

/** One axis cut to [from, from + extent), the others whole. */
export function sliceAxis(x: Tensor, axis: number, from: number, extent: number): Tensor {
  const [at] = normalAxes("sliceAxis", axis, x.shape.length);
  return slice(x, x.shape.map((_, i) => (i === at ? from : 0)), x.shape.map((whole, i) => (i === at ? extent : whole)));
}

/** An axis cut into parts of the given extents. */
export function split(x: Tensor, extents: readonly number[], axis = -1): Tensor[] {
  const [at] = normalAxes("split", axis, x.shape.length);
  if (extents.reduce((a, b) => a + b, 0) !== x.shape[at!]) throw new ShapeError(`split: extents [${extents.join(", ")}] do not add up to ${x.shape[at!]} of ${show(x.shape)}`);
  const forward = (): Tensor[] => {
    let from = 0;
    return extents.map((extent) => {
      const part = sliceAxis(x, at!, from, extent);
      from += extent;
      return part;
    });
  };
  // One node for all parts: their gradients are laid side by side, instead of each padded with zeros and added.
  return runComposite("split", { x }, forward, (parts) => ({
    save: [],
    backward: (dys) => ({ x: concat(dys.map((dy, i) => dy ?? zeros(parts[i]!.shape)), at) }),
  }));
}

/** Tensors laid one after another along an axis. */
export function concat(xs: readonly Tensor[], axis = 0): Tensor {
  if (xs.length === 0) throw new ShapeError("concat: needs at least one tensor");
  if (xs.length === 1) return same(xs[0]!);
  const [at] = normalAxes("concat", axis, xs[0]!.shape.length);
  for (const x of xs) {
    if (x.shape.length !== xs[0]!.shape.length || x.shape.some((extent, i) => i !== at && extent !== xs[0]!.shape[i])) throw new ShapeError(`concat: ${show(x.shape)} does not fit ${show(xs[0]!.shape)} along axis ${at}`);
    if (x.dtype !== xs[0]!.dtype) throw new DTypeError(`concat: tensors must have one dtype, got ${xs[0]!.dtype} and ${x.dtype}`);
  }
  const extents = xs.map((x) => x.shape[at!]!);
  return one("Concat", { ...xs } as unknown as Record<string, Tensor>, { axis: at }, () => ({
    save: [],
    backward: ([dy]) => Object.fromEntries(split(dy!, extents, at).map((part, i) => [String(i), part])),
  }));
}

/** Tensors of one shape along a new axis. */
export function stack(xs: readonly Tensor[], axis = 0): Tensor {
  const shape = xs[0]?.shape ?? [];
  return tidy(() => concat(xs.map((x) => reshape(x, [...shape.slice(0, axis), 1, ...shape.slice(axis)])), axis));
}

/** The order of some axes turned around. */
export function reverse(x: Tensor, axes: number | readonly number[]): Tensor {
  const at = normalAxes("reverse", axes, x.shape.length);
  return one("Reverse", { x }, { axes: at }, () => ({ save: [], backward: ([dy]) => ({ x: reverse(dy!, at) }) }));
}

/** Adds `value` around: [before, after] for every axis. */
export function pad(x: Tensor, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
  if (paddings.length !== x.shape.length || paddings.some(([a, b]) => a < 0 || b < 0)) throw new ShapeError(`pad: needs [before, after] >= 0 for each axis of ${show(x.shape)}`);
  return one("Pad", { x }, { paddings, value }, () => ({ save: [], backward: ([dy]) => ({ x: slice(dy!, paddings.map(([before]) => before), x.shape) }) }));
}

/** The whole tensor repeated along each axis. */
export function tile(x: Tensor, reps: readonly number[]): Tensor {
  if (reps.length !== x.shape.length) throw new ShapeError(`tile: needs one count for each axis of ${show(x.shape)}, got [${reps.join(", ")}]`);
  return one("Tile", { x }, { reps: [...reps] }, () => ({
    save: [],
    backward: ([dy]) => {
      const apart = sum(reshape(dy!, reps.flatMap((rep, i) => [rep, x.shape[i]!])), reps.map((_, i) => 2 * i));
      return { x: reshape(apart, x.shape) };
    },
  }));
}

/** Rows (or slices along an axis) picked by index. */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  if (indices.dtype !== "int32") throw new DTypeError(`gather: indices must be int32, got ${indices.dtype}`);
  const [at] = normalAxes("gather", axis, x.shape.length);
  return one("Gather", { x, indices }, { axis: at }, () => ({
    save: [indices],
    backward: ([dy], [ids]) => {
      const lead = x.shape.slice(0, at);
      const tail = x.shape.slice(at! + 1);
      const order = [at!, ...lead.map((_, i) => i), ...tail.map((_, i) => at! + 1 + i)];
      const flat = reshape(dy!, [...lead, ids!.size, ...tail]);
      const rows = segmentSum(transpose(flat, order), reshape(ids!, [ids!.size]), x.shape[at!]!);
      return { x: transpose(rows, order.map((_, i) => order.indexOf(i))) };
    },
  }));
}

/** Rows added up by id: out[ids[i]] += x[i]. */
export function segmentSum(x: Tensor, ids: Tensor, count: number): Tensor {
  if (ids.dtype !== "int32" || ids.shape.join() !== String(x.shape[0])) throw new ShapeError(`segmentSum: ids must be int32 [n] = [${x.shape[0]}], got ${ids.dtype} ${show(ids.shape)}`);
  return one("SegmentSum", { x, ids }, { count }, () => ({ save: [ids], backward: ([dy], [at]) => ({ x: gather(dy!, at!) }) }));
}

/** 1 at the index, 0 elsewhere, along a new last axis. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  if (indices.dtype !== "int32") throw new DTypeError(`oneHot: indices must be int32, got ${indices.dtype}`);
  return one("OneHot", { indices }, { depth }, noGradient);
}

/** Sum over axes (all by default). */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  expectDType("Sum", "x", x, "float32", "int32");
  const at = normalAxes("sum", axes, x.shape.length);
  return one("Sum", { x }, { axes: at, keepDims }, () => ({ save: [], backward: ([dy]) => ({ x: spread(dy!, x.shape, at) }) }));
}

/** A reduced gradient repeated over the axes that were reduced. */
function spread(dy: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  return broadcastTo(reshape(dy, shape.map((extent, i) => (axes.includes(i) ? 1 : extent))), shape);
}

/** Mean over axes (all by default). */
export function mean(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const count = normalAxes("mean", axes, x.shape.length).reduce((n, axis) => n * x.shape[axis]!, 1);
  expectDType("mean", "x", x, "float32");
  return tidy(() => mul(sum(x, axes, keepDims), 1 / count));
}

function extreme(name: "Max" | "Min", x: Tensor, axes: number | readonly number[] | undefined, keepDims: boolean): Tensor {
  const at = normalAxes(name, axes, x.shape.length);
  return one(name, { x }, { axes: at, keepDims }, ([y]) => ({
    save: [x, y!],
    backward: ([dy], [v, best]) => {
      const hit = cast(equal(v!, spread(best!, v!.shape, at)), "float32");
      return { x: mul(div(hit, spread(sum(hit, at), v!.shape, at)), spread(dy!, v!.shape, at)) };
    },
  }));
}
/** Largest over axes; ties share the gradient. */
export function max(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return extreme("Max", x, axes, keepDims);
}
/** Smallest over axes; ties share the gradient. */
export function min(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return extreme("Min", x, axes, keepDims);
}
/** Index of the largest along an axis, int32; the lowest index wins ties. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return one("ArgMax", { x }, { axis: normalAxes("argMax", axis, x.shape.length)[0] }, noGradient);
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  expectDType("Softmax", "x", x, "float32");
  return one("Softmax", { x }, {}, ([y]) => ({
    save: [y!],
    backward: ([dy], [p]) => {
      const weighted = mul(dy!, p!);
      return { x: sub(weighted, mul(p!, sum(weighted, -1, true))) };
    },
  }));
}

/** Running sum along an axis. */
export function cumsum(x: Tensor, axis = -1, options: { exclusive?: boolean; reverse?: boolean } = {}): Tensor {
  const [at] = normalAxes("cumsum", axis, x.shape.length);
  const exclusive = options.exclusive ?? false;
  const backwards = options.reverse ?? false;
  return one("Cumsum", { x }, { axis: at, exclusive, reverse: backwards }, () => ({
    save: [],
    backward: ([dy]) => ({ x: cumsum(dy!, at, { exclusive, reverse: !backwards }) }),
  }));
}

/**
 * Matrix product over the last two axes; leading axes broadcast when one side has none or a product of 1.
 * @throws ShapeError when the inner extents differ.
 */
export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  expectDType("matMul", "a", a, "float32");
  expectDType("matMul", "b", b, "float32");
  if (a.shape.length < 2 || b.shape.length < 2) throw new ShapeError(`matMul: a and b must be matrices, got ${show(a.shape)} and ${show(b.shape)}`);
  const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
  const [inner, n] = transposeB ? [colsB, rowsB] : [rowsB, colsB];
  if (k !== inner) throw new ShapeError(`matMul: inner extents differ: a ${show(a.shape)}${transposeA ? "^T" : ""}, b ${show(b.shape)}${transposeB ? "^T" : ""}`);
  const leadA = a.shape.slice(0, -2);
  const leadB = b.shape.slice(0, -2);
  const countA = leadA.reduce((x, y) => x * y, 1);
  const countB = leadB.reduce((x, y) => x * y, 1);
  if (countA !== countB && countA !== 1 && countB !== 1) throw new ShapeError(`matMul: leading axes do not fit: a ${show(a.shape)}, b ${show(b.shape)}`);
  const lead = countA === 1 && countB !== 1 ? leadB : leadB.length > leadA.length && countA === countB ? leadB : leadA;
  return tidy(() => {
    const y = matMul3(reshape(a, [countA, rowsA, colsA]), reshape(b, [countB, rowsB, colsB]), transposeA, transposeB);
    return reshape(y, [...lead, m, n]);
  });
}

function matMul3(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  return one("BatchMatMul", { a, b }, { transposeA, transposeB }, () => ({
    save: [a, b],
    backward: ([dy], [x, y]) => {
      const dx = transposeA ? matMul3(y!, dy!, transposeB, true) : matMul3(dy!, y!, false, !transposeB);
      const dyy = transposeB ? matMul3(dy!, x!, true, transposeA) : matMul3(x!, dy!, !transposeA, false);
      return { a: unbroadcast(dx, a.shape), b: unbroadcast(dyy, b.shape) };
    },
  }));
}

