import { fstatSync } from "node:fs";
import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { throwIfAborted } from "@statespace/files";

/** After so long without an end a person may wonder what the command waits for, in milliseconds. */
const PATIENCE = 1000;

/** Whether a shell put a file or another command's output there: nobody did where it is a terminal, a device, or what a parent process left open. */
export function isPiped(): boolean {
  try {
    const stats = fstatSync(process.stdin.fd);
    return stats.isFIFO() || stats.isFile();
  } catch {
    return false; // it is closed
  }
}

/** All that comes on standard input; says so if that takes long. @throws AbortedError */
export async function readStandardInput(signal: AbortSignal): Promise<string> {
  const hint = setTimeout(() => console.error("statespace: reading the prompt from standard input"), PATIENCE);
  try {
    return await text(addAbortSignal(signal, process.stdin));
  } catch (error) {
    throwIfAborted(signal, "generate");
    throw error;
  } finally {
    clearTimeout(hint);
  }
}
