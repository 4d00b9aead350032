import { elementsOf, type OpRecord, type Operand } from "./record.ts";

/** A `selectiveScanStep` at batch 1. */
export interface ScanStep {
  readonly u: Operand;
  readonly delta: Operand;
  readonly z: Operand | undefined;
  readonly B: Operand;
  readonly C: Operand;
  readonly state: Operand;
  readonly y: Operand;
  readonly A: Operand;
  readonly D: Operand | undefined;
  readonly deltaBias: Operand | undefined;
  readonly d: number;
  readonly n: number;
  readonly g: number;
  readonly softplus: boolean;
}

export function scanStepOf({ inputs, outputs, attrs }: OpRecord): ScanStep | undefined {
  const { u, delta, z, A, B, C, D, deltaBias, state } = inputs;
  const [y] = outputs;
  if (!u || !delta || !A || !B || !C || !state || !y) return undefined;
  const [b, d] = u.shape as [number, number];
  if (b !== 1) return undefined;
  const n = A.shape[1]!;
  const softplus = !!attrs.deltaSoftplus;
  return { u, delta, z, B, C, state, y, A, D, deltaBias, d, n, g: elementsOf(B) / n, softplus };
}

/** Where B and C of a step lie behind the first element of the projection that makes them, and a range that reaches over all of it. */
export interface StepRows {
  readonly B: number;
  readonly C: number;
  readonly whole: Operand;
}

export function stepRowsOf(projected: Operand, { B, C }: ScanStep): StepRows | undefined {
  if (B.buffer !== projected.buffer || C.buffer !== projected.buffer) return undefined;
  const [rowB, rowC] = [(B.offset - projected.offset) / 4, (C.offset - projected.offset) / 4];
  if (rowB < 0 || rowC < 0) return undefined;
  const end = Math.max(...[projected, B, C].map(({ offset, size }) => offset + size));
  // Whole vec4s of it are read.
  const size = Math.min(Math.ceil((end - projected.offset) / 16) * 16, projected.buffer.size - projected.offset);
  return { B: rowB, C: rowC, whole: { ...projected, size } };
}
