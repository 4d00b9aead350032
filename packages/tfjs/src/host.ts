import { BackendError, Tensor, type DType } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import type { BackendValues, KernelBackend, TensorInfo } from "@tensorflow/tfjs-core";
import { TfBackend, toOwn } from "./tfBackend.ts";

/** How tensors of a tfjs backend come to one of ours and back. */
export interface Bridge {
  /** Where ours compute. */
  readonly own: AnyBackend;
  /** A handle of ours; the caller disposes it. */
  take(info: TensorInfo): Tensor;
  /** Hands a tensor of ours over. */
  give(tensor: Tensor): TensorInfo;
}

/**
 * Without a copy where tfjs computes on a backend of ours; else through the host, to `own` and back.
 * @throws BackendError (when it takes or gives) where one of the two has no synchronous read.
 */
export function bridgeOf(backend: KernelBackend, own: () => AnyBackend): Bridge {
  if (backend instanceof TfBackend)
    return {
      own: backend.own,
      take: (info) => backend.tensor(info),
      give: (tensor) => backend.adopt(tensor),
    };
  const ours = own();
  return {
    own: ours,
    take: ({ dataId, shape, dtype }) => {
      const type = toOwn(dtype);
      const values = readNow(backend, dataId);
      return new Tensor({ dataId: ours.write(values, shape, type), shape, dtype: type }, ours);
    },
    give: (tensor) => {
      const values = tensor.dataSync();
      const shape = [...tensor.shape];
      tensor.dispose();
      return { dataId: backend.write(values, shape, tensor.dtype satisfies DType), shape, dtype: tensor.dtype };
    },
  };
}

function readNow(backend: KernelBackend, dataId: object): Float32Array | Int32Array | Uint8Array {
  let values: BackendValues;
  try {
    values = backend.readSync(dataId);
  } catch (error) {
    throw new BackendError(
      `tfjs: its backend cannot be read at once (${(error as Error).message}); set one of ours (registerTfBackend), which needs no copy`,
      { cause: error },
    );
  }
  return values as Float32Array | Int32Array | Uint8Array;
}
