import { cpuBackend, mul, setBackend, sum, tensor } from "statespace";
import { disposeOnThrow, isDifferentiated, rehearse } from "@statespace/core/backend";

await setBackend(cpuBackend());
const x = tensor([1, 2]);
console.log(
  rehearse([x], () => isDifferentiated({ x })),
  isDifferentiated({ x }),
); // true inside, as under a tape; false
const y = disposeOnThrow(() => sum(mul(x, x))); // what it made is freed if it throws
console.log(await y.data()); // 5
