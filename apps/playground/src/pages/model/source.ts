import { createRoot, createSignal, type Accessor } from "solid-js";
import { decodeText, lines, MOST_BYTES } from "./text.ts";

/** Why a file was not taken. */
export type FileFault =
  | { readonly kind: "noText"; readonly name: string }
  | { readonly kind: "largeFile"; readonly name: string; readonly bytes: number };

/** The text that is to be learnt from. */
export interface Source {
  readonly text: Accessor<string>;
  /** Of the file that it came from. */
  readonly file: Accessor<string | undefined>;
  readonly fault: Accessor<FileFault | undefined>;
  /** What was typed, pasted, or made. */
  write(text: string): void;
  take(file: File): Promise<void>;
}

/** It stays while other pages are read. */
export const source: Source = createRoot(() => {
  const [text, setText] = createSignal("");
  const [file, setFile] = createSignal<string>();
  const [fault, setFault] = createSignal<FileFault>();
  return {
    text,
    file,
    fault,
    write(next) {
      setFile(undefined);
      setFault(undefined);
      setText(lines(next));
    },
    async take(chosen) {
      const { name, size } = chosen;
      if (size > MOST_BYTES) return void setFault({ kind: "largeFile", name, bytes: size });
      const found = decodeText(new Uint8Array(await chosen.arrayBuffer()));
      if (found === undefined) return void setFault({ kind: "noText", name });
      setFault(undefined);
      setFile(name);
      setText(found);
    },
  };
});
