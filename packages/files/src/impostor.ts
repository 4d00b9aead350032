const LFS = "version https://git-lfs.github.com/spec/";

/** Bytes that suffice to tell. */
export const IMPOSTOR_BYTES = 64;

/**
 * What stands in place of a file, judged by its first bytes: the usual ways a download goes wrong. `undefined` if it looks like none of them.
 */
export function impostor(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, IMPOSTOR_BYTES));
  if (text.startsWith(LFS))
    return "a Git LFS pointer stands in its place; fetch the file itself (git lfs pull, or the hub's download)";
  if (/^\s*<(!doctype html|html|head|\?xml)/i.test(text)) return "an HTML page stands in its place";
  return undefined;
}
