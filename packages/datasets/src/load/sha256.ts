import { ArgumentError, FormatError } from "@statespace/core";

/** SHA-256 as 64 lower-case hex digits, through WebCrypto. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Errors: `FormatError` where the checksum differs, `ArgumentError` where `expected` is no checksum. */
export async function verifySha256(bytes: Uint8Array, expected: string, label: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/i.test(expected))
    throw new ArgumentError(`sha256: expected 64 hex digits, got ${expected.slice(0, 80)}`);
  const actual = await sha256Hex(bytes);
  if (actual !== expected.toLowerCase()) throw new FormatError(`sha256: ${label} must be ${expected}, got ${actual}`);
}
