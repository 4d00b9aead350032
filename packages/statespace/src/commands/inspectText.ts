import type { Values } from "@statespace/models";
import { bundledCheckpoint } from "../bundledCheckpoint.ts";
import { load } from "../load.ts";
import { chooseBackend } from "./backendOption.ts";
import { weightsOption } from "./command.ts";

/** What is known of one layer. */
interface LayerFigures {
  /** Root mean square of the residual stream after it. */
  readonly rms: number;
  /** Of each token; absent of a layer that has none. */
  readonly delta?: readonly number[];
}

/** Loads a model and prints what it makes of a text. */
export async function inspectText(
  text: string,
  values: {
    readonly model?: string;
    readonly tokenizer?: string;
    readonly weights?: string;
    readonly backend?: string;
    readonly json: boolean;
  },
  signal: AbortSignal,
): Promise<number> {
  const weights = weightsOption(values.weights);
  const backend = await chooseBackend(values.backend);
  const lm = await load(values.model ?? bundledCheckpoint(), { weights, tokenizer: values.tokenizer, signal });
  try {
    const perplexity = (lm.tokenizer?.encode(text).length ?? 0) > 1;
    const { tokens, hidden, mixers, ...rest } = await lm.inspect(text, { layers: true, mixers: true, perplexity });
    // Layers of several mixers side by side have as many entries; the first that has a delta tells it.
    const perLayer = lm.model.blocks.map((block, i) => {
      const before = lm.model.blocks.slice(0, i).reduce((sum, { mixers: { length } }) => sum + length, 0);
      const delta = mixers.slice(before, before + block.mixers.length).find((told) => "delta" in told)?.["delta"];
      return { rms: rms(hidden[i + 1]!.values), ...(delta && { delta: meanOfTokens(delta) }) };
    });
    const figures = { backend, tokens, perplexity: rest.perplexity ?? null, layers: perLayer };
    if (values.json) console.log(JSON.stringify(figures));
    else print(figures);
  } finally {
    lm.dispose();
  }
  return 0;
}

function print({
  backend,
  tokens,
  perplexity,
  layers,
}: {
  readonly backend: string;
  readonly tokens: readonly string[];
  readonly perplexity: number | null;
  readonly layers: readonly LayerFigures[];
}): void {
  console.log(
    `${tokens.length} tokens on ${backend}${perplexity === null ? "" : `, perplexity ${perplexity.toFixed(2)}`}`,
  );
  layers.forEach(({ rms: size, delta }, i) => {
    const looked = delta?.map((value, t) => `${JSON.stringify(tokens[t])} ${value.toFixed(3)}`).join("  ");
    console.log(
      `layer ${String(i).padStart(2)}  rms ${size.toFixed(3)}${looked === undefined ? "" : `  delta ${looked}`}`,
    );
  });
}

const rms = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);

/** The mean over all but the first axis. */
function meanOfTokens({ shape, values }: Values): number[] {
  const [length] = shape as [number];
  const width = values.length / length;
  return Array.from(
    { length },
    (_, t) => values.subarray(t * width, (t + 1) * width).reduce((a, b) => a + b, 0) / width,
  );
}
