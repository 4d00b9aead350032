import { DTypeError } from "../../errors.ts";
import { scalar, tidy } from "../create.ts";
import { broadcastTo, reshape, same, sum } from "./movement.ts";
import { broadcastShape, expectDType, noGradient, one, unary } from "./rules.ts";
import type { DType, Tensor } from "../types.ts";

/** Sums a gradient over the axes its input was broadcast along. */
export function unbroadcast(dy: Tensor, shape: readonly number[]): Tensor {
  if (dy.shape.join() === shape.join()) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((extent, i) => (i < lead || (shape[i - lead] === 1 && extent !== 1) ? [i] : []));
  return reshape(sum(dy, axes), shape);
}

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/** Runs an op on two operands; the scalars that numbers became are disposed again. */
function withPair(
  op: string,
  a: Operand,
  b: Operand,
  run: (x: Tensor, y: Tensor) => Tensor,
  ...dtypes: readonly DType[]
): Tensor {
  const dtype: DType =
    typeof a !== "number" ? (a.dtype as DType) : typeof b !== "number" ? (b.dtype as DType) : "float32";
  const typed = (argument: string, operand: Operand): Tensor => {
    if (typeof operand !== "number") {
      expectDType(op, argument, operand, ...dtypes);
      return operand;
    }
    if (dtype !== "float32" && !Number.isInteger(operand))
      throw new DTypeError(`${op}: ${argument} = ${operand} is no integer, and the other operand is ${dtype}`);
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

function binary(
  name: string,
  a: Operand,
  b: Operand,
  save: (x: Tensor, y: Tensor, out: Tensor) => Tensor[],
  back: (dy: Tensor, saved: readonly Tensor[]) => [Tensor, Tensor],
): Tensor {
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
  return binary(
    "add",
    a,
    b,
    () => [],
    (dy) => [dy, dy],
  );
}

/** a - b, broadcast. */
export function sub(a: Operand, b: Operand): Tensor {
  return binary(
    "sub",
    a,
    b,
    () => [],
    (dy) => [dy, neg(dy)],
  );
}

/** a * b elementwise, broadcast. */
export function mul(a: Operand, b: Operand): Tensor {
  return binary(
    "mul",
    a,
    b,
    (x, y) => [x, y],
    (dy, [x, y]) => [mul(dy, y!), mul(dy, x!)],
  );
}

/** a / b elementwise, broadcast. */
export function div(a: Operand, b: Operand): Tensor {
  return binary(
    "div",
    a,
    b,
    (_, y, out) => [y, out],
    (dy, [y, out]) => {
      const da = div(dy, y!);
      return [da, neg(mul(da, out!))];
    },
  );
}

/** The larger of a and b; at a tie the gradient goes to a. */
export function maximum(a: Operand, b: Operand): Tensor {
  return binary(
    "maximum",
    a,
    b,
    (x, y) => [x, y],
    (dy, [x, y]) => splitBy(dy, greaterEqual(x!, y!)),
  );
}

/** The smaller of a and b; at a tie the gradient goes to a. */
export function minimum(a: Operand, b: Operand): Tensor {
  return binary(
    "minimum",
    a,
    b,
    (x, y) => [x, y],
    (dy, [x, y]) => splitBy(dy, lessEqual(x!, y!)),
  );
}

function splitBy(dy: Tensor, first: Tensor): [Tensor, Tensor] {
  const toFirst = mul(dy, cast(first, "float32"));
  return [toFirst, sub(dy, toFirst)];
}

/** a to the power of b, for a > 0. */
export function pow(a: Operand, b: Operand): Tensor {
  return binary(
    "pow",
    a,
    b,
    (x, y, out) => [x, y, out],
    (dy, [x, y, out]) => [mul(dy, div(mul(y!, out!), x!)), mul(dy, mul(out!, log(x!)))],
  );
}

/** -x. */
export function neg(x: Tensor): Tensor {
  expectDType("neg", "x", x, "float32", "int32");
  return one("neg", { x }, {}, () => ({ save: [], backward: ([dy]) => ({ x: neg(dy!) }) }));
}

/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return unary("log", x, "x", (dy, v) => div(dy, v));
}

function compare(name: string, a: Operand, b: Operand): Tensor {
  return withPair(name, a, b, (x, y) => one(name, { a: x, b: y }, {}, noGradient), "float32", "int32");
}

/** a == b, as bool. */
export function equal(a: Operand, b: Operand): Tensor {
  return compare("equal", a, b);
}

/** a != b, as bool. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return compare("notEqual", a, b);
}

/** a < b, as bool. */
export function less(a: Operand, b: Operand): Tensor {
  return compare("less", a, b);
}

/** a <= b, as bool. */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return compare("lessEqual", a, b);
}

/** a > b, as bool. */
export function greater(a: Operand, b: Operand): Tensor {
  return compare("greater", a, b);
}

/** a >= b, as bool. */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return compare("greaterEqual", a, b);
}

/** Both true, as bool. */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return withPair("logicalAnd", a, b, (x, y) => one("logicalAnd", { a: x, b: y }, {}, noGradient), "bool");
}

/** Not true, as bool. */
export function logicalNot(x: Tensor): Tensor {
  expectDType("logicalNot", "x", x, "bool");
  return one("logicalNot", { x }, {}, noGradient);
}

/** Another dtype; the gradient passes between floats only. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return same(x);
  return one("cast", { x }, { dtype }, noGradient);
}

/** `t` where the condition holds, else `e`; all three broadcast. */
export function where(condition: Tensor, t: Tensor, e: Tensor): Tensor {
  expectDType("where", "condition", condition, "bool");
  expectDType("where", "e", e, t.dtype as DType);
  const shape = broadcastShape("where", broadcastShape("where", condition.shape, t.shape), e.shape);
  return tidy(() => {
    const c = broadcastTo(condition, shape);
    return one("where", { condition: c, t: broadcastTo(t, shape), e: broadcastTo(e, shape) }, {}, () => ({
      save: [c],
      backward: ([dy], [cond]) => {
        const toT = mul(dy!, cast(cond!, "float32"));
        return { t: toT, e: sub(dy!, toT) };
      },
    }));
  });
}
