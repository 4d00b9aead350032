import { add, clone, cpuBackend, keep, memory, mul, noGrad, setBackend, stopBackend, tensor, tidy } from "statespace";

await setBackend(cpuBackend());
const x = tensor([1, 2]);
const before = memory();
const sum = tidy(() => keep(add(mul(x, 2), 1))); // the product is freed at once
const frozen = noGrad(() => mul(x, 3)); // nothing here gets a gradient
const other = clone(x); // another handle: disposing it leaves x as it is
other.dispose();
console.log(memory(), "before", before, await sum.data(), await frozen.data());
stopBackend("cpu"); // frees all that is left
