import { makeHippoLegS, makeNplr, nplrToDense, nplrToReal } from "@statespace/core/hippo";

const form = makeNplr("legs", 4);
console.log(nplrToDense(form).minus(makeHippoLegS(4).A).norm1() < 1e-9); // V (diag(Lambda) - P P*) V* is HiPPO's A
console.log(nplrToReal(form.V, form.B.data).map((x) => Math.round(1e6 * x) / 1e6)); // B: sqrt(2n + 1)
