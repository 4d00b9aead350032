import type { KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** The arrays of a scan, whole-sequence or one step, and where a channel's row of B and C lies. */
export interface ScanArrays {
  readonly u: Float32Array;
  readonly delta: Float32Array;
  readonly A: Float32Array;
  readonly B: Float32Array;
  readonly C: Float32Array;
  readonly D: Float32Array | undefined;
  readonly z: Float32Array | undefined;
  readonly deltaBias: Float32Array | undefined;
  readonly initialState: Float32Array | undefined;
  readonly seqIdx: Int32Array | undefined;
  /** First element of B and C for a token and a channel: its group's row. */
  bcOffset(token: number, channel: number): number;
}

export function scanArrays(backend: CpuBackend, inputs: KernelInputs): ScanArrays {
  const floats = (name: string): Float32Array | undefined => (inputs[name] ? backend.floats(inputs[name]) : undefined);
  const d = inputs.u!.shape.at(-1)!;
  const n = inputs.A!.shape[1]!;
  const grouped = inputs.B!.shape.length === inputs.u!.shape.length + 1;
  const groups = grouped ? inputs.B!.shape.at(-2)! : 1;
  return {
    u: floats("u")!,
    delta: floats("delta")!,
    A: floats("A")!,
    B: floats("B")!,
    C: floats("C")!,
    D: floats("D"),
    z: floats("z"),
    deltaBias: floats("deltaBias"),
    initialState: floats("initialState"),
    seqIdx: inputs.seqIdx ? backend.ints(inputs.seqIdx) : undefined,
    bcOffset: (token, channel) => (token * groups + Math.floor((channel * groups) / d)) * n,
  };
}
