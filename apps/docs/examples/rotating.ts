import { cpuBackend, full, Rng, setBackend, tensor } from "statespace";
import { rotatedScan, rotatedStep } from "@statespace/models";

await setBackend(cpuBackend());
const rng = new Rng(1);
const draw = (...shape: number[]) => tensor(Float32Array.from(rng.normals(shape.reduce((a, b) => a * b))), shape);
const [b, l, h, r, n, p] = [1, 3, 1, 1, 4, 2];
const tokens = { q: draw(b, l, h, r, n), k: draw(b, l, h, r, n), v: draw(b, l, h, r, p), rates: draw(b, l, h, n / 2) };
const steps = { adt: full([b, l, h], -0.1), dt: full([b, l, h], 0.1), trap: full([b, l, h], 0) };
const { y, state } = rotatedScan(
  { ...tokens, ...steps, D: full([h], 1), z: undefined },
  { pairing: "halves", returnState: true },
);
console.log(y.shape, Object.keys(state!)); // the state turns as it goes
const token = { q: draw(b, h, r, n), k: draw(b, h, r, n), v: draw(b, h, r, p), rates: draw(b, h, n / 2) };
const step = { adt: full([b, h], -0.1), dt: full([b, h], 0.1), trap: full([b, h], 0) };
console.log(rotatedStep({ ...token, ...step, D: full([h], 1), z: undefined }, state!, "halves").shape); // one more, in place
