/**
 * Language models of three kinds on one text: Mamba, LSTM and Transformer, of about the same size, over the same batches.
 *
 *   node --conditions=statespace-source examples/05-language-model.ts [--full [--variant equalTime]] [--only mamba,lstm]
 *
 * Prints held-out bits per byte and what Mamba writes. Full: State of the Union and Moby-Dick (`fetch-data` brings them), 2,048 tokens of BPE,
 * in the bundled checkpoint's size and number of tokens; `equalTime` is smaller, and made to be cut off by `--minutes`.
 * The bundled checkpoint is trained by `statespace train --config packages/statespace/recipes/language-model.json`.
 */
import { readFile } from "node:fs/promises";
import { Rng } from "@statespace/core";
import { contiguousBatches, evaluationBatches, loadFixture, randomCrops, splitText } from "@statespace/datasets";
import { trainBpe } from "@statespace/text";
import {
  cosineSchedule,
  evaluate,
  generateText,
  modelObjective,
  Model,
  parseModelConfig,
  progressReporter,
  train,
  type MixerSettings,
  type StepEvent,
  type Trainable,
} from "@statespace/models";
import { saveResults, startRun } from "./experiment.ts";

const run = await startRun();
const texts = ["state-of-the-union/state-of-the-union.txt", "moby-dick/moby-dick.txt"];
const settings = {
  short: {
    texts: [],
    vocabSize: 384,
    dModel: 48,
    layers: 2,
    steps: 150,
    batchSize: 8,
    seqLen: 64,
    heldOutTokens: 1024,
    learningRate: 8e-3,
    weightDecay: 0.1,
  },
  full: {
    texts,
    vocabSize: 2048,
    dModel: 256,
    layers: 7,
    steps: 1692,
    batchSize: 16,
    seqLen: 512,
    heldOutTokens: 65_536,
    learningRate: 3e-3,
    weightDecay: 0.2,
  },
  equalTime: {
    texts,
    vocabSize: 2048,
    dModel: 192,
    layers: 4,
    steps: 1500,
    batchSize: 8,
    seqLen: 128,
    heldOutTokens: 32_768,
    learningRate: 3e-3,
    weightDecay: 0.01,
  },
};
const variant = run.full ? (run.variant === "equalTime" ? "equalTime" : "full") : "short";
const setting = settings[variant];
const { vocabSize, dModel, layers, batchSize, seqLen, steps } = setting;

const books = run.full
  ? await Promise.all(setting.texts.map((name) => readFile(new URL(`../.data/${name}`, import.meta.url), "utf8")))
  : [new TextDecoder().decode(await loadFixture("moby-dick-opening.txt"))];
const parts = books.map((text) => splitText(text, { validation: 0, test: run.full ? 0.02 : 0.05 }));
const training = parts.map(({ train: text }) => text).join("\n");
const bpe = trainBpe(training, { vocabSize });
const ids = bpe.encode(training);
const heldOut = bpe.encode(parts.map(({ test }) => test).join("\n")).subarray(0, setting.heldOutTokens + 1);
const heldOutBytes = new TextEncoder().encode(bpe.decode(heldOut.subarray(1))).byteLength;

interface Made {
  readonly model: Model;
  readonly objective: Trainable;
  /** The objective that carries its state, where it has one. */
  readonly reading: Trainable;
  /** Reads on where the row before ended; rows so many times shorter, and so many times more: the same tokens a step. */
  readonly cut?: number;
}

/** About as many weights as Mamba's 6 d^2 a layer. */
function stack(layer: MixerSettings, count: number, mlp = 0): Made {
  const config = {
    dModel,
    encoder: { kind: "embedding", vocabSize },
    layers: Array<MixerSettings>(count).fill(layer),
    head: { kind: "language", tie: true },
    norm: "rms",
    mlp,
  } as const;
  const model = new Model(config, 1);
  return {
    model,
    objective: modelObjective(model),
    reading: modelObjective(model, { carryState: layer.kind !== "attention" }),
  };
}

