import { cpuBackend, equal, greater, less, maximum, minimum, setBackend, tensor } from "statespace";
import { greaterEqual, lessEqual, logicalAnd, logicalNot, notEqual, where } from "@statespace/core/ops";

await setBackend(cpuBackend());
const [x, y] = [tensor([1, 2, 3]), tensor([3, 2, 1])];
for (const compare of [equal, notEqual, greater, greaterEqual, less, lessEqual])
  console.log(await compare(x, y).data());
const between = logicalAnd(greater(x, 1), logicalNot(greater(x, 2)));
console.log(await where(between, maximum(x, y), minimum(x, y)).data()); // 1 2 1
