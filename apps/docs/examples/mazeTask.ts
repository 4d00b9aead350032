import { listOpsSymbols, maze, mazeActions, streamTask } from "@statespace/datasets";

const walk = streamTask(maze({ width: 4, height: 4, seqLen: 5 }), { batchSize: 1, seed: 1 }).nextBatch();
console.log(walk.shape, mazeActions); // state and action in, next state out
console.log(listOpsSymbols.slice(11)); // how ListOps is written
