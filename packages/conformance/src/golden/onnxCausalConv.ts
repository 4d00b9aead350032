import { causalConv1d, reshape, tidy, transpose, type Tensor } from "@statespace/core";
import type { GoldenCase } from "./goldenCase.ts";
import { inputArrays, toTensor } from "./inputs.ts";
import { nodeRow } from "./onnxNode.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

/** Golden group `onnx-causal-conv-with-state`: ONNX's node tests of CausalConvWithState, channels before tokens, on `causalConv1d`. */
export async function compareOnnxCausalConv(golden: GoldenCase): Promise<GoldenRow[]> {
  const inputs = inputArrays(golden);
  const at = (name: string): Tensor | undefined => inputs[name] && toTensor(inputs[name]);
  const turned = (x: Tensor): Tensor => transpose(x, [0, 2, 1]);
  const { activation = "none" } = golden.attrs as { activation?: string };
  const { output, state } = tidy(() => {
    const [channels, , taps] = inputs["weight"]!.shape as [number, number, number];
    const [bias, past] = [at("bias"), at("past_state")];
    const { y, lastState } = causalConv1d(
      {
        x: turned(at("input")!),
        weight: reshape(at("weight")!, [channels, taps]),
        ...(bias === undefined ? {} : { bias }),
        ...(past === undefined ? {} : { initialState: turned(past) }),
      },
      { silu: activation !== "none", returnLastState: true },
    );
    return { output: turned(y), state: turned(lastState!) };
  });
  return [nodeRow(golden, "output", await take(output)), nodeRow(golden, "present_state", await take(state))];
}
