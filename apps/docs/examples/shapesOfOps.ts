import { broadcastShape, refuseUnknown, registeredBackends, sizeOfShape } from "@statespace/core/backend";
import { cpuBackend, registerBackend } from "statespace";

console.log(broadcastShape("add", [2, 1], [3]), sizeOfShape([2, 3])); // [2, 3]; 6
try {
  refuseUnknown("myOp", { tempratur: 1 }, ["temperature"]);
} catch (error) {
  console.log((error as Error).message); // names the one that may be meant
}
registerBackend(cpuBackend());
console.log(registeredBackends());
