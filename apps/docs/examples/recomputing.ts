import { cpuBackend, mul, noGrad, setBackend, sum, tensor, valueAndGrads } from "statespace";
import { isDifferentiated, isRecordingGradients, recompute } from "@statespace/core/backend";
import { exp } from "@statespace/core/ops";

await setBackend(cpuBackend());
const x = tensor([0, 1]);
const layer = (u: typeof x) => mul(exp(u), u);
const { grads } = valueAndGrads(() => {
  console.log(isRecordingGradients(), isDifferentiated({ x }), noGrad(isRecordingGradients)); // true true false
  return sum(recompute(layer, [x])); // keeps x alone; exp runs once more for the gradient
}, [x]);
console.log(await grads[0]!.data()); // (1 + x) e^x: 1 and 5.44
