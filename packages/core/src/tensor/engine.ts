import { engine as tfEngine } from "@tensorflow/tfjs-core";
import type { DataId, Tensor, TensorInfo } from "./types.ts";

/** A node of the tape: what ran, on what, and how to go back. `backward` is ours; tfjs's own gradient registry is not used. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  backward?: Backward;
  kept?: Tensor[];
}

/**
 * Gradients of a node's inputs from those of its outputs (`null` where an output does not reach the loss).
 * Called inside a tidy; inputs without an entry have no gradient.
 */
export type Backward = (dys: readonly (Tensor | null)[]) => Readonly<Record<string, Tensor>>;

interface EngineState {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
  kernelDepth: number;
  activeScope: unknown;
}

/** The part of the tfjs engine this project stands on; everything that touches its internals is behind this interface. */
export interface Engine {
  readonly state: EngineState;
  readonly backendName: string | null;
  readonly backend: unknown;
  readonly registry: Record<string, unknown>;
  readonly registryFactory: Record<string, unknown>;
  registerBackend(name: string, factory: () => unknown): boolean;
  removeBackend(name: string): void;
  setBackend(name: string): Promise<boolean>;
  runKernel(name: string, inputs: Record<string, unknown>, attrs: Record<string, unknown>): Tensor | Tensor[];
  makeTensor(values: unknown, shape: readonly number[], dtype: string): Tensor;
  makeTensorFromTensorInfo(info: TensorInfo): Tensor;
  tidy<T>(fn: () => T): T;
  keep(t: Tensor): Tensor;
  startTape(): void;
  endTape(): void;
  nextTensorId(): number;
  memory(): { numTensors: number; numBytes: number };
  read(dataId: DataId): Promise<Float32Array | Int32Array | Uint8Array>;
}

/** The one engine of this realm. */
export function engine(): Engine {
  return tfEngine() as unknown as Engine;
}

/** True while gradients are being recorded. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}
