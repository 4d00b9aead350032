import { OutOfMemoryError } from "@statespace/core";

/** Usage of every pooled buffer. */
const usage = 0x0004 | 0x0008 | 0x0080; // COPY_SRC | COPY_DST | STORAGE

/** Size class: at most an eighth is wasted, of large buffers a thirty-second. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes)) - (bytes > 1 << 24 ? 5 : 3)));
  return Math.ceil(bytes / step) * step;
}

/**
 * Storage buffers by size class. A buffer given back serves the next request of its class at once:
 * launches run in order, so a later launch never overtakes one that still reads the old content.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxBuffer: number;
  readonly #free: Map<number, GPUBuffer[]> = new Map();
  #held = 0;
  #inUse = 0;
  #bytesOut = 0;
  /** The most bytes that were handed out at once. */
  peakBytes = 0;

  constructor(device: GPUDevice, maxBuffer: number) {
    this.#device = device;
    this.#maxBuffer = maxBuffer;
  }

  /** Bytes held from the device, the free lists included. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Buffers handed out and not given back. */
  get inUse(): number {
    return this.#inUse;
  }

  /** @throws OutOfMemoryError for a buffer larger than the device can make; nothing changes then. */
  take(bytes: number): GPUBuffer {
    const wanted = sizeClass(bytes);
    const size = wanted > this.#maxBuffer ? Math.ceil(bytes / 4) * 4 : wanted;
    if (size > this.#maxBuffer) {
      throw new OutOfMemoryError(`webgpu: a buffer must have at most ${this.#maxBuffer} bytes on this device, got ${bytes}`);
    }
    const reused = this.#free.get(size)?.pop() ?? this.#larger(size);
    this.#inUse++;
    const buffer = reused ?? this.#device.createBuffer({ size, usage });
    if (!reused) this.#held += size;
    this.#bytesOut += buffer.size;
    this.peakBytes = Math.max(this.peakBytes, this.#bytesOut);
    return buffer;
  }

  /** The smallest free buffer at most a quarter too large: a training step's many sizes then share what is held. */
  #larger(size: number): GPUBuffer | undefined {
    let best: GPUBuffer[] | undefined;
    for (const [bytes, list] of this.#free) {
      if (list.length > 0 && bytes > size && bytes <= size * 1.25 && bytes < (best?.[0]?.size ?? Infinity)) best = list;
    }
    return best?.pop();
  }

  giveBack(buffer: GPUBuffer): void {
    this.#inUse--;
    this.#bytesOut -= buffer.size;
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }

  /** Destroys the free buffers (after an out-of-memory error, or on request). */
  trim(): GPUBuffer[] {
    const dropped: GPUBuffer[] = [];
    for (const list of this.#free.values()) dropped.push(...list);
    this.#free.clear();
    for (const buffer of dropped) {
      this.#held -= buffer.size;
      buffer.destroy();
    }
    return dropped;
  }
}
