/** Device time of one kernel, summed over its dispatches. */
export interface KernelTime {
  readonly label: string;
  readonly calls: number;
  readonly ms: number;
}

const capacity = 4096;

/**
 * Times every dispatch by timestamp queries while active. Each dispatch then gets its own pass,
 * so gaps between passes are not counted; for wall time, leave it off.
 */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #labels: string[] = [];
  #resolvedUpTo = 0;
  active = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: capacity });
    this.#resolved = device.createBuffer({ size: capacity * 8, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  }

  /** Timestamps for the next pass; undefined when inactive or full. */
  begin(label: string): GPUComputePassTimestampWrites | undefined {
    if (!this.active || this.#labels.length * 2 >= capacity) return undefined;
    const index = this.#labels.push(label) - 1;
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    const count = this.#labels.length;
    if (count === this.#resolvedUpTo) return;
    // Resolve offsets must be multiples of 256 bytes = 32 queries, so each time everything from 0 is resolved.
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, this.#resolved, 0);
    this.#resolvedUpTo = count;
  }

  /** Each dispatch since the last call, in order, in milliseconds. Call after a flush. */
  async collect(): Promise<{ label: string; ms: number }[]> {
    const labels = this.#labels.splice(0);
    this.#resolvedUpTo = 0;
    if (labels.length === 0) return [];
    const size = labels.length * 16;
    const staging = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const ticks = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return labels.map((label, i) => ({ label, ms: Number(ticks[2 * i + 1]! - ticks[2 * i]!) / 1e6 }));
  }
}

/** Sums a profile by kernel, the dearest first. */
export function summarise(times: readonly { label: string; ms: number }[]): KernelTime[] {
  const byLabel = new Map<string, { calls: number; ms: number }>();
  for (const { label, ms } of times) {
    const entry = byLabel.get(label) ?? { calls: 0, ms: 0 };
    entry.calls++;
    entry.ms += ms;
    byLabel.set(label, entry);
  }
  return [...byLabel].map(([label, { calls, ms }]) => ({ label, calls, ms })).sort((a, b) => b.ms - a.ms);
}
