import { withBackend } from "@statespace/core";
import { currentBackend, type TensorInfo } from "@statespace/core/backend";
import { closeSync, openSync, writeSync } from "node:fs";
import { checkForward, checkGradients } from "../harness/checkCase.ts";
import { generatedCases } from "./cases.ts";

/** What is overridden of a wasm backend. */
interface Calls {
  at(x: TensorInfo): number;
  maybeAt(x: TensorInfo | undefined): number;
  atPacked(x: TensorInfo): number;
  call(kernel: string, words: readonly number[], work: number): void;
  bytesOf(x: TensorInfo): number;
  readonly threads: number;
  readonly machine: { readNow?(at: number, bytes: number): Uint8Array };
}

/**
 * Writes each kernel call that generated cases make on the wasm backend, with what its operands hold: the number of threads that temporary
 * memory is for, then name, words, and address, size and bytes of each operand. What the sanitizers run (`packages/backend-wasm/scripts/sanitize.ts`).
 */
export async function recordCalls(file: string, { seed, count }: { seed: number; count: number }): Promise<number> {
  const out = openSync(file, "w");
  let calls = 0;
  try {
    await withBackend("wasm", async () => {
      const backend = currentBackend() as unknown as Calls;
      const operands = new Map<number, number>();
      writeSync(out, new Uint8Array(Int32Array.of(backend.threads).buffer));
      const noting =
        (find: (x: TensorInfo) => number) =>
        (x: TensorInfo): number => {
          const address = find(x);
          operands.set(address, Math.max(operands.get(address) ?? 0, backend.bytesOf(x)));
          return address;
        };
      const call = backend.call.bind(backend);
      const at = noting(backend.at.bind(backend));
      Object.assign(backend, {
        at,
        maybeAt: (x: TensorInfo | undefined) => (x ? at(x) : 0),
        atPacked: noting(backend.atPacked.bind(backend)),
        call: (kernel: string, words: readonly number[], work: number) => {
          calls++;
          const parts = [...operands].map(
            ([address, bytes]) => [address, backend.machine.readNow!(address, bytes)] as const,
          );
          operands.clear();
          writeRecord(out, kernel, words, parts);
          call(kernel, words, work);
        },
      });
      for (const { c, direction, seed: own } of generatedCases(seed, count)) {
        if (direction === "forward") await checkForward(c);
        else if (direction === "gradient") await checkGradients(c, own, 1, { directions: 1, apart: false });
      }
    });
  } finally {
    closeSync(out);
  }
  return calls;
}

function writeRecord(
  file: number,
  kernel: string,
  words: readonly number[],
  operands: readonly (readonly [number, Uint8Array])[],
): void {
  const name = new TextEncoder().encode(kernel);
  const line = [name.length, words.length, operands.length];
  writeSync(file, new Uint8Array(Int32Array.from(line).buffer));
  writeSync(file, name);
  writeSync(file, new Uint8Array(Int32Array.from(words, (word) => word | 0).buffer));
  for (const [address, bytes] of operands) {
    writeSync(file, new Uint8Array(Int32Array.of(address | 0, bytes.byteLength).buffer));
    writeSync(file, bytes);
  }
}
