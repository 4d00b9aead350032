import { mul, ndarray, readFloats, sum, tensor, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import type { BaseCase } from "../cases/base.ts";
import { Draw } from "../cases/opCase.ts";
import { largest, U32 } from "../golden/inputs.ts";
import { judge, type Verdict } from "../golden/judge.ts";

function upload(c: BaseCase, arrays: ReturnType<BaseCase["make"]>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [
      name,
      c.integers?.includes(name) ? tensor(Int32Array.from(data), shape) : tensor(Float32Array.from(data), shape),
    ]),
  );
}

/** A base case's values against float64, and its gradients along random directions against central differences. */
export async function checkBase(c: BaseCase, seed = 3): Promise<Verdict[]> {
  const draw = new Draw(seed);
  const arrays = c.make(draw);
  const want = c.reference(arrays);
  const tensors = upload(c, arrays);
  const y = tidy(() => c.run(tensors));
  if (y.shape.join() !== want.shape.join())
    throw new Error(`${c.name}: shape [${y.shape.join(", ")}], the reference has [${want.shape.join(", ")}]`);
  const bound = want.data.map((x) => U32 * (c.relative * Math.abs(x) + (c.absolute ?? 0)));
  const verdicts = [
    judge({
      tensor: "y",
      actual: Float64Array.from(await readFloats(y)),
      expected: want.data,
      bound,
      reason: c.reason,
    }),
  ];
  y.dispose();
  for (const name of c.differentiable) {
    const dy = draw.normal(want.shape);
    const direction = draw.normal(arrays[name]!.shape);
    const weights = tensor(Float32Array.from(dy.data), dy.shape);
    const { value, grads } = valueAndGrads(() => sum(mul(c.run(tensors), weights)), [tensors[name]!]);
    const grad = Float64Array.from(await readFloats(grads[0]!));
    for (const t of [value, grads[0]!, weights]) t.dispose();
    const step = 1e-6 * Math.max(1e-3, largest(arrays[name]!.data));
    const at = (sign: number): number => {
      const x = arrays[name]!;
      const moved = c.reference({
        ...arrays,
        [name]: ndarray(
          x.shape,
          x.data.map((v, i) => v + sign * step * direction.data[i]!),
        ),
      });
      return moved.data.reduce((total, v, i) => total + v * dy.data[i]!, 0);
    };
    const expected = (at(1) - at(-1)) / (2 * step);
    const actual = grad.reduce((total, g, i) => total + g * direction.data[i]!, 0);
    const terms = grad.reduce((total, g, i) => total + Math.abs(g * direction.data[i]!), 0);
    // A broadcast input's gradient is itself a sum over the outputs, whose terms may cancel: 16 roundings of each.
    const broadcast = dy.data.reduce((total, v, i) => total + Math.abs(v * want.data[i]!), 0);
    // 256 roundings of the absolute terms: a chain of a few ops and a sum; 1e-7 is what the central difference itself is good to.
    verdicts.push(
      judge({
        tensor: `d / d ${name}`,
        actual: Float64Array.of(actual),
        expected: Float64Array.of(expected),
        bound: (256 * U32 + 1e-7) * Math.max(terms, largest(grad)) + 16 * U32 * broadcast + 1e-8,
        reason: c.reason,
      }),
    );
  }
  for (const t of Object.values(tensors)) t.dispose();
  return verdicts;
}
