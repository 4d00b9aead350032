import { Rng } from "statespace";

const rng = new Rng(7);
const saved = rng.state();
console.log(rng.uniform(), rng.normal(), rng.integer(6), rng.shuffle(["a", "b", "c"]));
console.log(Rng.fromState(saved).uniform()); // the first number again
