import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ArgumentError } from "@statespace/core";
import { throwIfAborted } from "@statespace/files";
import type { Tokenizer } from "@statespace/text";
import {
  checkSampling,
  generate as generateTokens,
  generateText,
  withDefaults,
  type LoadedModel,
  type Model,
  type StreamOptions,
} from "@statespace/models";
import type { Grammar } from "@statespace/models/grammar";
import { chooseBackend } from "./backendOption.ts";
import { bundledCheckpoint, BUNDLED_PROMPT } from "../bundledCheckpoint.ts";
import { load } from "../load.ts";
import {
  checkedOptions,
  numberOption,
  readArguments,
  UsageError,
  cacheTypeOption,
  weightsOption,
  wholeOption,
  type Command,
} from "./command.ts";
import { isPiped, readStandardInput } from "./standardInput.ts";
import { megabytes, ProgressLine } from "./terminal.ts";

const USAGE = `usage: statespace generate [--model DIR|URL] [--prompt TEXT | --prompt-file FILE | --ids 1,2,3] [options]

  --model DIR|URL        a Hugging Face folder: config.json, model.safetensors, tokenizer.json; the bundled model if left out
  --tokenizer DIR|URL    where its tokenizer is, if not in the same folder: EleutherAI/gpt-neox-20b for the first Mambas
  --prompt TEXT          text to go on from (needs a tokenizer)
  --prompt-file FILE     text to go on from, from a file; "-" is standard input, as is what is piped in where no prompt is told
  --ids 1,2,3            token ids to go on from
  --max-new-tokens N     64 unless told
  --greedy               always the most probable token
                         (what is not told here is as the model's generation_config.json says)
  --temperature T  --top-k K  --top-p P  --min-p P  --seed S
  --repetition-penalty R  --presence-penalty P  --frequency-penalty P
  --typical-p P  --no-repeat-ngram-size N  --min-new-tokens N
  --prompt-lookup N      guess so many tokens from the text itself: the same text, sooner where it repeats
  --json-schema FILE     the text is JSON by this schema (needs @mlc-ai/web-xgrammar)
  --regex R              the text matches this regular expression (needs it too)
  --stop TEXT            ends the text; may be given more than once
  --ignore-eos           go on after an end-of-text token
  --weights F            keep matrices as f16, bf16, q8 or q4; f32 is the plain format
  --cache-type F         keep keys and values of attention as f16, in half the memory; f32 unless told
  --backend B            webgpu, wasm or cpu; the best there is unless told
  --json                 one JSON object instead of text`;

