import { OutOfMemoryError } from "@statespace/core";

/** Usage of every pooled buffer. */
const usage = 0x0004 | 0x0008 | 0x0080; // COPY_SRC | COPY_DST | STORAGE

/** Size class: at most an eighth is wasted, of large buffers a thirty-second. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes)) - (bytes > 1 << 24 ? 5 : 3)));
  return Math.ceil(bytes / step) * step;
}

/** What the pool has to tell. */
export interface PoolEvents {
  /** Free buffers are about to be destroyed: commands that use them must have been submitted. */
  beforeDrop(): void;
  /** The device had no memory for a buffer. */
  outOfMemory(message: string): void;
}

/** Free buffers may be so much larger than what is asked for: a training step's many sizes then share what is held. */
const largestFit = 2;
/** What is held stays within this of the most that was in use at once: the less, the more a training step makes and drops. */
const slack = 1.05;
const spareBytes = 1 << 27;

/**
 * Storage buffers by size class. A buffer given back serves the next request of its class at once:
 * launches run in order, so a later launch never overtakes one that still reads the old content. The oldest free one goes first, so that
 * work that is done again finds the same buffers, and the bind groups made of them.
 * Free ones that no request fits are destroyed, the largest first, before the pool grows past what was ever needed at once.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxBuffer: number;
  readonly #events: PoolEvents;
  readonly #free: Map<number, GPUBuffer[]> = new Map();
  readonly #failed: WeakSet<GPUBuffer> = new WeakSet();
  /** When each was made. */
  readonly #ages: WeakMap<GPUBuffer, number> = new WeakMap();
  #made = 0;
  #held = 0;
  #inUse = 0;
  #bytesOut = 0;
  /** The most bytes that were handed out at once. */
  peakBytes = 0;
  /** The most bytes that were held at once. */
  peakHeldBytes = 0;

  constructor(device: GPUDevice, maxBuffer: number, events: PoolEvents) {
    this.#device = device;
    this.#maxBuffer = maxBuffer;
    this.#events = events;
  }

  /** Bytes held from the device, the free lists included. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Buffers handed out and not given back. */
  get inUse(): number {
    return this.#inUse;
  }

  /**
   * @throws OutOfMemoryError for a buffer larger than the device can make; nothing changes then.
   * That the device has no memory left is known only later: `outOfMemory` tells, and the buffer is not used again.
   */
  take(bytes: number): GPUBuffer {
    const wanted = sizeClass(bytes);
    const size = wanted > this.#maxBuffer ? Math.ceil(bytes / 4) * 4 : wanted;
    if (size > this.#maxBuffer) {
      throw new OutOfMemoryError(
        `webgpu: a buffer must have at most ${this.#maxBuffer} bytes on this device, got ${bytes}`,
      );
    }
    const buffer = this.#free.get(size)?.pop() ?? this.#larger(size) ?? this.#create(size);
    this.#inUse++;
    this.#bytesOut += buffer.size;
    this.peakBytes = Math.max(this.peakBytes, this.#bytesOut);
    return buffer;
  }

  /** The smallest free buffer that is not too large. */
  #larger(size: number): GPUBuffer | undefined {
    let best: GPUBuffer[] | undefined;
    for (const [bytes, list] of this.#free) {
      if (list.length > 0 && bytes > size && bytes <= size * largestFit && bytes < (best?.[0]?.size ?? Infinity))
        best = list;
    }
    return best?.pop();
  }

  #create(size: number): GPUBuffer {
    const needed = Math.max(this.peakBytes, this.#bytesOut + size);
    this.#dropDownTo(needed * slack + spareBytes - size);
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer({ size, usage });
    this.#device.popErrorScope().then(
      (error) => error && this.#fail(buffer, error.message),
      () => {},
    );
    this.#ages.set(buffer, this.#made++);
    this.#held += size;
    this.peakHeldBytes = Math.max(this.peakHeldBytes, this.#held);
    return buffer;
  }

  /** A buffer that the device had no memory for: never pooled, and what lies idle is given up for the next. */
  #fail(buffer: GPUBuffer, message: string): void {
    this.#failed.add(buffer);
    const list = this.#free.get(buffer.size);
    if (list?.includes(buffer)) list.splice(list.indexOf(buffer), 1);
    this.#held -= buffer.size;
    this.trim();
    this.#events.outOfMemory(message);
  }

  giveBack(buffer: GPUBuffer): void {
    this.#inUse--;
    this.#bytesOut -= buffer.size;
    if (this.#failed.has(buffer)) return;
    const list = this.#free.get(buffer.size);
    if (list) list.splice(this.#placeIn(list, buffer), 0, buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Where a buffer belongs in a free list, whose oldest is its last. */
  #placeIn(list: readonly GPUBuffer[], buffer: GPUBuffer): number {
    const age = this.#ages.get(buffer)!;
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ages.get(list[middle]!)! > age) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropDownTo(bytes: number): void {
    if (this.#held <= bytes) return;
    this.#events.beforeDrop();
    const sizes = [...this.#free.keys()].sort((a, b) => b - a);
    for (const size of sizes) {
      const list = this.#free.get(size)!;
      while (list.length > 0 && this.#held > bytes) {
        list.pop()!.destroy();
        this.#held -= size;
      }
      if (list.length === 0) this.#free.delete(size);
    }
  }

  /** Destroys the free buffers. */
  trim(): void {
    this.#dropDownTo(0);
  }
}
