import { DeviceLostError } from "@statespace/core";
import type { KernelNumber } from "../kernels.gen.ts";
import type { Flavour } from "./binary.ts";
import type { Heap } from "./heap.ts";
import type { Pool } from "./pool.ts";

/** Told why the workers are gone; gives what every call throws from then on. */
export type LossListener = (reason: string) => DeviceLostError;

/** Of workers that are gone before a backend has taken them. */
export const unheardLoss: LossListener = (reason) => new DeviceLostError(`wasm: the device is gone (${reason})`);

/** Whatever holds the memory and runs the commands of a backend: on the calling thread (`Machine`) or in a worker (`RemoteMachine`). */
export interface Executor {
  readonly flavour: Flavour;
  /** Threads that compute. */
  readonly threads: number;
  /** Addresses are given out on the calling thread, wherever the memory lies. */
  readonly heap: Heap;
  readonly pool: Pool;
  onLost: LossListener;
  /** Runs one kernel, in order. `parallel`: on all threads. */
  run(kernel: KernelNumber, args: readonly number[], parallel: boolean): void;
  /** Runs a list of commands that lies in memory, in order. @throws DeviceLostError once a worker is gone. */
  runList(list: number, count: number, parallel: boolean): void;
  /** Copies bytes into memory, in order; the source may be reused at once. */
  write(at: number, source: Uint8Array): void;
  /** Copies bytes out of memory, after everything so far. */
  read(at: number, bytes: number): Promise<Uint8Array>;
  /** As `read`, at once; absent where that would block. */
  readNow?(at: number, bytes: number): Uint8Array;
  close(): void;
}
