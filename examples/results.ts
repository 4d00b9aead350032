/**
 * docs/results.md and its plots, from the numbers that full runs of the examples left in docs/results.
 *
 *   node --conditions=statespace-source examples/results.ts
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { plotSvg, type Panel, type Series } from "./plot.ts";

interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly backend: string;
}

interface SavedRun {
  readonly command: string;
  /** Absent of runs older than commit 91fb5d72. */
  readonly measured?: { readonly commit: string; readonly date: string };
  readonly machine: Machine;
  readonly setting: Readonly<Record<string, unknown>>;
  readonly results: Readonly<Record<string, Entry>>;
}

/** What a variant may report; each example fills in its own part. */
interface Entry {
  readonly parameters?: number;
  readonly steps?: number;
  readonly seconds?: number;
  readonly accuracy?: number;
  readonly curve?: Curve;
  readonly shorter?: Entry;
  readonly result?: Entry;
  readonly trained?: Entry;
  readonly table?: readonly { readonly length: number; readonly rows: number; readonly accuracy: number }[];
  readonly byLength?: Readonly<Record<string, number>>;
  readonly bitsPerByte?: number;
  readonly tokensPerSecond?: number;
}

type Curve = readonly (readonly [number, number])[];
type Found = readonly { readonly title: string; readonly entry: Entry; readonly run: SavedRun }[];

const docs = new URL("../docs/", import.meta.url);
const folder = new URL("results/", docs);

/** Every variant that was run of an example, from all its files. */
function found(name: string): Found {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${name}.`) && file.endsWith(".json"));
  return files.flatMap((file) => {
    const run = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as SavedRun;
    return Object.entries(run.results).map(([title, entry]) => ({ title, entry, run }));
  });
}

const percent = (share: number | undefined): string => (share === undefined ? "" : `${(100 * share).toFixed(2)} %`);
const count = (value: number | undefined): string => value?.toLocaleString("en") ?? "";
const where = ({ machine }: SavedRun): string => `${machine.backend}, ${machine.cores} cores`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function plot(name: string, panels: readonly Panel[]): string {
  mkdirSync(new URL("plots/", docs), { recursive: true });
  writeFileSync(new URL(`plots/${name}.svg`, docs), plotSvg(panels));
  return `![${panels[0]!.title}](plots/${name}.svg)`;
}

function lines(runs: Found, curveOf: (entry: Entry) => Curve | undefined): Series[] {
  return runs.flatMap(({ title, entry }) => {
    const curve = curveOf(entry);
    return curve === undefined ? [] : [{ label: title, x: curve.map(([x]) => x), y: curve.map(([, y]) => y) }];
  });
}

function commands(runs: Found): string {
  const told = runs.map(({ run: { command, measured } }) =>
    measured === undefined ? command : `${command} # ${measured.commit}, ${measured.date}`,
  );
  return ["```", ...new Set(told), "```"].join("\n");
}

const ACCURACY = { yLabel: "accuracy, held out", yRange: [0, 1.03] as const };

function selectiveCopying(runs: Found): string {
  const [short, long] = (runs[0]!.run.setting["stages"] as { seqLen: number }[]).map(({ seqLen }) => seqLen);
  const rows = runs.map(({ title, entry: { shorter, result }, run }) => [
    title,
    percent(result?.accuracy),
    percent(shorter?.accuracy),
    count(result?.parameters),
    count((shorter?.steps ?? 0) + (result?.steps ?? 0)),
    ((shorter?.seconds ?? 0) + (result?.seconds ?? 0)).toFixed(0),
    where(run),
  ]);
  return `## Selective copying

16 data tokens of a vocabulary of 16 at random places among ${long} steps, to be repeated in order; trained first on ${short} steps, then on ${long}. Accuracy over the 16 answers, on rows never trained on; guessing gives 7.1 %.
Published, at 4,096 steps and 400,000 updates (arXiv 2312.00752, table 1): Mamba 99.8 %, S4 in Mamba's block 56.4 %, S4 without a gate 18.3 %.

${table(["model", `l = ${long}`, `l = ${short}`, "parameters", "updates", "seconds", "on"], rows)}

${plot("selective-copying", [
  {
    title: `Selective copying, ${short} steps`,
    xLabel: "updates",
    ...ACCURACY,
    series: lines(runs, (entry) => entry.shorter?.curve),
  },
  { title: `then ${long} steps`, xLabel: "updates", ...ACCURACY, series: lines(runs, (entry) => entry.result?.curve) },
])}

${commands(runs)}`;
}

