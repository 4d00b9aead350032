import { cpuBackend, setBackend } from "statespace";
import { currentBackend, onRecovery, parameter, Parameter } from "@statespace/core/backend";

await setBackend(cpuBackend());
const weight = parameter("w", Float32Array.of(1, 2), [2], { decay: false });
console.log(weight instanceof Parameter, weight.name, weight.shape, await weight.value.data());
const end = onRecovery(async () => console.log("a device came back: weights go onto it again"));
end();
console.log(currentBackend().name);
