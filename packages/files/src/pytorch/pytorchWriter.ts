import { ArgumentError, ShapeError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { WritableTensor } from "../safetensors/safetensorsWriter.ts";
import { chunksOf, type FileSection } from "../sources/fileSection.ts";
import { quote } from "../strictJson.ts";
import { storedBytesOf } from "../tensors/blockTypes.ts";
import { fromFloat32Array } from "../tensors/convert.ts";
import type { FloatStorage } from "../tensors/dtype.ts";
import { readParts, unshared, type LazyTensor, type OwnBytes } from "../tensors/lazyTensor.ts";
import { pickleStateDict } from "./pickleWriter.ts";
import { layoutZip, type ZippedFile } from "./zipWriter.ts";

/** How tensors are written to an archive of PyTorch. */
export interface PytorchWriteOptions {
  /** How float32 values are stored; "F32" unless told. Raw tensors keep their own type. */
  readonly dtype?: FloatStorage;
  /** Further names of tensors, which share their memory as tied weights do. */
  readonly shared?: Readonly<Record<string, string>>;
}

/** A file laid out, not yet converted: the byte length is known before the first chunk is made. */
export interface PytorchLayout {
  readonly byteLength: number;
  /** One chunk after the other; those that are still to be read are promises. */
  chunks(): Generator<OwnBytes | Promise<OwnBytes>, void, undefined>;
  /** The same cut where each tensor begins. */
  readonly sections: readonly FileSection<OwnBytes | Promise<OwnBytes>>[];
}

/**
 * Lays out what `torch.save(state_dict, file)` writes (PyTorch 1.6 and later), in the order given: `torch.load(file, weights_only=True)` gives the tensors.
 * Errors: {@link ShapeError} if a tensor's length does not fit its shape; {@link ArgumentError} for a type that PyTorch lacks, or a shared name whose tensor is not
 * there or that is one itself.
 */
export function layoutPytorch(
  tensors: ReadonlyMap<string, WritableTensor | LazyTensor>,
  options: PytorchWriteOptions = {},
): PytorchLayout {
  refuseUnknown("layoutPytorch", options, ["dtype", "shared"], {
    format: "dtype",
    torchDtype: "dtype",
    tied: "shared",
  });
  const { dtype: floatType = "F32", shared = {} } = options;
  const order = [...tensors].map(([name, tensor], i) => {
    const dtype = "values" in tensor ? floatType : tensor.dtype;
    const byteLength = storedBytesOf(dtype, tensor.shape, `pytorch: tensor ${quote(name)}`);
    return { name, tensor, dtype, byteLength, storage: String(i), shape: tensor.shape };
  });
  const others = Object.entries(shared).map(([name, of]) => {
    const tensor = order.find((own) => own.name === of);
    if (tensor === undefined || tensors.has(name))
      throw new ArgumentError(`pytorch: ${quote(name)} cannot share the memory of ${quote(of)}`);
    return { ...tensor, name };
  });
  const pickle = pickleStateDict([...order, ...others]);
  const { sections, byteLength } = layoutZip([
    file("data.pkl", pickle),
    file("byteorder", new TextEncoder().encode("little")),
    ...order.map((own) => ({
      name: `${FOLDER}/data/${own.storage}`,
      label: own.name,
      byteLength: own.byteLength,
      chunks: () =>
        chunksOfTensor(own.tensor, own.byteLength, { floatType, what: `pytorch: tensor ${quote(own.name)}` }),
    })),
    file("version", new TextEncoder().encode("3\n")),
  ]);
  return { sections, byteLength, chunks: () => chunksOf(sections) };
}

/** The folder that all files of an archive lie in; any name will do. */
const FOLDER = "archive";

function file(name: string, bytes: OwnBytes): ZippedFile {
  return { name: `${FOLDER}/${name}`, byteLength: bytes.byteLength, chunks: () => [bytes] };
}

function* chunksOfTensor(
  tensor: WritableTensor | LazyTensor,
  byteLength: number,
  { floatType, what }: { readonly floatType: FloatStorage; readonly what: string },
): Generator<OwnBytes | Promise<OwnBytes>, void, undefined> {
  if ("read" in tensor) return yield* readParts(tensor, byteLength, what);
  const bytes = "values" in tensor ? fromFloat32Array(tensor.values, floatType) : tensor.bytes;
  if (bytes.byteLength !== byteLength)
    throw new ShapeError(
      `${what}: shape [${tensor.shape.join(", ")}] takes ${byteLength} bytes, got ${bytes.byteLength}`,
    );
  if (byteLength > 0) yield unshared(bytes);
}