function inductionHeads(runs: Found): string {
  const stages = runs[0]!.run.setting["stages"] as { seqLen: number }[];
  const lengths = [...new Set(runs.flatMap(({ entry }) => entry.table!.map(({ length }) => length)))].sort(
    (a, b) => a - b,
  );
  const rows = lengths.map((length) => {
    const at = runs.map(({ entry }) => entry.table!.find((row) => row.length === length));
    return [count(length), ...at.map((row) => (row === undefined ? "" : `${percent(row.accuracy)} of ${row.rows}`))];
  });
  const trained = runs.map(
    ({ title, entry: { trained: of }, run }) =>
      `${title}: ${count(of?.parameters)} parameters, ${percent(of?.accuracy)} at the length of training after ${count(of?.steps)} updates, ${of?.seconds?.toFixed(0)} s (${where(run)})`,
  );
  return `## Induction heads

Trained on rows of ${stages.map(({ seqLen }) => seqLen).join(", then ")} steps, asked at other lengths. Mamba carries its state through chunks of 2,048 steps, so memory does not grow; attention keeps every token and is asked up to 4,096.
Published (arXiv 2312.00752, table 2): Mamba 100 % up to 1,048,576; Transformers fall within twice the length of training.

${trained.join("\n")}

${table(["length", ...runs.map(({ title }) => title)], rows)}

${plot("induction-heads", [{ title: "Induction heads: accuracy by length", xLabel: "log2 of the length", ...ACCURACY, series: lines(runs, (entry) => entry.table!.map(({ length, accuracy }) => [Math.log2(length), accuracy] as const)) }])}

${commands(runs)}`;
}

function languageRow({ title, entry, run: saved }: Found[number]): string[] {
  const { batchSize, seqLen } = saved.setting as { batchSize: number; seqLen: number };
  return [
    title,
    entry.bitsPerByte!.toFixed(3),
    count(entry.parameters),
    count(entry.steps),
    count(entry.steps! * batchSize * seqLen),
    entry.seconds!.toFixed(0),
    where(saved),
  ];
}

const LANGUAGE_HEAD = ["model", "bits per byte", "parameters", "steps", "tokens", "seconds", "on"];

function languageModel(runs: Found): string {
  const { parameters, steps, tokens, seconds, heldOut, backend, lossCurve } = bundledReport();
  const bundledRow = [
    "mamba (the bundled checkpoint)",
    heldOut.bitsPerByte.toFixed(3),
    count(parameters),
    count(steps),
    count(tokens),
    seconds.toFixed(0),
    `${backend}, 16 cores`,
  ];
  const series = [
    { label: "mamba", x: lossCurve.map(([step]) => step), y: lossCurve.map(([, loss]) => loss) },
    ...lines(runs, (entry) => entry.curve),
  ];
  return `## Language models in the bundled checkpoint's recipe

State of the Union and Moby-Dick, 2,048 tokens of BPE; held-out bits per byte. The Transformer read the same number of tokens. The LSTM (rows of a quarter of the length, four times as many, its state carried from row to row) walks token by token: the time it had, several times Mamba's, was enough for ${count(runs.find(({ title }) => title === "lstm")?.entry.steps)} steps.

${table(LANGUAGE_HEAD, [bundledRow, ...runs.map(languageRow)])}

${plot("language-model", [{ title: "Training loss", xLabel: "steps", yLabel: "nats a token", series }])}

${commands(runs)}`;
}

function languageModelEqualTime(runs: Found): string {
  return `## Language models of one time budget

A third of that size, the same batches for each, and as many of them as fit in the same time on the same cores.

${table(LANGUAGE_HEAD, runs.map(languageRow))}

${plot("language-model-equal-time", [{ title: "Training loss over the same batches", xLabel: "steps", yLabel: "nats a token", series: lines(runs, (entry) => entry.curve) }])}

${commands(runs)}`;
}

function hippoStart(runs: Found): string {
  const { lag, seqLen, dState } = runs[0]!.run.setting as { lag: number; seqLen: number; dState: number };
  const rows = runs.map(({ title, entry, run: saved }) => [
    title,
    percent((entry as unknown as { error: number }).error),
    count(entry.parameters),
    count(entry.steps),
    entry.seconds!.toFixed(0),
    where(saved),
  ]);
  return `## HiPPO against a random start

The same LSSL layer, its dense matrix trained from either start, on a task that is nothing but memory: the input ${lag} of ${seqLen} steps late, from a state of ${dState} numbers a channel. Relative error, held out; answering 0 gives 100 %.

${table(["start", "error", "parameters", "updates", "seconds", "on"], rows)}

${plot("hippo-start", [{ title: "HiPPO against a random start", xLabel: "updates", yLabel: "relative error, held out", yRange: [0, 1.05], series: lines(runs, (entry) => entry.curve) }])}

${commands(runs)}`;
}

