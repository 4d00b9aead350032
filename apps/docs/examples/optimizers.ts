import { cpuBackend, mul, setBackend, sum, valueAndGrads } from "statespace";
import { AdamW8, EightBit, Lion, Muon, parameter } from "@statespace/core/backend";

await setBackend(cpuBackend());
const start = Float32Array.from({ length: 16 }, (_, i) => i / 8 - 1);
for (const Optimizer of [AdamW8, Lion, Muon]) {
  const x = parameter("x", start, [4, 4]);
  const optimizer = new Optimizer([x], { learningRate: 0.05 });
  for (let step = 0; step < 20; step++) {
    const { value, grads } = valueAndGrads(() => sum(mul(x.value, x.value)), [x.value]);
    optimizer.step(grads);
    for (const each of [value, ...grads]) each?.dispose();
  }
  console.log(Optimizer.name, (await sum(mul(x.value, x.value)).data())[0]); // smaller than at first, 5.5
}
console.log(EightBit.name, "keeps moments in a quarter of the memory");
