import { gelu, linear, readFloats, reshape, tensor, tidy, type Tensor } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { sliceAxis } from "@statespace/core/ops";
import { AttentionMixer, type ResidualBlock } from "@statespace/models";
import type { AblatedMixer } from "./ablatedMixer.ts";
import { throughAttention, type AttentionNumbers } from "./attentionReading.ts";
import {
  readScore,
  rmsFactor,
  splitEmbedding,
  throughBlock,
  writtenOf,
  type BlockNumbers,
  type ScanNumbers,
  type SplitStream,
} from "./reading.ts";
import { bestOf, type Trainer } from "./trainer.ts";

/** What one layer's scan was fed along a sequence. */
export interface LayerView {
  readonly d: number;
  readonly n: number;
  readonly delta: ArrayLike<number>; // [l, d]
  readonly B: ArrayLike<number>; // [l, n]
  readonly C: ArrayLike<number>; // [l, n]
  /** Norm of what each token wrote into the state. */
  readonly written: Float64Array; // [l]
}

export interface Answer {
  readonly token: number;
  readonly probability: number;
  /** The answer's score above the mean score of all letters. */
  readonly score: number;
  /** The same, split by the place the question marks read it from, in all layers; they sum to the score, with what came from none. Absent where no layer selects. */
  readonly parts?: Float64Array; // [l + 1]
}

export interface Inspection {
  readonly layers: readonly LayerView[];
  /** What each token looks at in each layer of attention, the mean over its heads, [l, l]. */
  readonly maps: readonly Float32Array[];
  /** The model's answer at each step of the question. */
  readonly answers: readonly Answer[];
}

/** Runs one sequence and tells what each layer selected, what the model answered, and from which places each answer was read. */
export async function inspect(trainer: Trainer, ids: Int32Array): Promise<Inspection> {
  const { model, vocabSize } = trainer;
  const { nTokens, seqLen, letters } = trainer.settings;
  for (const mixer of model.mixers) mixer.recording = true;
  const input = tensor(ids, [1, ids.length], { backend: model.backend });
  let traced: Tensor[];
  try {
    traced = model.trace(input);
  } finally {
    for (const mixer of model.mixers) mixer.recording = false;
    input.dispose();
  }
  const [logits, ...streams] = await Promise.all(traced.map(readFloats));
  const scans: ScanNumbers[] = [];
  for (const mixer of model.mixers) scans.push(await takeScan(mixer, ids.length));
  const attends = model.blocks.every(({ mixers: [mixer] }) => mixer instanceof AttentionMixer);
  const answers = Array.from({ length: nTokens }, (_, i) => answerAt(logits!, seqLen + i, vocabSize, letters));
  const maps: Float32Array[] = [];
  let read: readonly Answer[] = answers;
  if (attends || scans.length === model.blocks.length) {
    let split: SplitStream = splitEmbedding(streams[0]!, ids.length, answers.length, model.config.dModel);
    for (const [i, block] of model.blocks.entries())
      if (attends) {
        const numbers = await attentionOf(block, traced[i + 1]!, streams[i]!);
        split = throughAttention(split, numbers);
        maps.push(meanOf(numbers.map, numbers.h));
      } else {
        const numbers = await numbersOf(block, scans[i]!, answers.length, traced[i + 1]!, streams[i]!);
        split = await throughBlock(split, numbers);
      }
    read = await readAnswers(trainer, split, streams.at(-1)!, answers);
  }
  for (const t of traced) t.dispose();
  return { layers: scans.map(viewOf), maps, answers: read };
}

/** The mean over heads. */
function meanOf(map: ArrayLike<number>, heads: number): Float32Array {
  const size = map.length / heads;
  return Float32Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += map[head * size + i]! / heads;
    return sum;
  });
}

const viewOf = (scan: ScanNumbers): LayerView => ({
  d: scan.d,
  n: scan.n,
  delta: scan.delta,
  B: scan.B,
  C: scan.C,
  written: writtenOf(scan),
});

