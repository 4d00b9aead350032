import { capture, keep, tensor, type Captured, type PackedFormat, type Tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { sampleSettings, sampleStreams, sampleToken } from "@statespace/core/ops";
import { Session, type Model } from "@statespace/models";
import type { WebGpuBackend } from "../src/index.ts";
import { replayWishes } from "../src/fusion/replayWishes.ts";
import { makeModel, modelName } from "./models.ts";
import { kernelTable, median, type Report } from "./report.ts";

/** A model that decodes greedily at batch 1: one captured command buffer a token, which is chosen on the device. */
interface Decoder {
  readonly label: string;
  /** What callers run. */
  readonly session: Session;
  /** The step that the session replays, captured once more, for what cannot be seen from outside. */
  readonly graph: Captured<Tensor>;
  /** Its first tokens. */
  readonly first: readonly number[];
  readonly dispatches: number;
  readonly layers: number;
  /** Seconds a token, of each round. */
  readonly read: number[];
  readonly unread: number[];
  readonly device: number[];
  /** Device seconds that a token's command buffers leave between them. */
  readonly gaps: number[];
  dispose(): void;
}

export type WeightFormat = "f32" | PackedFormat;

/** A way to make the captured graph. */
export interface ReplayWay {
  readonly name: string;
  readonly wishes: Partial<typeof replayWishes>;
}

/** What `src` does. */
export const usualWay: ReplayWay = { name: "", wishes: {} };

/** Every way, for a trial. */
export const replayWays: readonly ReplayWay[] = [
  { name: " apart", wishes: { bake: false, wholeStep: false } },
  { name: " baked", wishes: { bake: true, wholeStep: false } },
  { name: " whole step", wishes: { bake: false, wholeStep: true, channels: 32 } },
  { name: " baked, whole step", wishes: { bake: true, wholeStep: true, channels: 32 } },
  { name: " baked, whole step of 16 channels", wishes: { bake: true, wholeStep: true, channels: 16 } },
];

const backend = (): WebGpuBackend => currentBackend() as WebGpuBackend;

/** Greedy tokens of a session that was begun anew. */
async function said(session: Session, count: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of session.tokens({ maxNewTokens: count, temperature: 0, eosTokenIds: [] })) ids.push(id);
  return ids;
}

/** A greedy step and its sampler, as a session captures them. */
function captureStep(model: Model): { graph: Captured<Tensor>; dispose(): void } {
  const state = model.initialState(1);
  const id = keep(tensor(Int32Array.of(1)));
  const settings = keep(tensor(sampleSettings({ temperature: 0 }), [1, 8]));
  const random = keep(tensor(sampleStreams(0, 1), [1, 4]));
  // What a model makes at its first step is not part of the graph then.
  model.step(id, state).dispose();
  const graph = capture((): Tensor => {
    sampleToken({ logits: model.step(id, state), settings, random, id });
    return id;
  });
  const dispose = (): void => {
    graph.dispose();
    for (const thing of [id, settings, random, state]) thing.dispose();
  };
  return { graph, dispose };
}

async function makeDecoder(model: Model, format: WeightFormat, way: ReplayWay): Promise<Decoder> {
  const session = new Session(model);
  await session.read([1]);
  const usual = { ...replayWishes };
  Object.assign(replayWishes, way.wishes);
  let step: ReturnType<typeof captureStep>;
  let first: number[];
  try {
    first = await said(session, 8); // captures
    step = captureStep(model);
  } finally {
    Object.assign(replayWishes, usual);
  }
  const { graph } = step;
  const before = backend().counters.dispatches;
  graph.replay();
  return {
    label: format + way.name,
    session,
    first,
    graph,
    dispatches: backend().counters.dispatches - before,
    layers: model.blocks.length,
    read: [],
    unread: [],
    device: [],
    gaps: [],
    dispose(): void {
      session.dispose();
      step.dispose();
    },
  };
}

