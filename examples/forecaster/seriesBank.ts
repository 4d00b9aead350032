import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Rng } from "@statespace/core";
import { randomSeries } from "@statespace/datasets";

interface Order {
  readonly seriesBank: true;
  readonly seed: number;
  readonly count: number;
  readonly length: number;
}

/** Very many generated series, each [length], drawn on all cores; the same ones for the same seed on any number of them. */
export async function seriesBank(seed: number, count: number, length: number): Promise<Float32Array[]> {
  const parts = 64;
  const each = Math.ceil(count / parts);
  const out = Array.from<Float32Array[]>({ length: parts });
  let next = 0;
  const work = async (): Promise<void> => {
    for (let part = next++; part < parts; part = next++)
      out[part] = await drawnElsewhere({ seriesBank: true, seed: seed * parts + part, count: each, length });
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return out.flat();
}

function drawnElsewhere(order: Order): Promise<Float32Array[]> {
  return new Promise((done, failed) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: order });
    worker.on("message", done);
    worker.on("error", failed);
  });
}

function isOrder(data: unknown): data is Order {
  return typeof data === "object" && data !== null && "seriesBank" in data;
}

/** In a worker that was told to draw. */
export const isDrawing: boolean = !isMainThread && isOrder(workerData);

if (isDrawing) {
  const { seed, count, length } = workerData as Order;
  const rng = new Rng(seed);
  const series = Array.from({ length: count }, () => Float32Array.from(ofOne(randomSeries(rng, { length }))));
  parentPort?.postMessage(series);
}

/** Of mean 0 and deviation 1, so that several can be added. */
function ofOne(series: Float64Array): Float64Array {
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  const deviation = Math.sqrt(series.reduce((sum, value) => sum + (value - mean) ** 2, 0) / series.length) + 1e-9;
  return series.map((value) => (value - mean) / deviation);
}
