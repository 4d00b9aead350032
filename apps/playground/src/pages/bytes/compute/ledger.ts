/**
 * What moves between the large memory and the fast one while a selective scan runs: a list of kernels, each with the tensors it has to fetch and to store.
 * l tokens, d channels, n states a channel; float32.
 */
export interface Sizes {
  readonly l: number;
  readonly d: number;
  readonly n: number;
}

export interface Settings extends Sizes {
  /** Discretization, scan and read-out in one kernel. */
  readonly fused: boolean;
  /** Forward and backward, in place of forward alone. */
  readonly training: boolean;
  /** The states are computed again on the way back, in place of being kept. */
  readonly recompute: boolean;
}

/** Tensors by what they are; those of three axes are the large ones. */
export type TensorName =
  | "u"
  | "delta"
  | "A"
  | "B"
  | "C"
  | "y"
  | "ABar"
  | "Bu"
  | "x"
  | "corners"
  | "dy"
  | "g"
  | "du"
  | "ddelta"
  | "dA"
  | "dB"
  | "dC";

export type KernelName = "discretize" | "scan" | "readOut" | "forward" | "reverse" | "gradients" | "backward";

export interface Kernel {
  readonly name: KernelName;
  readonly reads: readonly TensorName[];
  readonly writes: readonly TensorName[];
  /** Run once more, to have again what was not kept. */
  readonly again?: boolean;
}

/** Tokens between two kept states where the others are recomputed. */
export const CHUNK = 64;

/** Numbers of a tensor. */
export function countOf(tensor: TensorName, { l, d, n }: Sizes): number {
  switch (tensor) {
    case "A":
    case "dA":
      return d * n;
    case "B":
    case "C":
    case "dB":
    case "dC":
      return l * n;
    case "ABar":
    case "Bu":
    case "x":
    case "g":
      return l * d * n;
    case "corners":
      return Math.ceil(l / CHUNK) * d * n;
    default:
      return l * d;
  }
}

export const bytesOf = (tensor: TensorName, sizes: Sizes): number => 4 * countOf(tensor, sizes);

const INPUTS = ["u", "delta", "A", "B"] as const;
const GRADIENTS = ["du", "ddelta", "dA", "dB", "dC"] as const;

/** The kernels of one pass, in order. */
export function kernelsOf({
  fused,
  training,
  recompute,
}: Pick<Settings, "fused" | "training" | "recompute">): Kernel[] {
  if (fused) {
    const kept: TensorName[] = training ? [recompute ? "corners" : "x"] : [];
    const forward: Kernel = { name: "forward", reads: [...INPUTS, "C"], writes: ["y", ...kept] };
    if (!training) return [forward];
    return [forward, { name: "backward", reads: [...INPUTS, "C", "dy", ...kept], writes: GRADIENTS }];
  }
  const discretize: Kernel = { name: "discretize", reads: INPUTS, writes: ["ABar", "Bu"] };
  const scan: Kernel = { name: "scan", reads: ["ABar", "Bu"], writes: ["x"] };
  const forward: Kernel[] = [discretize, scan, { name: "readOut", reads: ["x", "C"], writes: ["y"] }];
  if (!training) return forward;
  return [
    ...forward,
    ...(recompute ? [discretize, scan].map((kernel) => ({ ...kernel, again: true })) : []),
    { name: "reverse", reads: ["dy", "C", "ABar"], writes: ["g"] },
    { name: "gradients", reads: ["g", "x", "ABar", "dy", ...INPUTS], writes: GRADIENTS },
  ];
}

export const bytesMoved = (kernel: Kernel, sizes: Sizes): number =>
  [...kernel.reads, ...kernel.writes].reduce((sum, tensor) => sum + bytesOf(tensor, sizes), 0);

/** Bytes that all kernels of a pass move. */
export const totalBytes = (settings: Settings): number =>
  kernelsOf(settings).reduce((sum, kernel) => sum + bytesMoved(kernel, settings), 0);

/** Bytes that lie waiting between the forward and the backward pass, inputs and output left out. */
export function keptBytes(settings: Settings): number {
  const { fused, training, recompute } = settings;
  if (!training) return 0;
  if (fused) return bytesOf(recompute ? "corners" : "x", settings);
  return recompute ? 0 : bytesOf("x", settings) + bytesOf("ABar", settings);
}
