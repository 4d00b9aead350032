import { readFloats, reshape, setBackend, slice, sum, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import { costOf, type NdArrays } from "@statespace/core/backend";
import { Draw, dtypeOf, referenceOf, upload, type OpCase } from "../cases/opCase.ts";
import { largest } from "../golden/inputs.ts";
import type { Bench, Subject } from "./bench.ts";

/** A benchmark of one op at a model's shape: a case without a bound. Extents and dtypes follow from its inputs and the op's declaration. */
export interface OpBenchSpec extends Pick<OpCase, "op" | "name" | "attrs" | "make"> {
  /** Also time the gradient: forward and backward together, under `name backward`. */
  readonly backward?: boolean;
}

async function firstOf(t: Tensor): Promise<number> {
  const one = tidy(() => slice(reshape(t, [t.size]), [0], [1]));
  const [value] = await readFloats(one);
  one.dispose();
  return value!;
}

function workOf(spec: OpBenchSpec, direction: "forward" | "backward"): Bench["work"] {
  const operands = Object.entries(spec.make(new Draw(1))).map(([name, { shape }]) => [
    name,
    { shape, dtype: dtypeOf(spec, name) },
  ]);
  const { flops, bytes, exps } = costOf(spec.op, Object.fromEntries(operands), spec.attrs);
  // A backward pass recomputes the forward and does about twice its work.
  const factor = direction === "forward" ? 1 : 3;
  return {
    flops: factor * flops,
    bytes: factor * bytes,
    ...(exps === undefined ? {} : { exps: (direction === "forward" ? 1 : 2) * exps }),
  };
}

/** Forward, or forward and backward, of an op on each backend. */
export function opBench(spec: OpBenchSpec, direction: "forward" | "backward"): Bench {
  return {
    name: direction === "forward" ? spec.name : `${spec.name} backward`,
    // Drawn when asked: a list of benches is made without their inputs.
    get work() {
      return workOf(spec, direction);
    },
    async prepare(backends) {
      const inputs = spec.make(new Draw(1));
      const expected = referenceOf(spec, inputs);
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
