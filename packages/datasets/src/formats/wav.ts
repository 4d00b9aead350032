import { ArgumentError, FormatError } from "@statespace/core";

/** Sound as numbers in [-1, 1]. */
export interface Sound {
  readonly sampleRate: number;
  readonly channels: number;
  readonly samples: Float32Array; // [frames, channels]
}

interface SampleFormat {
  readonly float: boolean;
  readonly bits: number;
  readonly channels: number;
  readonly sampleRate: number;
}

/**
 * Reads a RIFF WAVE file: PCM of 8 (unsigned), 16, 24 or 32 bits, or 32-bit float, also as WAVE_FORMAT_EXTENSIBLE.
 * Errors: `FormatError` for a chunk that runs past the end, a missing or contradicting "fmt ", no "data", another coding.
 * Source: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991).
 */
export function parseWav(bytes: Uint8Array, label: string = "wav"): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(bytes, 0) !== "RIFF" || tag(bytes, 8) !== "WAVE")
    throw new FormatError(`${label}: not a RIFF WAVE file`);
  let format: SampleFormat | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = tag(bytes, at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (start + size > bytes.length) {
      throw new FormatError(
        `${label}: chunk "${name}" of ${size} bytes at ${at} runs past the end (${bytes.length} bytes)`,
      );
    }
    if (name === "fmt ") format = readFormat(view, start, size, label);
    if (name === "data") {
      if (!format) throw new FormatError(`${label}: "data" comes before "fmt "`);
      return readSamples(view, start, size, format, label);
    }
    at = start + size + (size % 2); // chunks are padded to even sizes
  }
  throw new FormatError(`${label}: no "data" chunk`);
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function readFormat(view: DataView, at: number, size: number, label: string): SampleFormat {
  if (size < 16) throw new FormatError(`${label}: "fmt " must have 16 bytes or more, got ${size}`);
  let coding = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const blockAlign = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  if (coding === 0xfffe) {
    if (size < 40) throw new FormatError(`${label}: extensible "fmt " must have 40 bytes, got ${size}`);
    coding = view.getUint16(at + 24, true); // the sub-format's first two bytes are the coding
  }
  const float = coding === 3;
  if (!(coding === 1 && [8, 16, 24, 32].includes(bits)) && !(float && bits === 32)) {
    throw new FormatError(
      `${label}: coding ${coding} with ${bits} bits is not supported (PCM 8, 16, 24, 32; float 32)`,
    );
  }
  if (channels === 0 || sampleRate === 0) throw new FormatError(`${label}: ${channels} channels at ${sampleRate} Hz`);
  if (blockAlign !== (channels * bits) / 8) {
    throw new FormatError(
      `${label}: block align must be ${(channels * bits) / 8} for ${channels} channels of ${bits} bits, got ${blockAlign}`,
    );
  }
  return { float, bits, channels, sampleRate };
}

function readSamples(view: DataView, at: number, size: number, format: SampleFormat, label: string): Sound {
  const { float, bits, channels, sampleRate } = format;
  const bytes = bits / 8;
  if (size % (bytes * channels) !== 0)
    throw new FormatError(`${label}: "data" of ${size} bytes is no whole number of frames`);
  const samples = new Float32Array(size / bytes);
  const scale = 2 ** (1 - bits);
  for (let i = 0; i < samples.length; i++, at += bytes) {
    if (float) samples[i] = view.getFloat32(at, true);
    else if (bits === 8) samples[i] = (view.getUint8(at) - 128) * scale;
    else if (bits === 16) samples[i] = view.getInt16(at, true) * scale;
    else if (bits === 24) samples[i] = (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) * scale;
    else samples[i] = view.getInt32(at, true) * scale;
    if (float && !Number.isFinite(samples[i])) throw new FormatError(`${label}: sample ${i} is not finite`);
  }
  return { sampleRate, channels, samples };
}

/** Writes 16-bit PCM; numbers beyond [-1, 1] are clipped. Errors: `ArgumentError` for a broken frame or rate. */
export function formatWav(sound: Sound): Uint8Array {
  const { sampleRate, channels, samples } = sound;
  if (!Number.isInteger(channels) || channels < 1 || channels > 65535 || samples.length % channels !== 0) {
    throw new ArgumentError(
      `formatWav: samples must be whole frames of ${channels} channels, got ${samples.length} numbers`,
    );
  }
  if (!Number.isInteger(sampleRate) || sampleRate < 1)
    throw new ArgumentError(`formatWav: sampleRate must be a positive integer, got ${sampleRate}`);
  const size = samples.length * 2;
  const bytes = new Uint8Array(44 + size);
  const view = new DataView(bytes.buffer);
  const put = (at: number, name: string): void => bytes.set(new TextEncoder().encode(name), at);
  put(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, size, true);
  for (let i = 0; i < samples.length; i++) {
    view.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32768))), true);
  }
  return bytes;
}