const OPTIONS = {
  model: { type: "string" },
  tokenizer: { type: "string" },
  prompt: { type: "string" },
  "prompt-file": { type: "string" },
  ids: { type: "string" },
  "max-new-tokens": { type: "string" },
  greedy: { type: "boolean" },
  temperature: { type: "string" },
  "top-k": { type: "string" },
  "top-p": { type: "string" },
  "min-p": { type: "string" },
  "repetition-penalty": { type: "string" },
  "presence-penalty": { type: "string" },
  "frequency-penalty": { type: "string" },
  "typical-p": { type: "string" },
  "no-repeat-ngram-size": { type: "string" },
  "min-new-tokens": { type: "string" },
  "prompt-lookup": { type: "string" },
  "json-schema": { type: "string" },
  regex: { type: "string" },
  seed: { type: "string" },
  stop: { type: "string", multiple: true },
  "ignore-eos": { type: "boolean", default: false },
  weights: { type: "string" },
  "cache-type": { type: "string" },
  backend: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>;

function parseIds(text: string): number[] {
  return text.split(",").map((part) => {
    const id = Number(part);
    if (part.trim() === "" || !Number.isInteger(id))
      throw new UsageError(`--ids must be whole numbers with commas between, got "${part}"`);
    return id;
  });
}

function settings(values: Values, signal: AbortSignal): StreamOptions {
  const number = (
    name:
      | "temperature"
      | "top-k"
      | "top-p"
      | "min-p"
      | "repetition-penalty"
      | "presence-penalty"
      | "frequency-penalty"
      | "typical-p",
  ): number | undefined => numberOption(name, values[name]);
  const count = (
    name: "no-repeat-ngram-size" | "min-new-tokens" | "prompt-lookup" | "max-new-tokens",
  ): number | undefined => wholeOption(name, values[name], 0);
  const all = {
    greedy: values.greedy,
    temperature: number("temperature"),
    topK: number("top-k"),
    topP: number("top-p"),
    minP: number("min-p"),
    repetitionPenalty: number("repetition-penalty"),
    presencePenalty: number("presence-penalty"),
    frequencyPenalty: number("frequency-penalty"),
    typicalP: number("typical-p"),
    noRepeatNgramSize: count("no-repeat-ngram-size"),
    minNewTokens: count("min-new-tokens"),
    promptLookupNumTokens: count("prompt-lookup"),
    seed: wholeOption("seed", values.seed),
    maxNewTokens: count("max-new-tokens"),
    stop: values.stop,
    eosTokenIds: values["ignore-eos"] ? [] : undefined,
  };
  const told: StreamOptions = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const { typicalP = 1 } = told;
  if (!(typicalP > 0 && typicalP <= 1))
    throw new UsageError(`--typical-p must be a number in (0, 1], got "${values["typical-p"]}"`);
  checkedOptions(() => checkSampling(told));
  return { ...told, signal };
}

/** When the prompt was read and each token came, in milliseconds. */
interface Clock {
  readonly started: number;
  prefilled?: number;
  ended?: number;
  tokens: number;
}

function rates(
  { started, prefilled, ended, tokens }: Clock,
  promptTokens: number,
): { prefillTokensPerSecond: number | null; decodeTokensPerSecond: number | null } {
  const prefill = (prefilled ?? started) - started;
  const decode = (ended ?? started) - (prefilled ?? started);
  // The first token comes with the prompt; the rates of decoding count those after it.
  return {
    prefillTokensPerSecond: prefill > 0 ? (1000 * promptTokens) / prefill : null,
    decodeTokensPerSecond: tokens > 1 && decode > 0 ? (1000 * (tokens - 1)) / decode : null,
  };
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, OPTIONS);
  const given = (["prompt", "prompt-file", "ids"] as const).filter((name) => values[name] !== undefined);
  if (given.length > 1) throw new UsageError(`${given.map((name) => `--${name}`).join(" and ")} exclude each other`);
  const from = values.model ?? bundledCheckpoint();
  const prompt = await promptOf(values, signal);
  if (prompt === undefined && values.ids === undefined)
    throw new UsageError("--prompt, --prompt-file or --ids is needed");
  weightsOption(values.weights);
  cacheTypeOption(values["cache-type"]);
  const told = settings(values, signal); // before a backend starts and a model loads
  const backend = await chooseBackend(values.backend);
  const lm = await open(from, values, signal);
  const { model, tokenizer, defaults } = lm;
  const grammar = await grammarOf(values, lm);
  const options = withDefaults(defaults, { ...told, ...(grammar && { guide: grammar.guide }) });
  try {
    if (prompt !== undefined && tokenizer === undefined)
      throw new ArgumentError("generate: the model has no tokenizer.json; give --tokenizer or --ids");
    const ids = prompt === undefined ? parseIds(values.ids!) : [...tokenizer!.encode(prompt)];
    return await (values.json ? printJson : printText)({ model, tokenizer, prompt, ids, options, backend });
  } finally {
    lm.dispose();
  }
}

/** What the text must follow, if it must. @throws UsageError for two of them, or a file that is no JSON. */
async function grammarOf(values: Values, { tokenizer, model, defaults }: LoadedModel): Promise<Grammar | undefined> {
  const { "json-schema": file, regex } = values;
  if (file === undefined && regex === undefined) return undefined;
  if (file !== undefined && regex !== undefined) throw new UsageError("--json-schema and --regex exclude each other");
  if (tokenizer === undefined) throw new UsageError("--json-schema and --regex need a model with a tokenizer.json");
  const { compileGrammar } = await import("@statespace/models/grammar");
  const eosTokenIds = values["ignore-eos"] ? [] : (defaults.eosTokenIds ?? model.resolved.eosTokenIds);
  const source = file === undefined ? { regex: regex! } : { jsonSchema: readSchema(file) };
  return compileGrammar(tokenizer, source, { vocabSize: model.vocabSize, eosTokenIds });
}

