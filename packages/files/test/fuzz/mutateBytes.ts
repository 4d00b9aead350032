import type { Rng } from "@statespace/core";

/** Numbers at the edges of what lengths, counts and offsets may be. */
const EDGES = [
  0n,
  1n,
  2n,
  31n,
  255n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One to four edits of a file, most of them in its first bytes, where headers are, or in its last, where those of archives are. */
export function mutateBytes(file: Uint8Array, rng: Rng, header: number): Uint8Array {
  let bytes = file.slice();
  const below = (n: number): number => Math.floor(rng.uniform(0, Math.max(1, n)));
  const place = (): number => {
    const kind = below(10);
    if (kind < 7) return below(Math.min(header, bytes.length));
    return kind < 9 ? Math.max(0, bytes.length - 1 - below(header)) : below(bytes.length);
  };
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = place();
    switch (below(7)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << below(8);
        break;
      case 2: {
        const width = [1, 2, 4, 8][below(4)]!;
        let edge = EDGES[below(EDGES.length)]!;
        for (let i = 0; i < width && at + i < bytes.length; i++, edge >>= 8n) bytes[at + i] = Number(edge & 255n);
        break;
      }
      case 3:
        bytes = bytes.slice(0, place());
        break;
      case 4: {
        const from = place();
        bytes.set(bytes.slice(from, from + below(64)).subarray(0, bytes.length - at), at);
        break;
      }
      case 5: {
        const cut = below(32);
        const shorter = new Uint8Array(Math.max(0, bytes.length - cut));
        shorter.set(bytes.subarray(0, Math.min(at, shorter.length)));
        shorter.set(bytes.subarray(at + cut, at + cut + shorter.length - at > 0 ? undefined : at + cut).subarray(0, Math.max(0, shorter.length - at)), Math.min(at, shorter.length)); // prettier-ignore
        bytes = shorter;
        break;
      }
      default: {
        const longer = new Uint8Array(bytes.length + 16);
        longer.set(bytes.subarray(0, at));
        for (let i = 0; i < 16; i++) longer[at + i] = below(256);
        longer.set(bytes.subarray(at), at + 16);
        bytes = longer;
      }
    }
  }
  return bytes;
}
