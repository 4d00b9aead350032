import { fromFloat32Array, saveCheckpoint, type FloatStorage, type LazyTensor } from "@statespace/files";
import { familyConfig, familyNamed, Model, parseModelConfig, publishedTensors } from "@statespace/models";

/** Width and depth of a Mamba. */
export interface RandomShape {
  readonly hidden: number;
  readonly layers: number;
  readonly vocabulary: number;
}

/** The published shape whose number of weights is nearest. */
export function publishedShape(parameters: number): RandomShape {
  const shapes: [number, number, number][] = [
    [130e6, 768, 24],
    [370e6, 1024, 48],
    [790e6, 1536, 48],
    [1.4e9, 2048, 48],
    [2.8e9, 2560, 64],
  ];
  const [, hidden, layers] = shapes.reduce((a, b) =>
    Math.abs(Math.log(b[0] / parameters)) < Math.abs(Math.log(a[0] / parameters)) ? b : a,
  );
  return { hidden, layers, vocabulary: 50280 };
}

/** Writes a Mamba with random weights as Hugging Face does, one tensor at a time; needs no backend. */
export function writeRandomCheckpoint(
  folder: string,
  { hidden, layers, vocabulary }: RandomShape,
  dtype: FloatStorage = "F32",
): Promise<void> {
  const shape = { hidden_size: hidden, num_hidden_layers: layers, vocab_size: vocabulary };
  return writeRandomModel(folder, { model_type: "mamba", ...shape }, dtype);
}

/** The same of any family, by what its config.json says. */
export async function writeRandomModel(
  folder: string,
  shape: Readonly<Record<string, unknown>>,
  dtype: FloatStorage = "F32",
): Promise<void> {
  const config = parseModelConfig(shape);
  const family = config.family!;
  const model = new Model(config, "empty");
  const draw = generator(1);
  const tensors = new Map<string, LazyTensor>();
  for (const { key, shape } of publishedTensors(model, familyNamed(family).weights)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const read = async (): Promise<Uint8Array> => {
      const values = new Float32Array(size);
      for (let i = 0; i < size; i++) values[i] = draw();
      return fromFloat32Array(values, dtype);
    };
    tensors.set(key, { dtype, shape, read });
  }
  await saveCheckpoint(folder, { config: familyConfig(config, family, dtype), tensors });
}

/** Numbers in ±0.04, all different for 2^32 calls. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state * (0.04 / 2 ** 31);
  };
}
