import { cpuBackend, setBackend, zeros } from "statespace";
import { seenKeys } from "@statespace/core/ops";

await setBackend(cpuBackend());
const q = zeros([1, 4, 1, 8]); // [b, l, h, p]
console.log(await seenKeys(q, 4, 2, undefined, undefined).data()); // a window of two: itself and the token before
