import type { OrtModule, OrtSession, OrtTensor } from "./onnxPackages.ts";

/** Token ids of some rows, of which the first tokens are read at once and the rest one by one. */
export interface Reading {
  readonly ids: Int32Array;
  readonly batch: number;
  readonly prompt: number;
}

/**
 * Logits [b, l, v] of all tokens; the states of each run are given to the next. A page is given the text of this function, so it names nothing from outside.
 */
export async function runReading(
  ort: Pick<OrtModule, "Tensor">,
  session: OrtSession,
  { ids, batch, prompt }: Reading,
): Promise<Float32Array> {
  const length = ids.length / batch;
  const states: Record<string, OrtTensor> = {};
  for (const { name: input, shape } of session.inputMetadata) {
    if (input === "ids") continue;
    const sizes = shape.map((axis) => (axis === "batch" ? batch : axis === "past" ? 0 : Number(axis)));
    states[input] = new ort.Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b, 1)), sizes);
  }
  let all: Float32Array | undefined;
  for (let from = 0, to = prompt; from < length; from = to, to++) {
    const rows = Array.from({ length: batch }, (_, row) => [...ids.subarray(row * length + from, row * length + to)]);
    const part = new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [batch, to - from]);
    const found = await session.run({ ids: part, ...states });
    for (const input of Object.keys(states)) states[input] = found[input.replace("state.", "state_out.")]!;
    const data = found["logits"]!.data as Float32Array;
    const width = data.length / (batch * (to - from));
    all ??= new Float32Array(batch * length * width);
    const size = (to - from) * width;
    for (let row = 0; row < batch; row++)
      all.set(data.subarray(row * size, (row + 1) * size), (row * length + from) * width);
  }
  return all!;
}
