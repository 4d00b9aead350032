import { type DType } from "@statespace/core";
import { aliasKernels, broadcastShape, type Kernel, type KernelTable } from "@statespace/core/backend";
import { sizeOf, stridesOf } from "@statespace/core/math";
import type { MinimalBackend } from "./backend.ts";

type Shape = readonly number[];

/** For each element of `shape`, in order, its index in an array with these strides. */
function indices(shape: Shape, strides: Shape): Int32Array {
  const own = stridesOf(shape);
  return Int32Array.from({ length: sizeOf(shape) }, (_, i) =>
    shape.reduce((at, extent, axis) => at + (Math.floor(i / own[axis]!) % extent) * strides[axis]!, 0),
  );
}

/** Strides of an operand over a broadcast shape. */
function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const strides = stridesOf(operand);
  const lead = shape.length - operand.length;
  return shape.map((_, i) => (i < lead || operand[i - lead] === 1 ? 0 : strides[i - lead]!));
}

function unary(f: (x: number) => number): Kernel<MinimalBackend> {
  return (backend, { x }, attrs) => {
    const y = backend.output(x!.shape, (attrs["dtype"] ?? x!.dtype) as DType);
    const [from, to] = [backend.values(x!), backend.values(y)];
    backend.launch(() => from.forEach((value, i) => (to[i] = f(value))));
    return y;
  };
}

/** `whole` is what is done with int32, the same by default. */
function binary(
  plain: (a: number, b: number) => number,
  result?: DType,
  whole: (a: number, b: number) => number = plain,
): Kernel<MinimalBackend> {
  return (backend, { a, b }) => {
    const f = a!.dtype === "float32" ? plain : whole;
    const shape = broadcastShape("binary", a!.shape, b!.shape);
    const y = backend.output(shape, result ?? (a!.dtype as DType));
    const [left, right, to] = [backend.values(a!), backend.values(b!), backend.values(y)];
    const [p, q] = [a!, b!].map((x) => indices(shape, broadcastStrides(x.shape, shape)));
    backend.launch(() => to.forEach((_, i) => (to[i] = f(left[p![i]!]!, right[q![i]!]!))));
    return y;
  };
}

const cast: Kernel<MinimalBackend> = (backend, { x }, attrs) =>
  unary(attrs["dtype"] === "bool" ? (value) => Number(value !== 0) : (value) => value)(backend, { x: x! }, attrs);

const where: Kernel<MinimalBackend> = (backend, { condition, t, e }) => {
  const y = backend.output(t!.shape, t!.dtype as DType);
  const [holds, yes, no, to] = [condition!, t!, e!, y].map((x) => backend.values(x));
  backend.launch(() => to!.forEach((_, i) => (to![i] = holds![i] !== 0 ? yes![i]! : no![i]!)));
  return y;
};

const sum: Kernel<MinimalBackend> = (backend, { x }, attrs) => {
  const axes = attrs["axes"] as number[];
  const kept = x!.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
  const y = backend.output(attrs["keepDims"] ? kept : kept.filter((_, i) => !axes.includes(i)), x!.dtype as DType);
  const [from, to] = [backend.values(x!), backend.values(y)];
  const at = indices(x!.shape, broadcastStrides(kept, x!.shape));
  backend.launch(() => {
    const sums = new Float64Array(to.length);
    from.forEach((value, i) => (sums[at[i]!]! += value));
    to.set(sums);
  });
  return y;
};

const matMul: Kernel<MinimalBackend> = (backend, { a, b }, { transposeA, transposeB }) => {
  const [countA, rowsA, columnsA] = a!.shape as [number, number, number];
  const [countB, rowsB, columnsB] = b!.shape as [number, number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transposeB ? rowsB : columnsB;
  const y = backend.output([Math.max(countA, countB), m, n]);
  const [left, right, to] = [backend.values(a!), backend.values(b!), backend.values(y)];
  backend.launch(() => {
    for (let i = 0; i < to.length; i++) {
      const [batch, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n] as const;
      const [fromA, fromB] = [countA === 1 ? 0 : batch * m * k, countB === 1 ? 0 : batch * n * k];
      let dot = 0;
      for (let j = 0; j < k; j++)
        dot +=
          left[fromA + (transposeA ? j * m + row : row * k + j)]! *
          right[fromB + (transposeB ? column * k + j : j * n + column)]!;
      to[i] = dot;
    }
  });
  return y;
};

const transpose: Kernel<MinimalBackend> = (backend, { x }, attrs) => {
  const perm = attrs["perm"] as number[];
  const strides = stridesOf(x!.shape);
  const y = backend.output(
    perm.map((axis) => x!.shape[axis]!),
    x!.dtype as DType,
  );
  const [from, to] = [backend.values(x!), backend.values(y)];
  const at = indices(
    y.shape,
    perm.map((axis) => strides[axis]!),
  );
  backend.launch(() => at.forEach((index, i) => (to[i] = from[index]!)));
  return y;
};

const gather: Kernel<MinimalBackend> = (backend, { x, indices: ids }, attrs) => {
  const axis = attrs["axis"] as number;
  const [lead, tail] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
  const y = backend.output([...lead, ...ids!.shape, ...tail], x!.dtype as DType);
  const [extent, inner] = [x!.shape[axis]!, sizeOf(tail)];
  const [from, picked, to] = [backend.values(x!), backend.values(ids!), backend.values(y)];
  backend.launch(() => {
    for (let i = 0; i < to.length; i++) {
      const [outer, j, k] = [Math.floor(i / (picked.length * inner)), Math.floor(i / inner) % picked.length, i % inner];
      to[i] = from[(outer! * extent + picked[j!]!) * inner + k!]!;
    }
  });
  return y;
};

const copy: Kernel<MinimalBackend> = (backend, { destination, source }) => {
  const [to, from] = [backend.values(destination!), backend.values(source!)];
  backend.launch(() => to.set(from));
  return [];
};

/** Fifteen kernels; identity and reshape come with the contract. */
export const minimalKernels: KernelTable<MinimalBackend> = {
  ...(aliasKernels as KernelTable<MinimalBackend>),
  add: binary((a, b) => a + b),
  mul: binary((a, b) => a * b, undefined, Math.imul),
  div: binary((a, b) => a / b),
  maximum: binary(Math.max),
  greater: binary((a, b) => Number(a > b), "bool"),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sin: unary(Math.sin),
  cast,
  where,
  sum,
  matMul,
  transpose,
  gather,
  copy,
};
