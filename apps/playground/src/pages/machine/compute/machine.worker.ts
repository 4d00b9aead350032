import { checkForward, checkGradients, opCases, type Verdict } from "@statespace/conformance/cases";
import { currentBackend, linear, readFloats, Rng, selectiveScan, tensor, type Tensor } from "@statespace/core";
import { Decoder, LanguageModel, parseModelConfig } from "@statespace/models";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, serve, type CallContext } from "../../../workers/rpc.ts";

/** How one op of one backend did. */
export interface OpResult {
  readonly kind: "op";
  readonly backend: BackendName;
  readonly op: string;
  readonly compared: number;
  readonly failed: number;
  /** Largest share of its bound that a comparison used. */
  readonly used: number;
  /** Why it could not be compared at all. */
  readonly why?: string;
}

export type BenchName = "matmul" | "scan" | "decode" | "prefill";

export interface BenchResult {
  readonly kind: "bench";
  readonly backend: BackendName;
  readonly bench: BenchName;
  readonly ms: number;
  /** In GFLOP/s, GB/s or tokens/s. */
  readonly rate: number;
  readonly unit: string;
}

export interface Progress {
  readonly kind: "progress";
  readonly done: number;
  readonly total: number;
}

export interface Started {
  readonly kind: "started";
  readonly backend: BackendName;
  readonly about: string;
}

export interface NotStarted {
  readonly kind: "absent";
  readonly backend: BackendName;
  readonly why: string;
}

export type MachineEvent = OpResult | BenchResult | Progress | Started | NotStarted;

const ops = [...new Set(opCases.map(({ op }) => op))];

/** Large cases serve the tests; a page takes those that are done in a moment. */
const CASES_AN_OP = 4;

async function checkOp(op: (typeof ops)[number], backend: BackendName): Promise<OpResult> {
  const verdicts: Verdict[] = [];
  try {
    for (const one of opCases.filter((each) => each.op === op).slice(0, CASES_AN_OP)) {
      verdicts.push(...(await checkForward(one)), ...(await checkGradients(one)));
      await breathe();
    }
  } catch (error) {
    return { kind: "op", backend, op: op.spec.name, compared: verdicts.length, failed: verdicts.length, used: 0, why: (error as Error).message };
  }
  return { kind: "op", backend, op: op.spec.name, compared: verdicts.length, failed: verdicts.filter(({ ok }) => !ok).length, used: Math.max(0, ...verdicts.map(({ used }) => used)) };
}

const random = (shape: readonly number[], low = -1, high = 1): Tensor =>
  tensor(Float32Array.from(new Rng(1).uniforms(shape.reduce((a, b) => a * b, 1), low, high)), shape);

/** Median milliseconds of runs that end with a read-back, over about a third of a second. */
async function time(run: () => Tensor): Promise<number> {
  const times: number[] = [];
  let end = Infinity;
  for (let i = 0; i < 30 && performance.now() < end; i++) {
    const start = performance.now();
    const y = run();
    await readFloats(y);
    y.dispose();
    // the first run compiles and warms up
    if (i === 0) end = performance.now() + 350;
    else times.push(performance.now() - start);
    await breathe();
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

async function benchMatmul(): Promise<Pick<BenchResult, "ms" | "rate" | "unit">> {
  const size = 384;
  const [x, weight] = [random([size, size]), random([size, size])];
  const ms = await time(() => linear({ x, weight }).y);
  x.dispose();
  weight.dispose();
  return { ms, rate: (2 * size ** 3) / ms / 1e6, unit: "GFLOP/s" };
}

async function benchScan(): Promise<Pick<BenchResult, "ms" | "rate" | "unit">> {
  const [l, d, n] = [512, 256, 16];
  const inputs = { u: random([1, l, d]), delta: random([1, l, d], 0.01, 0.1), A: random([d, n], -8, -1), B: random([1, l, n]), C: random([1, l, n]) };
  const ms = await time(() => selectiveScan(inputs).y);
  for (const t of Object.values(inputs)) t.dispose();
  return { ms, rate: (1000 * l) / ms, unit: "tokens/s" };
}

const smallModel = (): LanguageModel => new LanguageModel(parseModelConfig({ model_type: "mamba", hidden_size: 128, num_hidden_layers: 4, vocab_size: 1024 }), 1);

async function benchDecode(): Promise<Pick<BenchResult, "ms" | "rate" | "unit">> {
  const model = smallModel();
  const decoder = new Decoder(model, model.initialState(), 1);
  const times: number[] = [];
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    await decoder.next([i]);
    if (i >= 8) times.push(performance.now() - start);
    if (i % 8 === 0) await breathe();
  }
  decoder.dispose();
  model.dispose();
  const ms = times.sort((a, b) => a - b)[times.length >> 1]!;
  return { ms, rate: 1000 / ms, unit: "tokens/s" };
}

async function benchPrefill(): Promise<Pick<BenchResult, "ms" | "rate" | "unit">> {
  const model = smallModel();
  const l = 256;
  const ids = tensor(Int32Array.from({ length: l }, (_, i) => i), [1, l]);
  const ms = await time(() => model.forward(ids, { lastOnly: true }).logits);
  ids.dispose();
  model.dispose();
  return { ms, rate: (1000 * l) / ms, unit: "tokens/s" };
}

const benches: readonly (readonly [BenchName, () => Promise<Pick<BenchResult, "ms" | "rate" | "unit">>])[] = [
  ["matmul", benchMatmul],
  ["scan", benchScan],
  ["decode", benchDecode],
  ["prefill", benchPrefill],
];

/** What can be said of a running backend: its threads, or the device's name. */
function describe(): string {
  const backend = currentBackend() as unknown as { threads?: number; traits?: { description?: string; vendor?: string; architecture?: string } };
  if (backend.threads !== undefined) return String(backend.threads);
  const { description, vendor, architecture } = backend.traits ?? {};
  return [description, vendor, architecture].filter(Boolean).join(" ");
}

const api = {
  async run({ backends }: { backends: readonly BackendName[] }, { signal, emit }: CallContext<MachineEvent>): Promise<void> {
    const total = backends.length * (ops.length + benches.length);
    let done = 0;
    const step = (event: MachineEvent): void => {
      emit(event);
      emit({ kind: "progress", done: ++done, total });
    };
    for (const backend of backends) {
      try {
        await startBackend(backend);
      } catch (error) {
        emit({ kind: "absent", backend, why: (error as Error).message });
        done += ops.length + benches.length;
        continue;
      }
      emit({ kind: "started", backend, about: describe() });
      for (const op of ops) {
        if (signal.aborted) return;
        step(await checkOp(op, backend));
      }
      for (const [bench, run] of benches) {
        if (signal.aborted) return;
        step({ kind: "bench", backend, bench, ...(await run()) });
      }
    }
  },
};

export type MachineApi = typeof api;
serve(api);
