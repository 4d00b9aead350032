import { cpuBackend } from "@statespace/backend-cpu";
import { memory, readFloats, reshape, Rng, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import {
  AttentionMixer,
  Decoder,
  Model,
  ParameterBuilder,
  prefill,
  Session,
  type AttentionMixerConfig,
} from "../../src/index.ts";

const config: AttentionMixerConfig = {
  dModel: 6,
  nHeads: 4,
  nHeadsKv: 2,
  headDim: 4,
  useQkvBias: true,
  useOutBias: false,
  softmaxScale: 0.5,
  causal: true,
  dConv: 3,
  rotaryDim: 2,
  rotaryBase: 10000,
  rotaryInterleaved: true,
  qkNorm: "head",
  qkNormEps: 1e-6,
  qkNormOffset: 1,
  outputGate: true,
  mlpDim: 8,
  window: 0,
  sinks: true,
};
const LENGTH = 9;

/** Steps on one tape of tokens x [2, l, dModel], from a prompt of `read` tokens on: outputs of the steps, one after the other. */
function stepped(
  mixer: AttentionMixer,
  x: Tensor,
  seqIdx: Tensor | undefined,
  read: number,
  capacity?: number,
): Tensor[] {
  const state = mixer.forward(sliceAxis(x, 1, 0, read), { returnState: true, seqIdx }).state!;
  return Array.from({ length: LENGTH - read }, (_, i) => {
    if (capacity !== undefined)
      mixer.reserve!(state, { batch: 2, capacity: Math.max(capacity, read + i + 1), tokens: read + i });
    return mixer.step(reshape(sliceAxis(x, 1, read + i, 1), [2, 6]), state);
  });
}

describe("attention on a reserved state", () => {
  beforeAll(() => setBackend(cpuBackend()));

  // A room that is enough, one that is full at each step, and a prompt whose first tokens row 0 must not see.
  it.each([
    [16, false],
    [0, false],
    [16, true],
    [0, true],
  ])("steps as on a plain one, with room for %i tokens (padded: %s)", async (capacity, padded) => {
    const rng = new Rng(3);
    const mixer = new AttentionMixer(config, new ParameterBuilder(rng));
    const x = tensor(
      Float32Array.from({ length: 2 * LENGTH * 6 }, () => rng.normal()),
      [2, LENGTH, 6],
    );
    const seqIdx = padded ? tensor(Int32Array.of(0, 0, 1, 1, 0, 0, 0, 0), [2, 4]) : undefined;
    const outputs = tidy(() => [...stepped(mixer, x, seqIdx, 4), ...stepped(mixer, x, seqIdx, 4, capacity)]);
    const values = await Promise.all(outputs.map((t) => readFloats(t)));
    const steps = LENGTH - 4;
    for (let t = 0; t < steps; t++)
      // The same sums in another order, and sines of a table instead of a product: some roundings.
      values[t]!.forEach((want, i) => expect(values[steps + t]![i]).toBeCloseTo(want, 5));
  });

  it("is captured, and again when its room is full: 100 tokens equal the whole; nothing leaks", async () => {
    const before = memory().tensors;
    const model = new Model(
      {
        dModel: 8,
        encoder: { kind: "embedding", vocabSize: 11 },
        layers: [
          { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4 },
          { kind: "attention", nHeads: 2, rotaryDim: 4 },
        ],
        head: { kind: "language", tie: true },
        norm: "rms",
      },
      3,
    );
    const ids = Int32Array.from({ length: 100 }, (_, i) => (i * i) % 11);
    const whole = tidy(() => model.forward(tensor(ids, [1, 100])).output.dataSync()) as Float32Array;
    const { state } = await prefill(model, [ids.slice(0, 50)]);
    const decoder = new Decoder(model, state, 1);
    const rooms = new Set<number>();
    for (let t = 50; t < 100; t++) {
      const logits = await decoder.next([ids[t]!]);
      rooms.add(decoder.state.capacity);
      logits.forEach((x, i) => expect(x).toBeCloseTo(whole[t * 11 + i]!, 5));
    }
    expect([...rooms]).toEqual([64, 128]);
    decoder.dispose();
    model.dispose();
    expect(memory().tensors).toBe(before);
  });
});

describe("attention over a window, while a text grows", () => {
  it("takes as many launches, bytes and places of a state as at its beginning, and looks at no more keys", async () => {
    await setBackend(cpuBackend());
    const model = new Model(
      {
        dModel: 8,
        encoder: { kind: "embedding", vocabSize: 16 },
        layers: [{ kind: "attention", nHeads: 2, rotaryDim: 4, window: 6, sinks: true }],
        head: { kind: "language" },
        norm: "rms",
      },
      3,
    );
    let captures = 0;
    const step = model.step.bind(model);
    model.step = (...args) => (captures++, step(...args));
    const session = new Session(model, { seed: 1 });
    await session.read([1, 2, 3]);
    const seen: string[] = [];
    for await (const _ of session.tokens({ maxNewTokens: 300, eosTokenIds: [] })) {
      const { state, launches } = session;
      seen.push(JSON.stringify([launches, state.bytes, state.capacity, captures, memory().tensors]));
    }
    expect(new Set(seen).size).toBe(1);
    for (const thing of [session, model]) thing.dispose();
  });
});
