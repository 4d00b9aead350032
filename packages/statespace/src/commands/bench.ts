import { readFloats, setBackend, tensor } from "@statespace/core";
import type { WeightFormat } from "@statespace/core/backend";
import { LoadedModel, Model, parseModelConfig, prefill } from "@statespace/models";
import type { Tokenizer } from "@statespace/text";
import { PREFERENCE, registerAllBackends } from "../registerAllBackends.ts";
import { readArguments, countOption, UsageError, weightsOption, type Command } from "./command.ts";

const USAGE = `usage: statespace bench [--shape S] [--backend B,B] [--weights F] [--tokens N] [--prompt N] [--json]

Times a Mamba of a published shape with random weights: prefill of a prompt and decoding by stream(); min and median over rounds.
  --shape S      tiny, 130m, 370m or 790m; tiny unless told
  --weights F    f32 (unless told), f16, bf16, q8 or q4`;

/** Published shapes: layers and width; vocabulary 50,280 (tiny: 1,024). */
const SHAPES: Readonly<Record<string, { hidden_size: number; num_hidden_layers: number; vocab_size: number }>> = {
  tiny: { hidden_size: 256, num_hidden_layers: 4, vocab_size: 1024 },
  "130m": { hidden_size: 768, num_hidden_layers: 24, vocab_size: 50280 },
  "370m": { hidden_size: 1024, num_hidden_layers: 48, vocab_size: 50280 },
  "790m": { hidden_size: 1536, num_hidden_layers: 48, vocab_size: 50280 },
};

interface Row {
  readonly backend: string;
  readonly shape: string;
  readonly weights: string;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  readonly msPerToken: { readonly min: number; readonly median: number; readonly max: number };
  readonly launchesPerToken: number;
}

/** A tokenizer for random weights, which have none: every id has a text, so that each token of a stream is seen when it comes. */
function wordForEachId(vocabSize: number): Tokenizer {
  const encoder = new TextEncoder();
  const word = (id: number): string => ` ${id}`;
  return {
    vocabSize,
    encode: (text) => Int32Array.from(text.trim().split(" "), Number),
    decode: (ids) => Array.from(ids, word).join(""),
    tokenBytes: (id) => encoder.encode(word(id)),
    toJson: () => JSON.stringify({ vocabSize }),
  };
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)]!;

async function measure(
  shape: string,
  backend: string,
  weights: WeightFormat,
  promptTokens: number,
  tokens: number,
): Promise<Row> {
  await setBackend(backend);
  const model = new Model(parseModelConfig({ model_type: "mamba", ...SHAPES[shape]! }), 0);
  await model.quantize(weights);
  const prompt = Array.from({ length: promptTokens }, (_, i) => (i * 7919) % model.vocabSize);
  const first = await prefill(model, [prompt]); // warm-up
  first.state.dispose();
  const prefillTimes: number[] = [];
  for (let round = 0; round < 3; round++) {
    const from = performance.now();
    const { state } = await prefill(model, [prompt]);
    prefillTimes.push(performance.now() - from);
    state.dispose();
  }
  const session = new LoadedModel({ model, tokenizer: wordForEachId(model.vocabSize) }).session();
  await session.read([0]);
  const times: number[] = [];
  const warmUp = 5;
  let from = performance.now();
  for await (const _ of session.stream({ maxNewTokens: warmUp + tokens, temperature: 0, eosTokenIds: [] })) {
    times.push(performance.now() - from);
    from = performance.now();
  }
  times.splice(0, warmUp);
  const row: Row = {
    backend,
    shape,
    weights,
    prefillTokensPerSecond: (1000 * promptTokens) / median(prefillTimes),
    decodeTokensPerSecond: 1000 / median(times),
    msPerToken: { min: Math.min(...times), median: median(times), max: Math.max(...times) },
    launchesPerToken: session.launches,
  };
  session.dispose();
  model.dispose();
  await readFloats(tensor([0]));
  return row;
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, {
    shape: { type: "string", default: "tiny" },
    backend: { type: "string" },
    weights: { type: "string", default: "f32" },
    tokens: { type: "string" },
    prompt: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (SHAPES[values.shape] === undefined)
    throw new UsageError(`--shape must be one of ${Object.keys(SHAPES).join(", ")}, got "${values.shape}"`);
  const weights = weightsOption(values.weights);
  const promptTokens = countOption("prompt", values.prompt) ?? 128;
  const tokens = countOption("tokens", values.tokens) ?? 32;
  registerAllBackends();
  const backends = values.backend?.split(",") ?? PREFERENCE;
  for (const backend of backends) {
    signal.throwIfAborted();
    try {
      const row = await measure(values.shape, backend, weights, promptTokens, tokens);
      console.log(values.json ? JSON.stringify(row) : text(row));
    } catch (error) {
      // Without --backend the table says what this machine lacks and goes on; a backend asked for by name must run.
      if (values.backend !== undefined) throw error;
      console.log(
        values.json
          ? JSON.stringify({ backend, error: (error as Error).message })
          : `${backend}: does not run here: ${(error as Error).message}`,
      );
    }
  }
  return 0;
}

function text({
  backend,
  shape,
  weights,
  prefillTokensPerSecond,
  decodeTokensPerSecond,
  msPerToken,
  launchesPerToken,
}: Row): string {
  return `${backend.padEnd(7)} mamba-${shape} ${weights}: prefill ${prefillTokensPerSecond.toFixed(0)} tokens/s, decode ${decodeTokensPerSecond.toFixed(1)} tokens/s (${msPerToken.min.toFixed(2)} / ${msPerToken.median.toFixed(2)} / ${msPerToken.max.toFixed(2)} ms min / median / max, ${launchesPerToken} launches)`;
}

/** `statespace bench`: how fast this machine runs a model of a published shape. */
export const bench: Command = { summary: "times models of published shapes on this machine", usage: USAGE, run };
