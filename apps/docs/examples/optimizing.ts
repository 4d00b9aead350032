import { AdamW, clipScale, cpuBackend, mul, setBackend, sub, sum, tensor, valueAndGrads } from "statespace";
import { parameter } from "@statespace/core/backend";

await setBackend(cpuBackend());
const x = parameter("x", Float32Array.of(0, 0), [2]);
const optimizer = new AdamW([x], { learningRate: 0.3, weightDecay: 0 });
const target = tensor([1, -2]);
for (let step = 0; step < 60; step++) {
  const { value, grads } = valueAndGrads(() => {
    const error = sub(x.value, target);
    return sum(mul(error, error));
  }, [x.value]);
  optimizer.step(grads, undefined, clipScale(grads, 5).scale);
  for (const each of [value, ...grads]) each?.dispose();
}
console.log(await x.value.data()); // near 1, -2
