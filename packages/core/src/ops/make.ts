import { ndarray, sizeOf } from "../math/ndarray.ts";
import { full, zeros } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { DType } from "../backend/types.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineOp } from "./defineOp.ts";
import { mapArray } from "./loops.ts";
import { broadcastTo, same } from "./movement.ts";
import { broadcastShape } from "./shapes.ts";

const ANY = "float32|int32|bool ...";

// `full` makes what all else is made of, so it lies below the table (tensor/create.ts); its place among the kernels is here.
defineOp({
  name: "full",
  room: "make",
  inputs: {},
  attrs: { shape: [] as readonly number[], value: 0, dtype: "float32" as DType },
  whole: ["shape"],
  outputs: { y: (_: object, { shape }: { shape: readonly number[] }) => shape },
  outputType: ({ dtype }) => dtype,
  differentiable: [],
  flat: true,
  reference: (_, { shape, value }) => ({ y: ndarray(shape, new Float64Array(sizeOf(shape)).fill(value)) }),
  compose: (_, { shape, value, dtype }) => ({ y: full(shape, value, dtype) }),
  cost: (_, { shape }) => ({ flops: 0, bytes: 4 * sizeOf(shape) }),
});

const castOp = defineOp({
  name: "cast",
  room: "make",
  inputs: { x: ANY },
  attrs: { dtype: "float32" as DType },
  outputs: { y: "..." },
  outputType: ({ dtype }) => dtype,
  differentiable: [],
  flat: true,
  reference: ({ x }, { dtype }) => ({
    y: mapArray(x, dtype === "float32" ? (v) => v : dtype === "bool" ? (v) => Number(v !== 0) : Math.trunc),
  }),
  cut: "...",
  cost: ({ lead }) => ({ flops: 0, bytes: 8 * sizeOf(lead) }),
});

/** Another dtype: floats are cut toward zero, and what is not 0 is true. No gradient passes. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? same(x) : castOp({ x }, { dtype }).y;
}

const whereOp = defineOp({
  name: "where",
  room: "make",
  inputs: { condition: "bool ...", t: ANY, e: ANY },
  attrs: {},
  outputs: { y: ANY },
  differentiable: ["t", "e"],
  gradient: {
    save: ["condition"],
    backward: ({ saved: { condition }, dy }): Record<"t" | "e", Tensor> => {
      const none = zeros(dy.shape, { backend: dy.backend });
      return { t: choose(condition!, dy, none), e: choose(condition!, none, dy) };
    },
  },
  reference: ({ condition, t, e }) => ({
    y: ndarray(
      t.shape,
      t.data.map((value, i) => (condition.data[i] === 0 ? e.data[i]! : value)),
    ),
  }),
  cut: "...",
  cost: ({ lead }) => ({ flops: sizeOf(lead), bytes: 16 * sizeOf(lead) }),
});

const choose = (condition: Tensor, t: Tensor, e: Tensor): Tensor => whereOp({ condition, t, e }).y;

/** `t` where the condition holds, else `e`; all three broadcast. */
export function where(condition: Tensor, t: Tensor, e: Tensor): Tensor {
  const shape = broadcastShape("where", broadcastShape("where", condition.shape, t.shape), e.shape);
  return tidy(() => choose(broadcastTo(condition, shape), broadcastTo(t, shape), broadcastTo(e, shape)));
}
