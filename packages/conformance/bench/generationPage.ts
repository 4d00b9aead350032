// Runs in the page that generation.ts opens: wllama and ours, each generating some tokens greedily.
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { Model, parseModelConfig, Session } from "@statespace/models";
import { Wllama } from "@wllama/wllama/esm/index.js";

export interface Generated {
  readonly tokensPerSecond: number;
  /** What was generated: ids of ours, the text of wllama's. */
  readonly ids?: readonly number[];
  readonly text?: string;
}
type Generate = (count: number) => Promise<Generated>;

const PROMPT = "abcdefgh"; // one token a letter in the stand-in vocabulary

async function ours(format: "f32" | "q8", threads: number, worker: boolean): Promise<Generate> {
  const definition = { ...wasmBackend({ threads, worker }), name: `wasm-${threads}-${worker}` };
  await setBackend(definition);
  const model = new Model(
    parseModelConfig({ model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, vocab_size: 50280 }),
    0,
  );
  if (format === "q8") await model.quantize("q8");
  return async (count) => {
    await setBackend(definition);
    const session = new Session(model);
    await session.read([...PROMPT].map((letter) => letter.charCodeAt(0)));
    const ids: number[] = [];
    const from = performance.now();
    for await (const { id } of session.tokens({ maxNewTokens: count, temperature: 0, eosTokenIds: [] })) ids.push(id);
    const tokensPerSecond = (1000 * count) / (performance.now() - from);
    session.dispose();
    return { tokensPerSecond, ids };
  };
}

async function wllama(format: "f32" | "q8", threads: number): Promise<Generate> {
  const engine = new Wllama({ default: "/wllama.wasm" }, { suppressNativeLog: false });
  await engine.loadModel([await (await fetch(`/${format}.gguf`)).blob()], {
    n_ctx: 512,
    n_threads: threads,
    n_gpu_layers: 0,
    seed: 1,
  });
  return async (count) => {
    const { choices, timings } = await engine.createCompletion({
      prompt: PROMPT,
      max_tokens: count,
      temperature: 0,
      logit_bias: { 0: -100 },
    } as never);
    return {
      tokensPerSecond: (timings as unknown as { predicted_per_second: number }).predicted_per_second,
      text: choices[0]!.text,
    };
  };
}

const contenders = new Map<string, Generate>();
Object.assign(globalThis, {
  async prepare(label: string, kind: string, format: "f32" | "q8", threads: number): Promise<void> {
    contenders.set(
      label,
      kind === "wllama" ? await wllama(format, threads) : await ours(format, threads, kind === "worker"),
    );
  },
  generate: (label: string, count: number): Promise<Generated> => contenders.get(label)!(count),
});
