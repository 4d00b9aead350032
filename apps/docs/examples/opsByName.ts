import { cpuBackend, setBackend, tensor } from "statespace";
import {
  costOf,
  cutOf,
  gradientKernelName,
  gradientOf,
  hasKernel,
  kernelRooms,
  nearestName,
} from "@statespace/core/backend";
import {
  opsIn,
  opTable,
  outputNamesOf,
  roomOf,
  savedOutputsOf,
  supportOf,
  upstreamName,
} from "@statespace/core/backend";
import { usesGradientKernel } from "@statespace/core/backend";
import { cpuKernels } from "@statespace/backend-cpu";

await setBackend(cpuBackend());
const { linear, selectiveScan } = opTable;
console.log(roomOf(selectiveScan!.spec), opsIn("selectiveScan"), kernelRooms().size, "kernels a backend may have");
console.log(
  supportOf(cpuKernels, selectiveScan!.spec),
  usesGradientKernel(selectiveScan!.spec),
  hasKernel("selectiveScan"),
);
console.log(gradientKernelName("selectiveScan"), upstreamName("y"), savedOutputsOf(linear!));
console.log(
  outputNamesOf(selectiveScan!, { returnLastState: true }),
  nearestName("tempratur", ["temperature", "topK"]),
);
const operands = { x: { shape: [2, 3], dtype: "float32" }, weight: { shape: [4, 3], dtype: "float32" } } as const;
console.log(costOf(linear!, operands), cutOf("linear", operands, {}) !== undefined);
const inputs = { x: tensor([1, 2], [1, 2]), weight: tensor([3, 4], [1, 2]) };
console.log(await gradientOf(linear!, inputs, {}, { dY: tensor([1], [1, 1]), y: tensor([1], [1, 1]) })["x"]!.data()); // 3 4
