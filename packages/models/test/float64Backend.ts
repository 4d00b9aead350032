import { CpuBackend, cpuKernels } from "@statespace/backend-cpu";
import type { BackendDefinition, DType, TensorValues } from "@statespace/core";
import type { DataId, TensorInfo } from "@statespace/core/backend";

/**
 * The CPU backend's kernels on float64 storage: the judge of whole layers. Central differences under it are good to 1e-9,
 * and two orders of the same arithmetic agree to 1e-13, so that a bound can be far below any wrong term.
 */
class Float64Backend extends CpuBackend {
  /** Twice the bytes the base class counts: a float takes 8 here, an integer still 4. */
  protected override allocate(bytes: number): ArrayBuffer {
    return super.allocate(2 * bytes);
  }

  protected override free(buffer: ArrayBuffer, bytes: number): void {
    super.free(buffer, 2 * bytes);
  }

  override floats(x: TensorInfo): Float32Array {
    const { block, byteOffset, bytes } = this.locate(x);
    // Kernels use what both kinds of array have: elements, set, subarray, fill.
    return new Float64Array(block.buffer, 2 * byteOffset, bytes / 4) as unknown as Float32Array;
  }

  override write(values: TensorValues | readonly number[], shape: readonly number[], dtype: DType): DataId {
    if (dtype !== "float32") return super.write(values, shape, dtype);
    const info = this.output(shape, dtype);
    this.floats(info).set(values);
    return info.dataId;
  }

  override writeInto(x: TensorInfo, values: TensorValues): void {
    if (x.dtype === "float32") this.floats(x).set(values as Float32Array);
    else super.writeInto(x, values);
  }

  override readSync(dataId: DataId): TensorValues {
    const { dtype, shape } = this.storage.get(dataId);
    if (dtype !== "float32") return super.readSync(dataId);
    return Float64Array.from(this.floats({ dataId, shape: [...shape], dtype })) as unknown as TensorValues;
  }

  override async read(dataId: DataId): Promise<TensorValues> {
    return this.readSync(dataId);
  }
}

const create = (): Float64Backend => new Float64Backend();

export function float64Backend(): BackendDefinition {
  return { name: "float64", create, kernels: cpuKernels };
}
