import { DTypeError } from "../errors.ts";
import { sizeOf } from "../math/ndarray.ts";
import { scalar } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { DType } from "../backend/types.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sameShape } from "./axes.ts";
import type { BackwardContext, Cut, NoAttrs } from "./declaration.ts";
import { apply, defineOp } from "./defineOp.ts";
import { zipArrays } from "./loops.ts";
import { cast, where } from "./make.ts";
import { reshape } from "./movement.ts";
import { sum } from "./sum.ts";
import type { Shaped } from "./shapes.ts";

/** Sums a gradient over the axes its input was broadcast along. */
export function unbroadcast(dy: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []));
  return reshape(sum(dy, axes), shape);
}

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/** An op on two operands that broadcast as in NumPy. */
export type Binary = (a: Operand, b: Operand) => Tensor;

/** Runs an op on two operands; the scalars that numbers became are disposed again. */
function pair(name: string, a: Operand, b: Operand, run: (inputs: { a: Tensor; b: Tensor }) => { y: Tensor }): Tensor {
  if (typeof a !== "number" && typeof b !== "number") return run({ a, b }).y;
  const dtype = (typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "float32") as DType;
  const backend = typeof a !== "number" ? a.backend : typeof b !== "number" ? b.backend : undefined;
  const typed = (argument: string, operand: Operand): Tensor => {
    if (typeof operand !== "number") return operand;
    if (dtype !== "float32" && !Number.isInteger(operand))
      throw new DTypeError(`${name}: ${argument} = ${operand} is no integer, and the other operand is ${dtype}`);
    return scalar(operand, { dtype, backend });
  };
  return tidy(() => run({ a: typed("a", a), b: typed("b", b) }).y);
}

/** By leading axes: two operands alike, or one that is repeated along all of them. */
function cut({ a, b }: Readonly<Record<string, Shaped>>): Cut {
  const [large, small] =
    a!.shape.length >= b!.shape.length && sizeOf(a!.shape) >= sizeOf(b!.shape) ? [a!, b!] : [b!, a!];
  if (sameShape(large.shape, small.shape)) return { lead: large.shape, inputs: ["a", "b"], width: 1 };
  const own = small.shape.findIndex((extent) => extent !== 1);
  const trailing = own < 0 ? 0 : small.shape.length - own;
  const lead = large.shape.slice(0, large.shape.length - trailing);
  return { lead, inputs: [large === a ? "a" : "b"], width: sizeOf(large.shape) / sizeOf(lead) };
}

const common = {
  room: "binary",
  attrs: {},
  cut,
  cost: ({ broadcast = [] }: { broadcast?: readonly number[] | undefined }) => ({
    flops: sizeOf(broadcast),
    bytes: 12 * sizeOf(broadcast),
  }),
} as const;

/** Gradients of a and b, still broadcast. */
type Back = (dy: Tensor, saved: Readonly<Record<string, Tensor>>) => readonly [Tensor, Tensor];

/** float32 or int32 in, the same out. */
export function arithmetic(
  name: string,
  f: (x: number, y: number) => number,
  save: readonly string[],
  back: Back,
  compose?: (a: Tensor, b: Tensor) => Tensor,
): Binary {
  const op = defineOp({
    ...common,
    name,
    inputs: { a: "float32|int32 ~", b: "float32|int32 ~" },
    outputs: { y: "float32|int32 ~" },
    differentiable: ["a", "b"],
    gradient: {
      save,
      backward: ({ saved, dy, shapes }: BackwardContext<NoAttrs>) => {
        const [da, db] = back(dy, saved);
        return { a: unbroadcast(da, shapes["a"]!), b: unbroadcast(db, shapes["b"]!) };
      },
    },
    reference: ({ a, b }) => ({ y: zipArrays(a, b, f) }),
    ...(compose ? { compose: ({ a, b }: { a: Tensor; b: Tensor }) => ({ y: compose(a, b) }) } : {}),
  });
  return (a, b) => pair(name, a, b, op);
}

/** float32 or int32 in, bool out. */
function comparison(
  name: string,
  f: (x: number, y: number) => boolean,
  compose?: (a: Tensor, b: Tensor) => Tensor,
): Binary {
  const op = defineOp({
    ...common,
    name,
    inputs: { a: "float32|int32 ~", b: "float32|int32 ~" },
    outputs: { y: "bool ~" },
    differentiable: [],
    flat: true,
    reference: ({ a, b }) => ({ y: zipArrays(a, b, (x, y) => Number(f(x, y))) }),
    ...(compose ? { compose: ({ a, b }: { a: Tensor; b: Tensor }) => ({ y: compose(a, b) }) } : {}),
  });
  return (a, b) => pair(name, a, b, op);
}

const both = ["a", "b"];

