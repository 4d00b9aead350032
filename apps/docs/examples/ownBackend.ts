import { setBackend, tensor } from "statespace";
import { aliasKernels, StatespaceBackend, type Kernel, type TensorInfo } from "@statespace/core/backend";
import { exp } from "@statespace/core/ops";

type Launch = () => void;
/** The least a backend can be: the contract on plain buffers. */
class Tiny extends StatespaceBackend<ArrayBuffer, Launch> {
  values(x: TensorInfo): Float32Array {
    const { block, byteOffset, bytes } = this.locate(x);
    return new Float32Array(block.buffer, byteOffset, bytes / 4);
  }
  protected override allocate = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
  protected override free(): void {}
  protected override upload = (to: ArrayBuffer, at: number, from: Uint8Array): void => new Uint8Array(to).set(from, at);
  protected override downloadSync = (from: ArrayBuffer, at: number, bytes: number): Uint8Array =>
    new Uint8Array(from.slice(at, at + bytes));
  protected override download = async (from: ArrayBuffer, at: number, bytes: number): Promise<Uint8Array> =>
    new Uint8Array(from.slice(at, at + bytes));
  protected override execute = (launch: Launch): void => launch();
  protected override heldBytes = (): number => 0;
}
const expKernel: Kernel<Tiny> = (backend, { x }) => {
  const y = backend.output(x!.shape);
  backend.launch(() => backend.values(x!).forEach((value, i) => (backend.values(y)[i] = Math.exp(value))));
  return y;
};
await setBackend({ name: "tiny", create: () => new Tiny("tiny"), kernels: { ...aliasKernels, exp: expKernel } });
console.log(await exp(tensor([0, 1])).data()); // 1 and e; a kernel that is missing is composed of others, or a typed error