function sequentialImages(runs: Found): string {
  const rows = runs.map(({ title, entry, run }) => [
    title,
    percent(entry.accuracy),
    count(entry.parameters),
    count(entry.steps),
    entry.seconds!.toFixed(0),
    where(run),
  ]);
  return `## Sequential MNIST

9,000 real digits read pixel by pixel (784 steps), 1,000 held out.

${table(["model", "held out", "parameters", "updates", "seconds", "on"], rows)}

${plot("sequential-images", [{ title: "Sequential MNIST", xLabel: "epochs", ...ACCURACY, series: lines(runs, (entry) => entry.curve) }])}

${commands(runs)}`;
}

/** Published figures of the same kind of task, each at its full size and with many times these weights and updates. */
const PUBLISHED_CLASSES: Readonly<Record<string, string>> = {
  pixels: "with 60,000 images to learn from: S4 99.63 % (arXiv 2111.00396, table 12), GRU 99.1 % (arXiv 2110.04744)",
  permutedPixels:
    "with 60,000 images to learn from: S4 98.70 % (arXiv 2111.00396, table 12), GRU 94.1 % (arXiv 2110.04744)",
  listOps: "at 500 to 2,000 symbols: S4D-LegS 60.5 % (arXiv 2206.11893; S4D 60.2 % again in arXiv 2303.06349, table 3)",
};

function classification(): string {
  const names = ["digits", "images", "permuted", "pixels", "permutedPixels", "listOps", "spoken"];
  const parts = names.flatMap((name) => {
    const runs = found(`14-classification-${name}`);
    return runs.length === 0 ? [] : [{ name, runs }];
  });
  const rows = parts.flatMap(({ name, runs }) =>
    runs.map(({ title, entry, run }) => [
      name,
      String(run.setting["seqLen"]),
      title,
      percent(entry.accuracy),
      String((entry as unknown as { rate: number }).rate),
      count(entry.parameters),
      count(entry.steps),
      entry.seconds!.toFixed(0),
      where(run),
    ]),
  );
  const told = parts.map(({ name, runs }) => {
    const published = PUBLISHED_CLASSES[name];
    const rates = (runs[0]!.run.setting["rates"] as readonly number[]).join(", ");
    return `- ${name}: ${String(runs[0]!.run.setting["about"])}; rates ${rates}.${published === undefined ? "" : ` Published ${published}.`}`;
  });
  return `## Classification on small sets

S4D, Mamba and a GRU of about 28,000 weights, two layers each, the mean over time in front of the head; the same rows in the same order, batches of 32, the same number of updates but where a model had not the time for them. The learning rate of each is the one of those named with which a quarter of the updates does best on rows kept apart for that; what is told is of rows that are used for nothing else. One seed. Published figures stand behind the tasks that have one, each of many times these weights and updates; of Mamba none of these tasks has one that we could check.

${told.join("\n")}

${table(["task", "steps", "model", "held out", "learning rate", "parameters", "updates", "seconds", "on"], rows)}

${commands(parts.flatMap(({ runs }) => runs))}`;
}

function parity(runs: Found): string {
  const lengths = Object.keys(runs[0]!.entry.byLength!);
  const rows = runs.map(({ title, entry, run }) => [
    title,
    ...lengths.map((length) => percent(entry.byLength![length])),
    count(entry.parameters),
    count(entry.steps),
    entry.seconds!.toFixed(0),
    where(run),
  ]);
  return `## Parity

Whether the bits so far hold an odd number of ones, trained on rows of ${String(runs[0]!.run.setting["seqLen"])}; accuracy at the last bit, where guessing gives 50 %.

${table(["model", ...lengths.map((length) => `l = ${length}`), "parameters", "updates", "seconds", "on"], rows)}

${plot("parity", [{ title: "Parity", xLabel: "updates", yLabel: "accuracy over all bits, held out", yRange: [0.4, 1.03], series: lines(runs, (entry) => entry.curve) }])}

${commands(runs)}`;
}

function hippoMemory(runs: Found): string {
  const rows = runs.map(({ title, entry }) => {
    const { whole, recent, microseconds } = entry as unknown as { whole: number; recent: number; microseconds: number };
    return [title, whole.toExponential(2), recent.toExponential(2), microseconds.toFixed(2)];
  });
  return `## HiPPO: a long signal in 256 numbers

100,000 samples of band-limited noise (40 cycles), compressed online to 256 numbers and read back. Error: root mean square, relative to the signal. LegT must be told the window beforehand; LegS need not.

${table(["memory", "error, whole history", "error, last tenth", "microseconds a sample"], rows)}

![HiPPO memory](plots/hippo-memory.svg)

${commands(runs)}`;
}