/** A decoder for each format and way; the ways of one format share the model and must choose the same tokens. */
async function makeDecoders(
  small: boolean,
  formats: readonly WeightFormat[],
  ways: readonly ReplayWay[],
): Promise<Decoder[]> {
  const decoders: Decoder[] = [];
  for (const format of formats) {
    const model = makeModel(small);
    if (format !== "f32") await model.quantize(format);
    const same: Decoder[] = [];
    for (const way of ways) same.push(await makeDecoder(model, format, way));
    for (const { label, first } of same) {
      if (first.join() !== same[0]!.first.join())
        throw new Error(`decode ${label}: tokens ${first.join()}, but ${same[0]!.first.join()} ${same[0]!.label}`);
    }
    const last = same.pop()!;
    decoders.push(...same, { ...last, dispose: () => (last.dispose(), model.dispose()) });
  }
  return decoders;
}

/** Seconds a token as a caller streams them. */
async function timeRead({ session }: Decoder, tokens: number): Promise<number> {
  const start = performance.now();
  await said(session, tokens);
  return (performance.now() - start) / tokens / 1000;
}

/** Seconds a token with none read: what the device and the encoding allow. */
async function timeUnread({ graph }: Decoder, tokens: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < tokens; i++) graph.replay();
  await backend().finish();
  return (performance.now() - start) / tokens / 1000;
}

/**
 * Decodes with several weight formats, all of them in memory, in turn: what differs between them is then not the state of the machine.
 * Each round times `tokens` tokens of each with the id read back, as many without, and a few by timestamps around the command buffers.
 */
export async function benchDecode(
  small: boolean,
  formats: readonly WeightFormat[],
  ways: readonly ReplayWay[],
  rounds: number,
  tokens: number,
  report: Report,
): Promise<void> {
  const decoders = await makeDecoders(small, formats, ways);
  for (let round = -1; round < rounds; round++) {
    // Round -1 warms up. Who goes first changes.
    for (let i = 0; i < decoders.length; i++) {
      const decoder = decoders[(i + Math.max(0, round)) % decoders.length]!;
      const read = await timeRead(decoder, tokens);
      const unread = await timeUnread(decoder, tokens);
      const few = Math.min(tokens, 16);
      const replayFew = (): void => {
        for (let token = 0; token < few; token++) decoder.graph.replay();
      };
      const { spanMs, passMs } = backend().traits.timestamps
        ? await backend().deviceSpan(replayFew)
        : { spanMs: Number.NaN, passMs: Number.NaN };
      if (round < 0) continue;
      decoder.read.push(read);
      decoder.unread.push(unread);
      decoder.device.push(spanMs / few / 1000);
      decoder.gaps.push((spanMs - passMs) / few / 1000);
    }
  }
  for (const decoder of decoders) report(await decodeRow(decoder, `${modelName(small)} b=1`));
  const [first, ...others] = decoders;
  for (const other of others) {
    const ratio = (what: "read" | "unread" | "device"): string =>
      median(other[what].map((seconds, round) => first![what][round]! / seconds)).toFixed(3);
    report({
      bench: `decode ${other.label} against ${first!.label}`,
      shape: `${rounds} rounds of ${tokens}`,
      figures: `speed x${ratio("read")} with reads, x${ratio("unread")} without, x${ratio("device")} on the device`,
    });
  }
  for (const decoder of decoders) decoder.dispose();
}

async function decodeRow(decoder: Decoder, shape: string): Promise<Parameters<Report>[0]> {
  const { label, read, unread, device, gaps, dispatches, layers, graph } = decoder;
  const rate = (seconds: readonly number[]): string => {
    const rates = seconds.map((s) => 1 / s);
    return `${median(rates).toFixed(0)} tok/s (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)})`;
  };
  const profile = backend().traits.timestamps ? await backend().profile(() => graph.replay()) : [];
  const kernels = profile.reduce((sum, { ms }) => sum + ms, 0);
  return {
    bench: `decode ${label}`,
    shape,
    figures: `${rate(read)}, without reads ${rate(unread)}; device ${(1e6 * median(device)).toFixed(0)} us a token, of which ${(1e6 * median(gaps)).toFixed(0)} between command buffers; kernels alone ${(1000 * kernels).toFixed(0)} us; ${dispatches} dispatches, ${((dispatches - 3) / layers).toFixed(1)} a layer`,
    parts: kernelTable(profile, 8),
  };
}
