import { cpuBackend, mul, setBackend, sum, tensor, valueAndGrads } from "statespace";
import { runComposite, runKernel } from "@statespace/core/backend";
import { abs, sign } from "@statespace/core/ops";

await setBackend(cpuBackend());
const x = tensor([-2, 3]);
/** |x|, whose gradient is cut to a tenth. */
const gentle = (u: typeof x) => {
  const rule = () => ({
    save: [u],
    backward: ([dy]: readonly (typeof x | null)[]) => ({ u: mul(mul(dy!, sign(u)), 0.1) }),
  });
  return runComposite("gentle", { u }, () => [abs(u)], rule)[0]!;
};
const { value, grads } = valueAndGrads(() => sum(gentle(x)), [x]);
console.log(await value.data(), await grads[0]!.data()); // 5; -0.1 0.1
console.log(await runKernel("neg", { x })[0]!.data()); // a kernel by its name
