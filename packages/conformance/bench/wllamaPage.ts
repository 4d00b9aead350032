// Runs in the page that wllama.ts opens: wllama and ours, each reading a prompt and saying tokens, of one GGUF file.
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { load } from "@statespace/models";
import { Wllama } from "@wllama/wllama/esm/index.js";

/** One turn of a contender. */
export interface Turn {
  /** Milliseconds a token of the prompt, and of those it said. */
  readonly prefill: number;
  readonly decode: number;
  /** What it says first: ids of ours, the text of wllama's. */
  readonly ids?: readonly number[];
  readonly text?: string;
}

/** What a contender is asked for. */
export interface Wish {
  /** Letters of the stand-in vocabulary, a token each. */
  readonly prompt: string;
  readonly tokens: number;
}
type Take = (wish: Wish) => Promise<Turn>;

/** Who takes part. */
export interface Contender {
  readonly label: string;
  readonly kind: "direct" | "worker" | "wllama";
  readonly threads: number;
}

async function ours(file: string, { threads, kind }: Contender): Promise<Take> {
  const definition = { ...wasmBackend({ threads, worker: kind === "worker" }), name: `wasm-${threads}-${kind}` };
  await setBackend(definition);
  const lm = await load(new URL(file, location.href), { cache: false });
  return async ({ prompt, tokens }) => {
    await setBackend(definition);
    const session = lm.session();
    const ids: number[] = [];
    const begun = performance.now();
    await session.read([...prompt].map((letter) => letter.charCodeAt(0)));
    let read = begun;
    for await (const { id } of session.tokens({ maxNewTokens: tokens + 1, greedy: true, eosTokenIds: [] })) {
      if (ids.length === 0) read = performance.now();
      ids.push(id);
    }
    const decode = (performance.now() - read) / tokens;
    session.dispose();
    return { prefill: (read - begun) / prompt.length, decode, ids };
  };
}

async function wllama(file: string, { threads }: Contender, context: number): Promise<Take> {
  const engine = new Wllama({ default: "/wllama.wasm" }, { suppressNativeLog: true });
  await engine.loadModel([await (await fetch(file)).blob()], {
    n_ctx: context,
    n_batch: 512,
    n_ubatch: 512,
    n_threads: threads,
    n_gpu_layers: 0,
    seed: 1,
  });
  return async ({ prompt, tokens }) => {
    const { choices, timings } = (await engine.createCompletion({
      prompt,
      max_tokens: tokens + 1,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: false,
    } as never)) as unknown as {
      choices: readonly { text: string }[];
      timings: { prompt_n: number; prompt_ms: number; predicted_per_second: number };
    };
    if (timings.prompt_n < prompt.length)
      throw new Error(`wllama read ${timings.prompt_n} tokens of ${prompt.length}: it kept what it had read before`);
    return {
      prefill: timings.prompt_ms / timings.prompt_n,
      decode: 1000 / timings.predicted_per_second,
      text: choices[0]!.text,
    };
  };
}

const contenders = new Map<string, Take>();
Object.assign(globalThis, {
  async prepare(contender: Contender, file: string, context: number): Promise<void> {
    const take = contender.kind === "wllama" ? wllama(file, contender, context) : ours(file, contender);
    contenders.set(contender.label, await take);
  },
  take: (label: string, wish: Wish): Promise<Turn> => contenders.get(label)!(wish),
});
