import { GPUBufferUsage, GPUMapMode } from "./flags.ts";

/** Device time of one kernel, summed over its dispatches. */
export interface KernelTime {
  readonly label: string;
  readonly calls: number;
  readonly ms: number;
}

const capacity = 4096;

/** What gets timestamps: nothing, every dispatch (each in a pass of its own), or the passes as they are. */
export type ProfileMode = "off" | "dispatches" | "passes";

/** When a pass ran on the device, in milliseconds. */
export interface PassTime {
  readonly label: string;
  readonly begin: number;
  readonly end: number;
}

/** Times compute passes by timestamp queries. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #labels: string[] = [];
  mode: ProfileMode = "off";

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: capacity });
    this.#resolved = device.createBuffer({
      size: capacity * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Timestamps for the next pass; undefined when off or full. */
  begin(label: string): GPUComputePassTimestampWrites | undefined {
    if (this.mode === "off" || this.#labels.length * 2 >= capacity) return undefined;
    const index = this.#labels.push(label) - 1;
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
  }

  /** Each pass since the last call, in order. Call after a flush. */
  async collect(): Promise<PassTime[]> {
    const labels = this.#labels.splice(0);
    if (labels.length === 0) return [];
    const size = labels.length * 16;
    const staging = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.#device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 2 * labels.length, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const ticks = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.destroy();
    // Differences first: a tick count of nanoseconds is larger than a double holds exactly.
    const ms = (tick: bigint): number => Number(tick - ticks[0]!) / 1e6;
    return labels.map((label, i) => ({ label, begin: ms(ticks[2 * i]!), end: ms(ticks[2 * i + 1]!) }));
  }
}

/** Sums a profile by kernel, the dearest first. */
export function summarise(times: readonly PassTime[]): KernelTime[] {
  const byLabel = new Map<string, { calls: number; ms: number }>();
  for (const { label, begin, end } of times) {
    const entry = byLabel.get(label) ?? { calls: 0, ms: 0 };
    entry.calls++;
    entry.ms += end - begin;
    byLabel.set(label, entry);
  }
  return [...byLabel].map(([label, { calls, ms }]) => ({ label, calls, ms })).sort((a, b) => b.ms - a.ms);
}
