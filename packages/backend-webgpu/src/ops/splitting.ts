import { OutOfMemoryError } from "@statespace/core";
import {
  cutOf,
  opTable,
  type Cut,
  type Kernel,
  type KernelAttrs,
  type KernelInputs,
  type KernelTable,
  type TensorInfo,
} from "@statespace/core/backend";
import type { WebGpuBackend } from "../backend.ts";
import { add } from "./binary/index.ts";
import { sizeOf } from "./shared/sizeOf.ts";

/*
 * A device binds at most so many bytes of a tensor to a shader (128 MiB unless it offers more). A kernel whose operands pass that is
 * run on parts along its leading axes, where its rows do not depend on one another; what cannot be cut is told before anything runs.
 */

/** Parts begin at multiples of so many rows where they can: any device binds there. */
const rowUnit = 64;

/** A kernel that reads some of its inputs, or all, without binding the whole of them, or binds them in parts of its own. */
export type CuttingKernel = Kernel<WebGpuBackend> & { readonly cutsItself?: readonly string[] | "all" };

/** Marks a kernel as one that never binds the whole of these inputs. */
export function cuttingItself(inputs: readonly string[] | "all", kernel: Kernel<WebGpuBackend>): CuttingKernel {
  const marked: Kernel<WebGpuBackend> = (backend, given, attrs) => kernel(backend, given, attrs);
  return Object.assign(marked, { cutsItself: inputs });
}

/** The kernels of a table, on parts where operands are too large for one binding. */
export function splitting(table: KernelTable<WebGpuBackend>): KernelTable<WebGpuBackend> {
  const sum = splitKernel("add", add, add);
  return Object.fromEntries(Object.entries(table).map(([name, kernel]) => [name, splitKernel(name, kernel, sum)]));
}

function splitKernel(name: string, kernel: CuttingKernel, add: Kernel<WebGpuBackend>): Kernel<WebGpuBackend> {
  const { cutsItself = [] } = kernel;
  return (backend, inputs, attrs) => {
    const most = backend.traits.maxBinding;
    const cut = cutOf(name, inputs, attrs);
    const total = cut ? sizeOf(cut.lead) : 1;
    const present = (cut?.inputs ?? []).filter((input) => inputs[input]);
    const largest = Math.max(cut ? total * cut.width : 0, ...present.map((input) => sizeOf(inputs[input]!.shape)));
    for (const input in inputs) {
      if (
        cutsItself === "all" ||
        present.includes(input) ||
        cutsItself.includes(input) ||
        backend.bytesOf(inputs[input]!) <= most
      )
        continue;
      throw new OutOfMemoryError(
        `${name}: ${input} [${inputs[input]!.shape.join(", ")}] has ${backend.bytesOf(inputs[input]!)} bytes, this device binds at most ${most}`,
      );
    }
    if (!cut || 4 * largest <= most || total === 0) return kernel(backend, inputs, attrs);
    if (name in opTable && 4 * total * cut.width > backend.traits.maxBufferSize)
      throw new OutOfMemoryError(
        `${name}: its result has ${4 * total * cut.width} bytes, this device holds at most ${backend.traits.maxBufferSize} in one piece`,
      );
    const rows = Math.floor((most * total) / (4 * largest));
    if (rows === 0)
      throw new OutOfMemoryError(
        `${name}: a row of ${largest / total} elements has ${(4 * largest) / total} bytes, this device binds at most ${most}`,
      );
    return runParts(backend, kernel, add, {
      inputs,
      attrs,
      cut,
      present,
      total,
      rows: rows > rowUnit ? rows - (rows % rowUnit) : rows,
    });
  };
}

interface Parts {
  readonly inputs: KernelInputs;
  readonly attrs: KernelAttrs;
  readonly cut: Cut;
  readonly present: readonly string[];
  /** Rows in all, and of a part. */
  readonly total: number;
  readonly rows: number;
}

function runParts(
  backend: WebGpuBackend,
  kernel: Kernel<WebGpuBackend>,
  add: Kernel<WebGpuBackend>,
  { inputs, attrs, cut, present, total, rows }: Parts,
): TensorInfo[] {
  const results: TensorInfo[] = [];
  for (let first = 0; first < total; first += rows) {
    const count = Math.min(rows, total - first);
    const views = Object.fromEntries(
      present.map((name) => {
        const { shape } = inputs[name]!;
        const rest = shape.slice(cut.lead.length);
        return [name, backend.view(inputs[name]!, [count, ...rest], first * sizeOf(rest))] as const;
      }),
    );
    const outputs = [kernel(backend, { ...inputs, ...views }, attrs)].flat() as TensorInfo[];
    backend.release(...Object.values(views));
    outputs.forEach((output, i) => {
      if (cut.outputs?.[i] === "summed") {
        const before = results[i];
        results[i] = before ? ([add(backend, { a: before, b: output }, {})].flat()[0] as TensorInfo) : output;
        if (before) backend.release(before, output);
        return;
      }
      const rest = output.shape.slice(1);
      results[i] ??= backend.output([...cut.lead, ...rest], output.dtype as "float32");
      backend.copyInto(results[i]!, first * sizeOf(rest), output);
      backend.release(output);
    });
  }
  return results;
}
