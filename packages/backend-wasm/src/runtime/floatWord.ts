const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/** A float as the argument word a kernel reads it from. */
export function floatWord(value: number): number {
  float[0] = value;
  return word[0]!;
}