const mambaConfig = parseModelConfig({
  model_type: "mamba",
  hidden_size: dModel,
  num_hidden_layers: layers,
  vocab_size: vocabSize,
  initializer_range: 0.02,
  rescale_prenorm_residual: true,
});
const makers: Readonly<Record<"mamba" | "lstm" | "attention", () => Made>> = {
  mamba: () => {
    const model = new Model(mambaConfig, new Rng(1));
    return { model, objective: modelObjective(model), reading: modelObjective(model, { carryState: true }) };
  },
  // An LSTM walks its rows token by token: shorter rows, more of them, take a quarter of the time, and its state is carried from row to row.
  lstm: () => {
    const made = stack({ kind: "lstm" }, Math.round((6.6 / 8) * layers));
    return { ...made, objective: made.reading, cut: variant === "full" ? 4 : 1 };
  },
  attention: () => stack({ kind: "attention", nHeads: dModel / 32 < 2 ? 2 : dModel / 32 }, layers, Math.round(dModel)),
};

interface Row {
  readonly parameters: number;
  readonly steps: number;
  readonly bitsPerByte: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly curve: readonly (readonly [number, number])[];
}

async function trainOne({ model, objective, reading, cut }: Made): Promise<Row> {
  const data =
    cut === undefined
      ? randomCrops(ids, { batchSize, seqLen, seed: 1 })
      : contiguousBatches(ids, { batchSize: batchSize * cut, seqLen: seqLen / cut });
  const show = progressReporter(process.stderr);
  const taken: StepEvent[] = [];
  const options = {
    steps,
    ...(run.minutes === undefined ? {} : { maxMinutes: run.minutes }),
    optimizer: { learningRate: setting.learningRate, weightDecay: setting.weightDecay },
    schedule: cosineSchedule({ warmUp: 0.03, final: 0.02 }),
  };
  for await (const event of train(objective, data, options)) {
    show(event);
    if (event.kind === "step") taken.push(event);
  }
  // Attention has no state of fixed size: it reads the held-out text in pieces of the length it was trained on, the others from end to end.
  const pieces = model.constantState ? 1024 : seqLen;
  const { loss, targets } = await evaluate(reading, evaluationBatches(heldOut, pieces));
  const { seconds, tokens } = taken.at(-1)!;
  const every = Math.max(1, Math.floor(taken.length / 100));
  return {
    parameters: model.size,
    steps: taken.length,
    bitsPerByte: (loss * targets) / (Math.LN2 * heldOutBytes),
    seconds,
    tokensPerSecond: tokens / seconds,
    curve: taken.filter((_, i) => i % every === 0).map((event) => [event.step, event.loss]),
  };
}

const chosen = (run.only.length > 0 ? run.only : run.full ? Object.keys(makers) : ["mamba"]) as (keyof typeof makers)[];
const rows: Record<string, Row> = {};
for (const name of chosen) {
  const made = makers[name]();
  const row = await trainOne(made);
  rows[name] = row;
  console.log(
    `${name.padEnd(10)} ${row.bitsPerByte.toFixed(3)} bits per byte  ${row.parameters.toLocaleString("en").padStart(9)} parameters  ${row.steps} steps of ${batchSize * seqLen} tokens in ${row.seconds.toFixed(0)} s (${row.tokensPerSecond.toFixed(0)} tokens/s)`,
  );
  let text = "";
  for await (const piece of generateText(made.model, bpe, "It was a", {
    maxNewTokens: 60,
    temperature: 0.8,
    topP: 0.95,
    seed: 1,
  }))
    text += piece.text;
  console.log(`           It was a${text.replaceAll(/\s+/g, " ")} ...`);
  made.model.dispose();
  if (run.full)
    saveResults(
      variant === "equalTime" ? "05-language-model-equal-time" : "05-language-model",
      run,
      { ...setting, heldOutBytes },
      rows,
    );
}

// Eight bits a byte is no model at all; the letters' frequencies alone give about 4.2.
const limit = run.full ? 2.2 : 4;
for (const [name, { bitsPerByte }] of Object.entries(rows))
  if (!(bitsPerByte < limit)) throw new Error(`${name} learnt too little: ${bitsPerByte} bits per byte`);
