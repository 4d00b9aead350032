import { join } from "node:path";
import { localFiles, toPath } from "@statespace/files";
import {
  folderStore,
  OPTIMIZERS,
  progressReporter,
  toJsonLine,
  type AddAdapterOptions,
  type OptimizerSettings,
  type TrainingEvent,
} from "@statespace/models";
import { fit } from "../fit/fit.ts";
import { load } from "../load.ts";
import { readLanguageFiles } from "../training/languageFiles.ts";
import { MetricsFile } from "../training/metricsFile.ts";
import { chooseBackend } from "./backendOption.ts";
import { countOption, numberOption, UsageError, weightsOption } from "./command.ts";
import { scheduleOption } from "./scheduleOption.ts";

/** Words of `statespace train --init`. */
export const FINE_TUNE_OPTIONS = {
  init: { type: "string" },
  data: { type: "string", multiple: true },
  lora: { type: "boolean", default: false },
  dora: { type: "boolean", default: false },
  rslora: { type: "boolean", default: false },
  rank: { type: "string" },
  alpha: { type: "string" },
  dropout: { type: "string" },
  "target-modules": { type: "string" },
  "modules-to-save": { type: "string" },
  freeze: { type: "string", multiple: true },
  weights: { type: "string" },
  recompute: { type: "boolean", default: false },
  "round-activations": { type: "boolean", default: false },
  steps: { type: "string" },
  epochs: { type: "string" },
  "batch-size": { type: "string" },
  "seq-len": { type: "string" },
  "learning-rate": { type: "string" },
  optimizer: { type: "string" },
  ema: { type: "string" },
  schedule: { type: "string" },
  "warm-up": { type: "string" },
  decay: { type: "string" },
  final: { type: "string" },
  patience: { type: "string" },
  "evaluate-every": { type: "string" },
  accumulate: { type: "string" },
  "held-out": { type: "string" },
  seed: { type: "string" },
  "save-every": { type: "string" },
} as const;

export const FINE_TUNE_USAGE = `A checkpoint that goes on learning: statespace train --init CHECKPOINT --data FILE [--data FILE ...] --out DIR
  --init CHECKPOINT  a folder, a file, a URL or a name on the hub
  --data FILE        texts (.txt, .md), a folder of them, or JSON lines: {"text"}, {"messages"} or {"prompt", "completion"}; of the latter two
                     the answers are learnt, conversations by the model's own template
  --lora             trains a small adapter in place of the weights; DIR then has what PEFT loads. --dora, --rslora: its kinds
  --rank R  --alpha A  --dropout P  --target-modules q_proj,v_proj  --modules-to-save lm_head       of the adapter
  --weights W        keeps the weights as f32, f16, bf16, q8 or q4; an adapter trains on each
  --freeze NAME      weights that stay as they are, by (a part of) their name; may be repeated
  --steps N | --epochs E | --max-minutes M    how long: a pass over texts, three over dialogues, unless told
  --recompute        blocks compute again for their gradient: more time, a fraction of the memory
  --round-activations  with --lora on q8 or q4: products round what they take, as when the model speaks; about twice as fast on wasm
  --batch-size B  --seq-len L  --accumulate K  --learning-rate R  --optimizer adamW|adamW8|lion|muon  --held-out SHARE  --seed S
  --schedule cosine|wsd|constant  --warm-up SHARE  --decay SHARE (of wsd)  --final FACTOR     of the learning rate; cosine with 0.05 unless told
  --ema DECAY        a moving average of the weights is measured and saved in their place
  --evaluate-every N  --patience N    ends after so many evaluations without a new lowest loss; the weights of the lowest are saved
  --save-every N     a checkpoint in DIR/checkpoints every N steps; an interrupt (Ctrl-C) leaves one, --resume goes on from it`;

/** What was given of them, and of those that are common to both ways to train. */
export type FineTuneValues = {
  readonly [Name in keyof typeof FINE_TUNE_OPTIONS]?: string | boolean | string[] | undefined;
} & {
  readonly init: string;
  readonly data?: string[] | undefined;
  readonly freeze?: string[] | undefined;
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly changed?: boolean | undefined;
  readonly "max-minutes"?: string | undefined;
  readonly tensorboard?: boolean | undefined;
  readonly backend?: string | undefined;
  readonly json?: boolean | undefined;
};

const words = (text: unknown): string[] | undefined =>
  typeof text === "string" ? text.split(",").filter(Boolean) : undefined;