function readSchema(file: string): object {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as object;
  } catch (error) {
    throw new UsageError(`--json-schema: ${file}: ${(error as Error).message}`);
  }
}

/** The text that the words tell, or what was piped in; the bundled model has one of its own. */
async function promptOf(values: Values, signal: AbortSignal): Promise<string | undefined> {
  const file = values["prompt-file"];
  if (values.prompt !== undefined || values.ids !== undefined) return values.prompt;
  if (file !== undefined) return readPrompt(file, signal);
  const piped = isPiped() ? await readPrompt("-", signal) : "";
  if (piped !== "") return piped;
  return values.model === undefined ? BUNDLED_PROMPT : undefined;
}

/** A text, but for the line's end that editors and `echo` put there. */
async function readPrompt(file: string, signal: AbortSignal): Promise<string> {
  const read = file === "-" ? readStandardInput(signal) : readFile(file, "utf8");
  const whole = await read.catch((cause: unknown) => {
    throwIfAborted(signal, "generate");
    throw new UsageError(`--prompt-file: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  });
  return whole.replace(/\r?\n$/, "");
}

/** Loads as a program would, with a line that tells how far it has come. */
async function open(from: string | URL, values: Values, signal: AbortSignal): Promise<LoadedModel> {
  const line = new ProgressLine();
  const lm = await load(from, {
    signal,
    weights: weightsOption(values.weights),
    cacheType: cacheTypeOption(values["cache-type"]),
    tokenizer: values.tokenizer,
    progress: ({ loaded, total }) => line.show(`${megabytes(loaded)} of ${megabytes(total)}`),
  });
  line.clear();
  return lm;
}

interface Job {
  readonly model: Model;
  readonly tokenizer: Tokenizer | undefined;
  readonly prompt: string | undefined;
  readonly ids: readonly number[];
  readonly options: StreamOptions;
  readonly backend: string;
}

async function printJson({ model, tokenizer, prompt, ids, options, backend }: Job): Promise<number> {
  const clock: Clock = { started: performance.now(), tokens: 0 };
  const made: number[] = [];
  let text = "";
  const stream =
    prompt === undefined ? generateTokens(model, [ids], options) : generateText(model, tokenizer!, prompt, options);
  for await (const token of stream) {
    clock.prefilled ??= performance.now();
    clock.ended = performance.now();
    clock.tokens++;
    made.push(token.id);
    if ("text" in token) text += String(token.text);
  }
  console.log(
    JSON.stringify({
      backend,
      ids: [...ids, ...made],
      newIds: made,
      ...(prompt === undefined ? {} : { prompt, text }),
      promptTokens: ids.length,
      newTokens: made.length,
      ...rates(clock, ids.length),
    }),
  );
  return 0;
}

async function printText({ model, tokenizer, prompt, ids, options, backend }: Job): Promise<number> {
  const clock: Clock = { started: performance.now(), tokens: 0 };
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  process.stdout.write(prompt ?? ids.join(" "));
  const stream =
    prompt === undefined ? generateTokens(model, [ids], options) : generateText(model, tokenizer!, prompt, options);
  for await (const token of stream) {
    clock.prefilled ??= performance.now();
    clock.ended = performance.now();
    clock.tokens++;
    process.stdout.write("text" in token ? String(token.text) : ` ${token.id}`);
  }
  process.stdout.write("\n");
  const { prefillTokensPerSecond: prefill, decodeTokensPerSecond: decode } = rates(clock, ids.length);
  const state = model.initialState(1);
  note(
    `\n${clock.tokens} tokens on ${backend}: prompt ${prefill?.toFixed(0) ?? "-"} tokens/s, decoding ${decode?.toFixed(0) ?? "-"} tokens/s, state ${megabytes(state.bytes)} whatever the length`,
  );
  state.dispose();
  return 0;
}

/** `statespace generate`: streams a completion. */
export const generate: Command = { summary: "streams a completion of a prompt", usage: USAGE, run };
