import {
  addingProblem,
  associativeRecall,
  copying,
  delay,
  IGNORE_INDEX,
  inductionHeads,
  listOps,
} from "@statespace/datasets";
import { modularArithmetic, parity, selectiveCopying, streamTask } from "@statespace/datasets";

const tasks = {
  selectiveCopying: selectiveCopying({ seqLen: 32, nTokens: 4 }),
  copying: copying({ seqLen: 32, nTokens: 4 }),
};
const more = {
  inductionHeads: inductionHeads({ seqLen: 32 }),
  associativeRecall: associativeRecall(),
  parity: parity(),
};
for (const [name, task] of Object.entries({
  ...tasks,
  ...more,
  listOps: listOps(),
  modularArithmetic: modularArithmetic(),
})) {
  const { inputs, targets, shape } = streamTask(task, { batchSize: 2, seed: 1 }).nextBatch();
  console.log(
    name,
    shape,
    "answers due:",
    targets.filter((target) => target !== IGNORE_INDEX).length,
    inputs.slice(0, 6),
  );
}
for (const task of [addingProblem(), delay({ lag: 4 })])
  // numbers in place of tokens
  console.log(streamTask(task, { batchSize: 2, seed: 1 }).nextBatch().inputs.slice(0, 4));
