import {
  readFloats,
  reshape,
  setBackend,
  slice,
  sum,
  tensor,
  tidy,
  valueAndGrads,
  type AnyOp,
  type NdArray,
  type NdArrays,
  type Tensor,
} from "@statespace/core";
import { Draw } from "../cases/opCase.ts";
import { largest } from "../golden/inputs.ts";
import type { Bench, Subject } from "./bench.ts";

/** A benchmark of one op at a model's shape. */
export interface OpBenchSpec {
  readonly name: string;
  readonly op: AnyOp;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly dims: Readonly<Record<string, number>>;
  /** Leading extents, where the op has a `...`. */
  readonly lead?: readonly number[];
  make(draw: Draw): Readonly<Record<string, NdArray>>;
  readonly integers?: readonly string[];
  /** Also time the gradient: forward and backward together, under `name backward`. */
  readonly backward?: boolean;
}

async function firstOf(t: Tensor): Promise<number> {
  const one = tidy(() => slice(reshape(t, [t.size]), [0], [1]));
  const [value] = await readFloats(one);
  one.dispose();
  return value!;
}

function upload(spec: OpBenchSpec, inputs: NdArrays): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      spec.integers?.includes(name) ? tensor(Int32Array.from(data), shape) : tensor(Float32Array.from(data), shape),
    ]),
  );
}

/** Forward, or forward and backward, of an op on each backend. */
export function opBench(spec: OpBenchSpec, direction: "forward" | "backward"): Bench {
  const { flops, bytes, exps } = spec.op.spec.cost(
    { dims: spec.dims, lead: spec.lead ?? [] },
    { ...spec.op.spec.attrs, ...spec.attrs },
  );
  // A backward pass recomputes the forward and does about twice its work.
  const factor = direction === "forward" ? 1 : 3;
  return {
    name: direction === "forward" ? spec.name : `${spec.name} backward`,
    work: {
      flops: factor * flops,
      bytes: factor * bytes,
      ...(exps === undefined ? {} : { exps: (direction === "forward" ? 1 : 2) * exps }),
    },
    async prepare(backends) {
      const inputs = spec.make(new Draw(1));
      const expected = spec.op.spec.reference(inputs, { ...spec.op.spec.attrs, ...spec.attrs });
      const subjects: Subject[] = [];
      for (const backend of backends) {
        await setBackend(backend);
        subjects.push(subject(spec, backend, upload(spec, inputs), expected, direction));
      }
      return subjects;
    },
  };
}

function subject(
  spec: OpBenchSpec,
  backend: string,
  tensors: Record<string, Tensor>,
  expected: NdArrays,
  direction: "forward" | "backward",
): Subject {
  const [output] = Object.keys(expected) as [string];
  const forward = (): Tensor => (spec.op.run(tensors, spec.attrs) as Record<string, Tensor>)[output]!;
  const wanted = spec.op.spec.differentiable.map((name) => tensors[name]).filter((t) => t !== undefined);
  return {
    label: backend,
    async run() {
      await setBackend(backend);
      if (direction === "forward") {
        const y = tidy(forward);
        await firstOf(y);
        y.dispose();
        return;
      }
      const { value, grads } = valueAndGrads(() => sum(forward()), wanted);
      await firstOf(grads[0]!);
      for (const t of [value, ...grads]) t?.dispose();
    },
    async validate() {
      await setBackend(backend);
      const y = tidy(forward);
      const values = await readFloats(y);
      y.dispose();
      const want = expected[output]!.data;
      const scale = largest(want);
      for (let i = 0; i < values.length; i++) {
        if (!(Math.abs(values[i]! - want[i]!) <= 1e-4 * scale))
          throw new Error(`${spec.name} on ${backend} is wrong at ${i}: ${values[i]} instead of ${want[i]}`);
      }
    },
    dispose() {
      for (const t of Object.values(tensors)) t.dispose();
    },
  };
}
