/**
 * Induction heads: a special token stands somewhere in noise, followed by an answer; when it comes again, the answer is due.
 *
 *   node --conditions=statespace-source examples/04-induction-heads.ts [--full]
 *
 * A Mamba of two layers is trained on rows of 256 steps, then asked on rows up to 4096 times as long: its state is carried from chunk
 * to chunk, so memory does not grow. Source: Gu and Dao 2023 (arXiv 2312.00752), section 4.1.2 and table 2.
 * Without --full: rows of 24 steps, tested to 1,024.
 */
import { argMax, readInts, tensor, tidy } from "@statespace/core";
import { inductionHeads, streamInductionHeads } from "@statespace/datasets";
import { languageObjective, LanguageModel, parseModelConfig, type ModelState } from "@statespace/models";
import { percent, savePlot, saveResults, startRun, trainTask } from "./experiment.ts";
import { plotSvg } from "./plot.ts";

const run = await startRun();
const setting = run.full
  ? { vocabSize: 16, seqLen: 256, dModel: 64, steps: 8_000, batchSize: 16, longest: 2 ** 20, evaluateEvery: 500, learningRate: 2e-3, weightDecay: 0 }
  : { vocabSize: 6, seqLen: 24, dModel: 32, steps: 900, batchSize: 16, until: 0.999, longest: 2 ** 10, evaluateEvery: 100, learningRate: 4e-3 };
const { vocabSize, seqLen, dModel, batchSize, longest } = setting;

const model = new LanguageModel(parseModelConfig({ model_type: "mamba", hidden_size: dModel, num_hidden_layers: 2, vocab_size: vocabSize, initializer_range: 0.02 }), 1);
const trained = await trainTask(languageObjective(model), inductionHeads({ vocabSize, seqLen }), { ...setting, seed: 1, heldOutRows: 256 });
console.log(`Mamba, ${trained.parameters.toLocaleString("en")} parameters, trained on ${seqLen} steps: ${percent(trained.accuracy)} after ${trained.steps} updates of ${batchSize} rows, ${trained.seconds.toFixed(0)} s`);

/** Share of `rows` rows of a length whose answer is right, the state carried over chunks. */
async function accuracyAt(length: number, rows: number): Promise<number> {
  let state: ModelState | undefined;
  let right = new Int32Array() as Int32Array;
  let answers = right;
  for (const { inputs, shape, targets } of streamInductionHeads({ vocabSize, seqLen: length, batchSize: rows, seed: 77, chunkLen: 2048 })) {
    const ids = tensor(inputs, shape);
    const result = model.forward(ids, { initialState: state, returnState: true, lastOnly: true });
    state?.dispose();
    state = result.state!;
    const best = tidy(() => argMax(result.logits));
    right = await readInts(best);
    answers = Int32Array.from({ length: rows }, (_, row) => targets[(row + 1) * shape[1]! - 1]!);
    for (const t of [ids, result.logits, best]) t.dispose();
  }
  state?.dispose();
  return right.reduce((count, id, row) => count + (id === answers[row] ? 1 : 0), 0) / rows;
}

console.log("\nlength      rows   accuracy");
const table: { length: number; rows: number; accuracy: number }[] = [];
for (let length = run.full ? 64 : 16; length <= longest; length *= 2) {
  const rows = Math.max(16, Math.min(256, 2 ** 21 / length));
  const accuracy = await accuracyAt(length, rows);
  table.push({ length, rows, accuracy });
  console.log(`${String(length).padEnd(11)} ${String(rows).padEnd(6)} ${percent(accuracy)}`);
}

if (!(trained.accuracy > 0.95)) throw new Error("the task was not learnt");
if (!(table.find(({ length }) => length >= 4 * seqLen)!.accuracy > 0.9)) throw new Error("what was learnt does not reach beyond the length it was learnt at");
if (run.full) {
  saveResults("04-induction-heads", run, { setting, trained, table });
  savePlot(
    "induction-heads",
    plotSvg([
      {
        title: `Induction heads: trained on ${seqLen} steps, tested to ${longest.toLocaleString("en")}`,
        xLabel: "log2 of the length",
        yLabel: "accuracy",
        yRange: [0, 1.05],
        series: [{ label: "Mamba", x: table.map(({ length }) => Math.log2(length)), y: table.map(({ accuracy }) => accuracy) }],
      },
    ]),
  );
}
model.dispose();