interface BundledReport {
  readonly recipe: { readonly name: string; readonly about: string };
  readonly backend: string;
  readonly parameters: number;
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly heldOut: { readonly loss: number; readonly bitsPerByte: number; readonly targets: number };
  readonly lossCurve: Curve;
}

/** What the bundled checkpoint says of itself. */
function bundledReport(): BundledReport {
  return JSON.parse(
    readFileSync(new URL("../packages/statespace/checkpoint/training.json", import.meta.url), "utf8"),
  ) as BundledReport;
}

/** What transformers made of it, where it was asked (`09-transformers.ts --out docs/results`). */
function readByTransformers(): string {
  const { transformers, torch, largestError, logits, newTokens, ids, greedy } = JSON.parse(
    readFileSync(new URL("09-transformers.json", folder), "utf8"),
  ) as {
    transformers: string;
    torch: string;
    largestError: number;
    logits: number;
    newTokens: number;
    ids: boolean;
    greedy: boolean;
  };
  return `Read by Hugging Face transformers ${transformers} (torch ${torch}): ${ids ? "the same" : "other"} token ids, ${count(logits)} logits within ${largestError.toExponential(1)} of the largest, ${greedy ? "the same" : "another"} greedy continuation over ${newTokens} tokens (\`examples/09-transformers.ts\`).`;
}

function bundled(): string {
  const { recipe, parameters, steps, tokens, seconds, heldOut, lossCurve, backend } = bundledReport();
  const series = [{ label: recipe.name, x: lossCurve.map(([step]) => step), y: lossCurve.map(([, loss]) => loss) }];
  return `## The bundled checkpoint

${recipe.about}

${table(["model", "held-out bits per byte", "parameters", "steps", "tokens", "seconds", "backend"], [[recipe.name, heldOut.bitsPerByte.toFixed(3), count(parameters), count(steps), count(tokens), seconds.toFixed(0), backend]])}

${plot("bundled-checkpoint", [{ title: "Training loss of the bundled checkpoint", xLabel: "steps", yLabel: "nats a token", series }])}

The recipe, the whole curve and the evaluations are in \`packages/statespace/checkpoint/training.json\`.
${readByTransformers()}`;
}

function throughput(runs: Found): string {
  const { setting } = runs[0]!.run;
  const rows = runs.map(({ title, entry }) => {
    const { ms, bestMs, tokensPerSecond, note } = entry as unknown as {
      ms: number;
      bestMs: number;
      tokensPerSecond: number;
      note: string;
    };
    return [title, count(Math.round(tokensPerSecond)), ms.toFixed(0), bestMs.toFixed(0), note];
  });
  return `## Training throughput beside other libraries

One step (loss, gradients, AdamW) of one model: ${String(setting["model"])}, ${String(setting["batch"])} rows of ${String(setting["length"])} tokens. All start from the same weights, take turns, and their losses agree over three steps before anything is timed.
Median of ${String(setting["rounds"])} steps on 2 cores. Neither tfjs nor jax-js has a scan; PyTorch has a selective scan for CUDA only.

${table(["library", "tokens/s", "ms a step", "best", "how"], rows)}

${commands(runs)}`;
}

const sections: readonly (readonly [string, (runs: Found) => string])[] = [
  ["03-selective-copying", selectiveCopying],
  ["04-induction-heads", inductionHeads],
  ["08-parity", parity],
  ["07-sequential-images", sequentialImages],
  ["06-hippo-memory", hippoMemory],
  ["13-hippo-start", hippoStart],
  ["05-language-model", languageModel],
  ["05-language-model-equal-time", languageModelEqualTime],
  ["12-throughput", throughput],
];
const parts = sections.flatMap(([name, write]) => {
  const runs = found(name);
  return runs.length === 0 ? [] : [write(runs)];
});
if (readdirSync(folder).some((file) => file.startsWith("14-classification-"))) parts.push(classification());
const intro = `# Results

The papers' small results, reproduced with this library. Each number comes from the command below its table, with a fixed seed; times are those of the machine named beside them, shared with other work, and say what a run costs, not how fast the library is.
This page is written by \`examples/results.ts\` from \`docs/results\`. Behind a command stands the commit that was measured, and the day; where none stands, the run is older than commit 91fb5d72 and was not repeated since, most of them for want of 16 cores or a GPU.`;
writeFileSync(new URL("results.md", docs), `${[intro, bundled(), ...parts].join("\n\n")}\n`);
console.log(`docs/results.md: ${parts.length + 1} sections`);