/** Only what was told, so that the defaults are those of the functions. */
function told<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function optimizerOption(text: string | undefined): Pick<OptimizerSettings, "kind"> | undefined {
  if (text === undefined) return undefined;
  const kind = OPTIMIZERS.find((each) => each === text);
  if (kind === undefined) throw new UsageError(`--optimizer must be ${OPTIMIZERS.join(" or ")}, got "${text}"`);
  return { kind };
}

function adapterOptions(values: FineTuneValues): AddAdapterOptions | undefined {
  const text = (name: keyof typeof FINE_TUNE_OPTIONS): string | undefined => values[name] as string | undefined;
  const own = told({
    rank: countOption("rank", text("rank")),
    alpha: numberOption("alpha", text("alpha")),
    dropout: numberOption("dropout", text("dropout")),
    targetModules: words(values["target-modules"]),
    modulesToSave: words(values["modules-to-save"]),
  });
  const wanted = [values.lora, values.dora, values.rslora].some(Boolean);
  const [first] = Object.keys(own);
  if (!wanted && first !== undefined)
    throw new UsageError(`--${first.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes with --lora`);
  if (!wanted && values["round-activations"] === true)
    throw new UsageError("--round-activations goes with --lora, on weights in q8 or q4");
  if (!wanted) return undefined;
  return { ...own, ...(values.dora === true && { useDora: true }), ...(values.rslora === true && { useRslora: true }) };
}

/** Trains a checkpoint, or an adapter on it, on files. */
export async function fineTune(values: FineTuneValues, signal: AbortSignal): Promise<number> {
  const { init, data, out, json = false, resume = false, changed = false } = values;
  if (data === undefined) throw new UsageError("--data is needed: what the model learns from");
  if (out === undefined) throw new UsageError("--out is needed: where the result goes");
  if (await localFiles().same(toPath(init), out))
    throw new UsageError("--out is the checkpoint that --init reads; it would be replaced, so name another folder");
  const adapter = adapterOptions(values);
  const text = (name: keyof typeof FINE_TUNE_OPTIONS): string | undefined => values[name] as string | undefined;
  const options = told({
    steps: countOption("steps", text("steps")),
    epochs: numberOption("epochs", text("epochs")),
    maxMinutes: numberOption("max-minutes", values["max-minutes"]),
    batchSize: countOption("batch-size", text("batch-size")),
    seqLen: countOption("seq-len", text("seq-len")),
    accumulate: countOption("accumulate", text("accumulate")),
    learningRate: numberOption("learning-rate", text("learning-rate")),
    heldOut: numberOption("held-out", text("held-out")),
    seed: numberOption("seed", text("seed")),
    checkpointEvery: countOption("save-every", text("save-every")),
    freeze: values.freeze,
    optimizer: optimizerOption(text("optimizer")),
    schedule: scheduleOption(values),
    ema: numberOption("ema", text("ema")),
    patience: countOption("patience", text("patience")),
    evaluateEvery: countOption("evaluate-every", text("evaluate-every")),
  });
  const files = await readLanguageFiles(data);
  const backend = await chooseBackend(values.backend);
  const lm = await load(init, { weights: weightsOption(text("weights")), signal });
  try {
    const metrics = await MetricsFile.open(join(out, "metrics.jsonl"), resume, values.tensorboard);
    const show = progressReporter(process.stderr);
    if (!json) process.stderr.write(`${init} on ${backend}, to ${out}\n`);
    const pending: Promise<void>[] = [];
    const onEvent = (event: TrainingEvent): void => {
      if (json) console.log(toJsonLine(event));
      else show(event);
      pending.push((pending.at(-1) ?? Promise.resolve()).then(() => metrics.add(event)));
    };
    const result = await fit(lm, files, {
      // Lion moves each weight by its whole rate.
      learningRate: (adapter === undefined ? 1e-4 : 1e-3) / (values.optimizer === "lion" ? 10 : 1),
      ...options,
      ...(adapter && { adapter }),
      ...(values.recompute === true && { recompute: true }),
      ...(values["round-activations"] === true && { roundActivations: true }),
      checkpoints: folderStore(join(out, "checkpoints")),
      resume: resume && changed ? "changed" : resume,
      onEvent,
      signal,
    });
    await Promise.all(pending);
    await lm.save(out);
    const trained = result.adapter?.size ?? lm.model.size;
    const { heldOut, steps, loss } = result;
    if (json) console.log(JSON.stringify({ kind: "trained", output: out, trained, steps, loss, heldOut }));
    else
      console.log(
        `${trained.toLocaleString("en")} of ${lm.model.size.toLocaleString("en")} weights, ${steps} steps; ${heldOut ? `held out: loss ${heldOut.loss.toFixed(4)}` : `loss ${loss.toFixed(4)}`}; ${out}`,
      );
    return 0;
  } finally {
    lm.dispose();
  }
}
