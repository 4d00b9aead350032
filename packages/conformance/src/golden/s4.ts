import { FormatError, reshape, stack, tidy, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { s4FromStateDict, type S4Mixer, type S4StateDictOptions } from "@statespace/models";
import type { GoldenCase } from "./goldenCase.ts";
import { expectedOf, inputArrays, largest, toTensor, U32 } from "./inputs.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";
import { woodburyCancellation } from "./s4Cancellation.ts";

/** Golden group `s4`: an official S4Block's filter, its output as a convolution, and its output step by step (both steps where there are two). */
export async function compareS4(golden: GoldenCase): Promise<GoldenRow[]> {
  const { x } = inputArrays(golden);
  const [b, l, h] = x!.shape as [number, number, number];
  const u = toTensor(x!);
  const dplr = golden.attrs["mode"] === "dplr";
  const rows: GoldenRow[] = [];
  const modes = dplr ? (["dense", "linear"] as const) : (["linear"] as const);
  for (const stepMode of modes) {
    const block = loadBlock(golden, stepMode);
    try {
      if (stepMode === modes[0]) {
        rows.push(row(golden, "K", await take(tidy(() => block.kernel.filter(l))), l));
        rows.push(row(golden, "y", await take(block.forward(u).y), l));
      }
      rows.push({
        ...row(golden, "yStep", await take(stepThrough(block, u, [b, l, h])), l),
        tensor: modes.length === 1 ? "yStep" : `yStep.${stepMode}`,
      });
    } finally {
      block.dispose();
      for (const parameter of block.parameters) parameter.dispose();
    }
  }
  u.dispose();
  return rows;
}

function loadBlock({ attrs, tensors }: GoldenCase, stepMode: "dense" | "linear"): S4Mixer {
  const names = Object.keys(tensors).filter((name) => name.startsWith("param."));
  const weights = new Map(
    names.map((name) => [name.slice("param.".length), { shape: tensors[name]!.shape, values: tensors[name]!.data }]),
  );
  const disc = attrs["disc"];
  if (disc !== undefined && disc !== "bilinear" && disc !== "zoh" && disc !== "dss")
    throw new FormatError(`s4: unknown disc ${String(disc)}`);
  const options: S4StateDictOptions = { stepMode, ...(disc === undefined ? {} : { discretization: disc }) };
  return s4FromStateDict(weights, options);
}

function stepThrough(block: S4Mixer, u: Tensor, [b, l, h]: readonly [number, number, number]): Tensor {
  return tidy(() => {
    const state = block.initialState(b);
    const tokens = Array.from({ length: l }, (_, t) => t);
    const outputs = tokens.map((t) => tidy(() => block.step(reshape(sliceAxis(u, 1, t, 1), [b, h]), state)));
    return stack(outputs, 1);
  });
}

/**
 * The official code computed in float32 throughout, so that its own values err as ours do: by the phase of every tap, which adds a
 * rounding of A's for each radian, and by the sums over n states; in convolution mode dplr also by what Woodbury's correction cancels.
 */
function row(golden: GoldenCase, name: "K" | "y" | "yStep", actual: Float64Array, l: number): GoldenRow {
  const expected = expectedOf(golden, `out.${name}`);
  const cancelled = golden.attrs["mode"] === "dplr" && name !== "yStep" ? woodburyCancellation(golden, l) : 0;
  const roundings = 64 + 8 * l + 4 * cancelled;
  return {
    tensor: name,
    actual,
    expected,
    bound: roundings * U32 * largest(expected),
    reason: `64 + 8 l${cancelled > 0 ? ` + 4 x ${cancelled.toFixed(1)} (how far Woodbury's terms exceed their difference)` : ""} roundings of the largest entry, in the official float32 values and in ours: a tap's phase rounds once for each radian`,
  };
}
