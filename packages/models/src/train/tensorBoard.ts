import type { TrainingEvent } from "./events.ts";

/** What a TensorBoard file begins with. @param time seconds since 1970 */
export function tensorBoardHeader(time: number): Uint8Array {
  return record([...double(1, time), ...bytes(3, encoded("brain.Event:2"))]);
}

/**
 * A training event as a record of a TensorBoard file (`events.out.tfevents.*`): loss, gradient norm, learning rate and speed of a step, loss and
 * accuracy of an evaluation. Of other events there is none.
 * @param time seconds since 1970
 * Source: the event and summary messages of TensorFlow, in its record format.
 */
export function tensorBoardRecord(event: TrainingEvent, time: number): Uint8Array | undefined {
  const scalars = scalarsOf(event);
  if (scalars.length === 0) return undefined;
  const summary = scalars.flatMap(([tag, value]) => bytes(1, [...bytes(1, encoded(tag)), ...float(2, value)]));
  return record([...double(1, time), ...tagged(2, 0), ...varint(event.step), ...bytes(5, summary)]);
}

function scalarsOf(event: TrainingEvent): [tag: string, value: number][] {
  if (event.kind === "step")
    return [
      ["train/loss", event.loss],
      ["train/gradNorm", event.gradNorm],
      ["train/learningRate", event.learningRate],
      ["train/tokensPerSecond", event.tokensPerSecond],
    ];
  if (event.kind !== "evaluation") return [];
  const { loss, accuracy } = event;
  return [
    ["evaluation/loss", loss],
    ...(accuracy === undefined ? [] : ([["evaluation/accuracy", accuracy]] as [string, number][])),
  ];
}

// Fields of a protocol buffer: number and type, then the value.
const tagged = (field: number, type: number): number[] => varint((field << 3) | type);
const encoded = (text: string): number[] => [...new TextEncoder().encode(text)];
const bytes = (field: number, content: readonly number[]): number[] => [
  ...tagged(field, 2),
  ...varint(content.length),
  ...content,
];
const float = (field: number, value: number): number[] => [
  ...tagged(field, 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];
const double = (field: number, value: number): number[] => [
  ...tagged(field, 1),
  ...new Uint8Array(Float64Array.of(value).buffer),
];

function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) | 128);
  }
}

/** Length, checksum of it, content, checksum of that. */
function record(content: readonly number[]): Uint8Array {
  const [length, data] = [new Uint8Array(8), Uint8Array.from(content)];
  new DataView(length.buffer).setUint32(0, data.length, true);
  const out = new Uint8Array(16 + data.length);
  out.set(length);
  out.set(masked(length), 8);
  out.set(data, 12);
  out.set(masked(data), 12 + data.length);
  return out;
}

/** The checksum of the record format: CRC-32C, turned and moved, so that one of data that holds one is not that. */
function masked(data: Uint8Array): Uint8Array {
  const crc = crc32c(data);
  const turned = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, turned, true);
  return out;
}

/** CRC-32C (Castagnoli), bit by bit: records are short. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
