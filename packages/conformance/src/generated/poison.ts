import { readFloats } from "@statespace/core";
import type { NdArrays } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";
import { dtypeOf, referenceOf, runCase, upload, type OpCase } from "../cases/opCase.ts";
import { Dice } from "./dice.ts";

/** Ops that choose: what they choose among numbers and one that is none is not told. */
const CHOOSING = new Set(["argMax", "topK", "cast", "toHalves", "sampleToken", "max", "min"]);

/** A case's inputs with one float that is no number; undefined where there is none to be had. */
export function poisoned(c: OpCase, seed: number): { inputs: NdArrays; where: string } | undefined {
  const name: string = c.op.spec.name;
  if (CHOOSING.has(name)) return undefined;
  const dice = new Dice(seed);
  const inputs = c.make(dice);
  const floats = Object.keys(inputs).filter(
    (input) => dtypeOf(c, input) === "float32" && inputs[input]!.data.length > 0 && input !== "visible",
  );
  if (floats.length === 0) return undefined;
  const input = dice.choice(floats);
  const { shape, data } = inputs[input]!;
  const at = dice.whole(data.length);
  return { inputs: { ...inputs, [input]: ndarray(shape, data.with(at, Number.NaN)) }, where: `${input}[${at}]` };
}

/** Where NaN may be beside where the definition has it: a transform spreads it over the row and channel it is in. */
function spread(name: string, { shape, data }: NdArray): (i: number) => boolean {
  if (name !== "fftConv") return (i) => Number.isNaN(data[i]!);
  const [, l, d] = shape as [number, number, number];
  const lines = new Set<number>();
  const lineOf = (i: number): number => Math.floor(i / (l * d)) * d + (i % d);
  data.forEach((value, i) => Number.isNaN(value) && lines.add(lineOf(i)));
  return (i) => lines.has(lineOf(i));
}

/** Whether NaN is where the definition has it: what one row or token holds is no other's, and what is lost is told. Undefined if so. */
export async function whyNotContained(c: OpCase, seed: number): Promise<string | undefined> {
  const poison = poisoned(c, seed);
  if (poison === undefined) return undefined;
  const expected = referenceOf(c, poison.inputs);
  const tensors = upload(c, poison.inputs);
  const outputs = runCase(c, tensors);
  const inPlace = ((c.op.spec.inPlace ?? []) as string[]).filter((name) => tensors[name]);
  let [kept, known] = [0, 0];
  const leaks: string[] = [];
  for (const [name, t] of [...Object.entries(outputs), ...inPlace.map((name) => [name, tensors[name]!] as const)]) {
    const want = expected[name]!;
    const may = spread(c.op.spec.name, want);
    const got = await readFloats(t);
    for (let i = 0; i < got.length; i++) {
      if (Number.isNaN(want.data[i]!)) known++;
      if (!Number.isNaN(got[i]!)) continue;
      kept++;
      if (!may(i)) leaks.push(`${name}[${i}]`);
    }
  }
  for (const t of new Set([...Object.values(outputs), ...Object.values(tensors)])) t.dispose();
  if (leaks.length > 0)
    return `NaN in ${poison.where} is also in ${leaks.slice(0, 3).join(", ")}${leaks.length > 3 ? ` and ${leaks.length - 3} more` : ""}`;
  // Imaginary parts that do not count, taps beyond the sequence, and decays of a state that is forgotten may be anything.
  const unread = ["inverseRealFft", "causalConv1d"].includes(c.op.spec.name as string) || "seqIdx" in poison.inputs;
  return known > 0 && kept === 0 && !unread ? `NaN in ${poison.where} is lost` : undefined;
}
