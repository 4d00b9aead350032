import { ArgumentError } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cpuBackend,
  wasmBackend,
  webGpuBackend,
  AdamW,
  parameter,
  range,
  cumsum,
  tensor,
  setBackend,
  stopBackend,
  models,
  text,
  files,
  datasets,
  Model,
  fit,
  load,
  bundledCheckpoint,
  evaluate,
  train,
  memoryStore,
  cosineSchedule,
  generateText,
  generate,
  ByteTokenizer,
  trainBpe,
  openSource,
  savePretrained,
  type LoadedModel,
} from "../src/index.ts";

let lm: LoadedModel;
let model: Model;
beforeAll(async () => {
  await setBackend(cpuBackend());
  lm = await load(bundledCheckpoint(), { backend: "cpu" });
  model = new Model({
    dModel: 8,
    encoder: { kind: "embedding", vocabSize: 16 },
    layers: ["mamba"],
    head: { kind: "language" },
  });
});
afterAll(() => {
  lm.dispose();
  model.dispose();
  stopBackend("cpu");
});

/** What a caller that TypeScript does not check may write. */
type Loose = never;
const batch = { inputs: new Int32Array(4), shape: [1, 4], targets: new Int32Array(4), targetShape: [1, 4] };
const stream = { nextBatch: () => batch, state: () => null, restore: () => undefined };
const drain = async (all: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of all);
};
const chat = (): models.Chat => new models.Chat(lm.session(), { template: {} } as Loose);

