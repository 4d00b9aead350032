import { add, cpuBackend, div, mul, setBackend, sub, tensor } from "statespace";

await setBackend(cpuBackend());
const x = tensor([1, 2, 3, 4], [2, 2]);
console.log(await div(sub(mul(x, x), x), 2).data()); // 0 1 3 6
console.log(await add(x, tensor([10, 20])).data()); // a row is added to each row: 11 22 13 24