/** a + b, broadcast. */
export const add: Binary = arithmetic(
  "add",
  (a, b) => a + b,
  [],
  (dy) => [dy, dy],
);

/** a * b elementwise, broadcast; of int32 it wraps around. */
export const mul: Binary = arithmetic(
  "mul",
  (a, b) => a * b,
  both,
  (dy, { a, b }) => [mul(dy, b!), mul(dy, a!)],
);

const minus = (x: Tensor): Tensor => apply("neg", { x });

/** a - b, broadcast. */
export const sub: Binary = arithmetic(
  "sub",
  (a, b) => a - b,
  [],
  (dy) => [dy, minus(dy)],
  (a, b) => add(a, minus(b)),
);

/** a / b elementwise, broadcast; a quotient of int32 is cut toward zero, and 0 where b is. */
export const div: Binary = arithmetic(
  "div",
  (a, b) => a / b,
  ["b", "y"],
  (dy, { b, y }) => {
    const da = div(dy, b!);
    return [da, minus(mul(da, y!))];
  },
);

const either = (a: Tensor, b: Tensor): Tensor => greater(add(cast(a, "int32"), cast(b, "int32")), 0);

/** What is neither above -1 nor below 1 is no number. */
const isNumber = (x: Tensor): Tensor => either(greater(x, -1), greater(1, x));

/** Compositions of "not greater" hold for NaN, which no comparison but "not equal" may. */
const areNumbers = (a: Tensor, b: Tensor): Tensor => logicalAnd(isNumber(a), isNumber(b));

/** a > b, as bool. */
export const greater: Binary = comparison("greater", (a, b) => a > b);

/** a < b, as bool. */
export const less: Binary = comparison(
  "less",
  (a, b) => a < b,
  (a, b) => greater(b, a),
);

/** a <= b, as bool. */
export const lessEqual: Binary = comparison(
  "lessEqual",
  (a, b) => a <= b,
  (a, b) => logicalAnd(logicalNot(greater(a, b)), areNumbers(a, b)),
);

/** a >= b, as bool. */
export const greaterEqual: Binary = comparison(
  "greaterEqual",
  (a, b) => a >= b,
  (a, b) => logicalAnd(logicalNot(greater(b, a)), areNumbers(a, b)),
);

/** a != b, as bool. */
export const notEqual: Binary = comparison(
  "notEqual",
  (a, b) => a !== b,
  (a, b) => logicalNot(equal(a, b)),
);

/** a == b, as bool. */
export const equal: Binary = comparison(
  "equal",
  (a, b) => a === b,
  (a, b) => logicalAnd(logicalNot(either(greater(a, b), greater(b, a))), areNumbers(a, b)),
);

/** The upstream gradient to a where a was taken, the rest to b. */
function splitBy(dy: Tensor, first: Tensor): readonly [Tensor, Tensor] {
  const toFirst = mul(dy, cast(first, "float32"));
  return [toFirst, sub(dy, toFirst)];
}

/** The larger of a and b; at a tie the gradient goes to a. */
export const maximum: Binary = arithmetic(
  "maximum",
  Math.max,
  both,
  (dy, { a, b }) => splitBy(dy, greaterEqual(a!, b!)),
  (a, b) => where(either(greater(b, a), logicalNot(isNumber(b))), b, a),
);

/** The smaller of a and b; at a tie the gradient goes to a. */
export const minimum: Binary = arithmetic(
  "minimum",
  Math.min,
  both,
  (dy, { a, b }) => splitBy(dy, lessEqual(a!, b!)),
  (a, b) => where(either(greater(a, b), logicalNot(isNumber(b))), b, a),
);

const logicalAndOp = defineOp({
  ...common,
  name: "logicalAnd",
  inputs: { a: "bool ~", b: "bool ~" },
  outputs: { y: "bool ~" },
  differentiable: [],
  flat: true,
  reference: ({ a, b }) => ({ y: zipArrays(a, b, (x, y) => Number(x !== 0 && y !== 0)) }),
  compose: ({ a, b }) => ({ y: greater(mul(cast(a, "int32"), cast(b, "int32")), 0) }),
});

/** Both true, as bool. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return logicalAndOp({ a, b }).y;
}

const logicalNotOp = defineOp({
  name: "logicalNot",
  room: "unary",
  inputs: { x: "bool ..." },
  attrs: {},
  outputs: { y: "bool ..." },
  differentiable: [],
  flat: true,
  reference: ({ x }) => ({ y: { shape: x.shape, data: x.data.map((v) => Number(v === 0)) } }),
  compose: ({ x }) => ({ y: greater(1, cast(x, "int32")) }),
  cut: "...",
  cost: ({ lead }) => ({ flops: sizeOf(lead), bytes: 8 * sizeOf(lead) }),
});

/** Not true, as bool. */
export function logicalNot(x: Tensor): Tensor {
  return logicalNotOp({ x }).y;
}