/** A call with an option that there is not, and the name that may be meant. */
const CALLS: readonly (readonly [
  what: string,
  option: string,
  meant: string | undefined,
  call: (options: Loose) => unknown,
])[] = [
  ["wasmBackend", "thread", "threads", (o) => wasmBackend(o)],
  ["webGpuBackend", "powerpreference", "powerPreference", (o) => webGpuBackend(o)],
  ["cpuBackend", "threads", undefined, (o) => cpuBackend(o)],
  ["AdamW", "lr", "learningRate", (o) => new AdamW([], o)],
  ["AdamW", "weight_decay", "weightDecay", (o) => new AdamW([], o)],
  ["parameter", "requires_grad", "trainable", (o) => parameter("w", new Float32Array(1), [1], o)],
  ["range", "device", "backend", (o) => range(0, 2, 1, o)],
  ["tensor", "dtyp", "dtype", (o) => tensor([1], [1], o)],
  ["cumsum", "exclusiv", "exclusive", (o) => cumsum(tensor([1]), 0, o)],
  ["Model", "device", "backend", (o) => new Model(model.config, 0, o)],
  ["forward", "use_cache", "returnState", (o) => model.forward(tensor(new Int32Array(2), [1, 2]), o)],
  [
    "forward",
    "return_state",
    "returnState",
    (o) => model.mixers[0]!.forward(tensor(new Float32Array(16), [1, 2, 8]), o),
  ],
  [
    "loss",
    "seqidx",
    "seqIdx",
    (o) => model.loss(tensor(new Int32Array(2), [1, 2]), tensor(new Int32Array(2), [1, 2]), o),
  ],
  ["train", "timesteps", "steps", (o) => drain(train(models.modelObjective(model), stream, o))],
  [
    "train",
    "max_grad_norm",
    "clipNorm",
    (o) => drain(train(models.modelObjective(model), stream, { steps: 1, ...(o as object) })),
  ],
  [
    "train: evaluation",
    "interval",
    undefined,
    (o) =>
      drain(
        train(models.modelObjective(model), stream, {
          steps: 1,
          evaluation: { batches: () => [], every: 1, ...(o as object) },
        }),
      ),
  ],
  [
    "train: checkpoints",
    "kep",
    "keep",
    (o) =>
      drain(
        train(models.modelObjective(model), stream, {
          steps: 1,
          checkpoints: { store: memoryStore(), ...(o as object) },
        }),
      ),
  ],
  ["AdamW", "beta", "beta1", (o) => drain(train(models.modelObjective(model), stream, { steps: 1, optimizer: o }))],
  ["evaluate", "sgnal", "signal", (o) => evaluate(models.modelObjective(model), [batch], o)],
  ["modelObjective", "carry_state", "carryState", (o) => models.modelObjective(model, o)],
  ["cosineSchedule", "warmup_ratio", "warmUp", (o) => cosineSchedule(o)],
  ["constantSchedule", "warmup", "warmUp", (o) => models.constantSchedule(o)],
  ["wsdSchedule", "decays", "decay", (o) => models.wsdSchedule(o)],
  ["fit", "epoch", "epochs", (o) => fit(lm, "text", o)],
  ["load", "torch_dtype", "weights", (o) => load(bundledCheckpoint(), o)],
  ["load", "device", "backend", (o) => models.load(bundledCheckpoint(), o)],
  ["fromPretrained", "quantize", "weights", (o) => models.fromPretrained(bundledCheckpoint(), o)],
  ["loadWeights", "weight", "weights", (o) => models.loadWeights(model, bundledCheckpoint(), o)],
  ["stream", "max_new_tokens", "maxNewTokens", (o) => drain(lm.stream("a", o))],
  ["stream", "top_p", "topP", (o) => lm.complete("a", o)],
  ["generate", "num_beams", undefined, (o) => drain(generate(lm.model, [[1]], o))],
  ["generate", "temprature", "temperature", (o) => drain(generateText(lm.model, lm.tokenizer!, "a", o))],
  ["prefill", "initial_state", "initialState", (o) => models.prefill(lm.model, [[1]], o)],
  ["Session", "row", "rows", (o) => lm.session(o)],
  ["Session: defaults", "topp", "topP", (o) => lm.session({ defaults: o })],
  ["read", "onprogress", "onProgress", (o) => lm.session().read("a", o)],
  ["Chat", "systemPrompt", "system", (o) => new models.Chat(lm.session(), o)],
  ["stream", "maxTokens", "maxNewTokens", (o) => drain(chat().session.stream(o))],
  ["inspect", "hidden_states", "layers", (o) => lm.inspect("ab", o)],
  ["savePretrained", "famly", "family", (o) => savePretrained(model, "/nowhere", o)],
  ["savePretrained", "dtypes", "dtype", (o) => lm.save("/nowhere", o)],
  ["ByteTokenizer", "special_tokens", "special", (o) => new ByteTokenizer(o)],
  ["CharTokenizer", "unk_token", "unknown", (o) => new text.CharTokenizer(["a"], o)],
  ["trainBpe", "vocab_siz", "vocabSize", (o) => trainBpe("text", { vocabSize: 300, ...(o as object) })],
  ["decode", "skip_special_tokens", "special", (o) => lm.tokenizer!.decode([1], o)],
  ["decode", "skip_special_tokens", "special", (o) => new ByteTokenizer().decode([65], o)],
  ["StreamDecoder", "stops", "stop", (o) => new text.StreamDecoder(lm.tokenizer!, o)],
  ["openSource", "cache_dir", "cache", (o) => openSource("./x", o)],
  ["openSource", "branch", "revision", (o) => text.loadTokenizer("./x", o)],
  ["openSource", "branch", "revision", (o) => text.loadChatTemplate("./x", o)],
  ["openSource", "branch", "revision", (o) => models.loadGenerationConfig("./x", o)],
  ["loadBytes", "max_byte", "maxBytes", (o) => files.loadBytes(new Uint8Array(1), o)],
  ["loadBytes", "sha", undefined, (o) => files.loadText(new Uint8Array(1), o)],
  [
    "saveCheckpoint",
    "datatype",
    "dtype",
    (o) => files.saveCheckpoint("/nowhere", { config: {}, tensors: new Map() }, o),
  ],
  ["layoutSafetensors", "metaData", "metadata", (o) => files.serializeSafetensors(new Map(), o)],
  ["selective-copying", "seq_len", "seqLen", (o) => datasets.selectiveCopying(o)],
  ["copying", "tokens", "nTokens", (o) => datasets.copying(o)],
  ["inductionHeads", "vocab", undefined, (o) => datasets.inductionHeads(o)],
  ["associativeRecall", "pairs", "nPairs", (o) => datasets.associativeRecall(o)],
  ["parity", "len", undefined, (o) => datasets.parity(o)],
  ["listOps", "max_len", "maxLen", (o) => datasets.listOps(o)],
  ["maze", "seed", "mazeSeed", (o) => datasets.maze(o)],
  ["modularArithmetic", "mod", undefined, (o) => datasets.modularArithmetic(o)],
  ["delay", "delay", undefined, (o) => datasets.delay(o)],
  [
    "streamTask",
    "batch_size",
    "batchSize",
    (o) => datasets.streamTask(datasets.parity(), { batchSize: 1, seed: 0, ...(o as object) }),
  ],
  [
    "shuffledBatches",
    "shuffle",
    undefined,
    (o) =>
      datasets.shuffledBatches(
        {
          info: {},
          length: 1,
          inputs: new Float32Array(1),
          inputShape: [1],
          targets: new Int32Array(1),
          targetShape: [],
        } as Loose,
        { batchSize: 1, seed: 0, ...(o as object) },
      ),
  ],
  [
    "contiguousBatches",
    "seqlen",
    "seqLen",
    (o) => datasets.contiguousBatches(new Int32Array(9), { batchSize: 1, seqLen: 2, ...(o as object) }),
  ],
  ["parseCsv", "delimeter", "delimiter", (o) => datasets.parseCsv("a", o)],
  ["lorenz", "steps", undefined, (o) => datasets.lorenz({ length: 3, ...(o as object) })],
];

describe("an option that there is not", () => {
  it.each(CALLS)("%s { %s } is refused, %s may be meant", async (what, option, meant, call) => {
    const error: unknown = await (async () => call({ [option]: 1 } as Loose))().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ArgumentError);
    const { message } = error as ArgumentError;
    expect(message).toContain(`${what}: has no option ${option}`);
    expect(message).toMatch(
      meant === undefined ? /(has no option \w+|; it has [^;]+|may be meant)$/ : new RegExp(`; ${meant} may be meant$`),
    );
  });

  it("options that are no object are refused as such", async () => {
    for (const odd of [null, 5, "q8", [1], () => undefined]) {
      expect(() => wasmBackend(odd as Loose), String(odd)).toThrow(
        /wasmBackend: options must be an object \{ threads, .* \}, got/,
      );
      await expect(load(bundledCheckpoint(), odd as Loose)).rejects.toThrow(ArgumentError);
    }
  });
});
