import { Rng } from "statespace";
import { s4Start } from "@statespace/models";

// one of each conjugate pair, real and imaginary part in turn: S4D-Lin has -1/2 - i pi n
const { A } = s4Start({ mode: "diag", init: "lin", dState: 4, rank: 1 }, new Rng(1));
console.log(Array.from(A));
