import { cpuBackend, Rng, setBackend, tensor } from "statespace";
import { attentionMap, causalAttention } from "@statespace/core/ops";

await setBackend(cpuBackend());
const draw = (rng: Rng) => tensor(Float32Array.from(rng.normals(1 * 4 * 2 * 8)), [1, 4, 2, 8]); // [b, l, h, p]
const rng = new Rng(1);
const [q, k, v] = [draw(rng), draw(rng), draw(rng)];
console.log(causalAttention({ q, k, v }).y.shape); // [1, 4, 2, 8]
console.log((await attentionMap({ q, k }).data()).slice(0, 4)); // what the first token looks at: itself
