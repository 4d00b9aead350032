import { hippoRankCorrection, makeHippo, makeHippoFourier, makeHippoFourierOscillators } from "@statespace/core/hippo";
import { makeHippoLagT, makeHippoLegT } from "@statespace/core/hippo";

for (const { A, B } of [makeHippoLegT(4), makeHippoLagT(4), makeHippoFourier(4), makeHippoFourierOscillators(4, 0.5)])
  console.log(
    Array.from(A.block(0, 0, 1, 4).data, (x) => x.toFixed(2)),
    B.data[0]!.toFixed(2),
  ); // the first row
console.log(makeHippo("legs", 4).A.at(3, 0).toFixed(3)); // by name; -sqrt(7)
console.log(hippoRankCorrection("legs", 4).rows); // 1: HiPPO-LegS is normal up to one rank
