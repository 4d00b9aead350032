import { streamInductionHeads } from "@statespace/datasets";

let steps = 0;
for (const { shape } of streamInductionHeads({ seqLen: 10_000, chunkLen: 4096, batchSize: 2, seed: 1 }))
  steps += shape[1]!;
console.log(steps, "steps, of which one piece is held at a time");