async function takeScan(mixer: AblatedMixer, l: number): Promise<ScanNumbers> {
  const { u, delta, B, C } = mixer.recorded!;
  const numbers = {
    l,
    d: delta.shape[2]!,
    n: B.shape[2]!,
    u: await readFloats(u),
    delta: await readFloats(delta),
    A: await readFloats(mixer.A),
    B: await readFloats(B),
    C: await readFloats(C),
  };
  for (const t of [u, delta, B, C]) t.dispose();
  mixer.recorded = undefined;
  return numbers;
}

/** Splits each answer's score by the stream that was split through every block. @param last the stream after the last one, [l, m] */
async function readAnswers(
  { model, settings }: Trainer,
  split: SplitStream,
  last: Float32Array,
  answers: readonly Answer[],
): Promise<Answer[]> {
  const { m } = split;
  const [head, normWeight] = [await model.head.read(), await model.normF.weight.read()];
  return answers.map((answer, i) => {
    const at = settings.seqLen + i;
    const scale = rmsFactor(last, at, m);
    // what one unit of the stream is worth to the answer, above the mean of all letters
    const worth = Float64Array.from({ length: m }, (_, k) => {
      let mean = 0;
      for (let letter = 1; letter <= settings.letters; letter++) mean += head[letter * m + k]! / settings.letters;
      return scale * normWeight[k]! * (head[answer.token * m + k]! - mean);
    });
    return { ...answer, parts: readScore(split, i, worth) };
  });
}

async function attentionOf(block: ResidualBlock, stream: Tensor, before: Float32Array): Promise<AttentionNumbers> {
  const mixer = block.mixers[0] as AttentionMixer;
  const { dModel: m, nHeads: h, headDim: p } = mixer.config;
  const map = tidy(() => mixer.map(block.norm.apply(stream)));
  const inProj = await mixer.inProj.weight.read();
  const numbers = {
    m,
    h,
    p,
    normWeight: await block.norm.weight.read(),
    values: inProj.subarray(2 * h * p * m),
    outProj: await mixer.outProj.weight.read(),
    map: await readFloats(map),
    before,
  };
  map.dispose();
  return numbers;
}

async function numbersOf(
  block: ResidualBlock,
  scan: ScanNumbers,
  q: number,
  stream: Tensor,
  before: Float32Array,
): Promise<BlockNumbers> {
  const mixer = block.mixers[0] as AblatedMixer;
  const { l, d } = scan;
  const m = before.length / l;
  const z = tidy(
    () => linear({ x: block.norm.apply(stream), weight: sliceAxis(mixer.inProj.weight.value, 0, d, d) }).y,
  );
  const gates = (await readFloats(z)).subarray((l - q) * d);
  z.dispose();
  const inProj = await mixer.inProj.weight.read();
  return {
    scan,
    m,
    before,
    normWeight: await block.norm.weight.read(),
    inProj: inProj.subarray(0, d * m),
    convWeight: await mixer.convWeight.read(),
    convBias: (await mixer.convBias?.read()) ?? new Float32Array(d),
    D: await mixer.D.read(),
    outProj: await mixer.outProj.weight.read(),
    gate: async (y) =>
      mixer.selects.gate ? Float64Array.from(gates, (x) => x / (1 + Math.exp(-x))) : geluFactors(y, stream.backend),
  };
}

/** Without a gate the output passes a GELU, which multiplies it by a number of its own: gelu(y) / y. */
async function geluFactors(y: Float64Array, backend: AnyBackend): Promise<Float64Array> {
  const flat = tensor(Float32Array.from(y), [1, y.length], { backend });
  const activated = tidy(() => reshape(gelu(flat), [y.length]));
  const values = await readFloats(activated);
  flat.dispose();
  activated.dispose();
  return Float64Array.from(y, (x, i) => (Math.abs(x) < 1e-12 ? 0.5 : values[i]! / x));
}

function answerAt(logits: Float32Array, step: number, v: number, letters: number): Answer {
  const scores = logits.subarray(step * v, (step + 1) * v);
  const token = bestOf(scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - scores[token]!), 0);
  const mean = scores.subarray(1, letters + 1).reduce((sum, score) => sum + score / letters, 0);
  return { token, probability: 1 / total, score: scores[token]! - mean };
}
