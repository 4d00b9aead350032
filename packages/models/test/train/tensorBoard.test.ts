import { tensorBoardHeader, tensorBoardRecord, type TrainingEvent } from "@statespace/models";
import { expect, it } from "vitest";
import { crc32c } from "../../src/train/tensorBoard.ts";

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

it("sums as CRC-32C does", () => {
  // The check value of the algorithm's catalogue, and the vectors of RFC 3720, B.4.
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

it("writes records as TensorFlow does", () => {
  // Field 1, a double of 0; field 3, the version of the format.
  const header = tensorBoardHeader(0);
  expect(new DataView(header.buffer).getUint32(0, true)).toBe(header.length - 16);
  expect(hex(header.subarray(12, -4))).toBe(`09${"00".repeat(8)}1a0d${hex(new TextEncoder().encode("brain.Event:2"))}`);
});

it("tells what a step and an evaluation measured, and nothing of other events", () => {
  const step: TrainingEvent = {
    kind: "step",
    step: 300,
    loss: 1.5,
    gradNorm: 2,
    learningRate: 0.25,
    tokens: 1,
    seconds: 1,
    tokensPerSecond: 8,
    secondsLeft: 1,
  };
  const text = hex(tensorBoardRecord(step, 1)!);
  expect(text).toContain("10ac02"); // step 300
  expect(text).toContain(
    `${hex(new TextEncoder().encode("train/loss"))}15${hex(new Uint8Array(Float32Array.of(1.5).buffer))}`,
  );
  const evaluation: TrainingEvent = {
    kind: "evaluation",
    step: 1,
    seconds: 1,
    isBest: true,
    loss: 0.5,
    targets: 3,
    accuracy: 0.75,
  };
  expect(hex(tensorBoardRecord(evaluation, 1)!)).toContain(
    `${hex(new TextEncoder().encode("evaluation/accuracy"))}15${hex(new Uint8Array(Float32Array.of(0.75).buffer))}`,
  );
  expect(tensorBoardRecord({ kind: "checkpoint", step: 1, name: "step-1" }, 1)).toBeUndefined();
});
