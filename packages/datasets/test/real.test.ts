import { readdir, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, FormatError } from "@statespace/core";
import { sha256Hex } from "@statespace/files";
import { describe, expect, test } from "vitest";
import {
  fetchedFiles,
  type FixtureName,
  fixtureFiles,
  forecastWindows,
  formatIdx,
  type ImageDataset,
  loadDigits,
  loadFixture,
  loadIdxFolder,
  loadIdxImages,
  loadTimeSeries,
  permutePixels,
  realDatasets,
  splitDataset,
} from "../src/index.ts";

const folder = fileURLToPath(new URL("../fixtures/", import.meta.url));
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("fixtures", () => {
  test("are what the catalogue says, and 300 kB at most in all", async () => {
    const names = (await readdir(folder)).filter((name) => name !== "README.md");
    expect(names.toSorted()).toEqual(Object.keys(fixtureFiles).toSorted());
    const readme = await readFile(join(folder, "README.md"), "utf8");
    let total = (await stat(join(folder, "README.md"))).size;
    for (const name of names as FixtureName[]) {
      const bytes = await readFile(join(folder, name));
      expect({ bytes: bytes.length, sha256: await sha256Hex(bytes) }).toEqual(fixtureFiles[name]);
      expect(readme).toContain(fixtureFiles[name].sha256);
      expect((await loadFixture(name)).length).toBeGreaterThan(0);
      total += bytes.length;
    }
    expect(total).toBeLessThanOrEqual(300_000);
    await expect(loadFixture("other" as FixtureName)).rejects.toThrow(ArgumentError);
  });

  test("each dataset names licence, source, split and the checksums of its files", () => {
    expect(new Set(realDatasets.map(({ name }) => name)).size).toBe(realDatasets.length);
    for (const { licence, source, split, files } of realDatasets) {
      for (const field of [licence, source, split]) expect(field.length).toBeGreaterThanOrEqual(3);
      expect(Object.keys(files ?? {}).length).toBeGreaterThan(0);
      for (const { bytes, sha256 } of Object.values(files ?? {})) {
        expect(bytes).toBeGreaterThan(0);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
    }
    for (const files of Object.values(fetchedFiles))
      expect(realDatasets.some((dataset) => dataset.files === files)).toBe(true);
  });
});

/** Share of held-out images whose nearest training image has the same label: real digits are far above chance. */
function nearestNeighbour(train: ImageDataset, held: ImageDataset): number {
  const pixels = train.inputShape[0];
  let right = 0;
  for (let i = 0; i < held.length; i++) {
    let best = Number.POSITIVE_INFINITY;
    let label = -1;
    for (let j = 0; j < train.length; j++) {
      let distance = 0;
      for (let p = 0; p < pixels && distance < best; p++)
        distance += (held.inputs[i * pixels + p] - train.inputs[j * pixels + p]) ** 2;
      if (distance < best) [best, label] = [distance, train.targets[j]];
    }
    if (label === held.targets[i]) right++;
  }
  return right / held.length;
}

describe("images", () => {
  test("digits: 1,797 of them, known counts, and labels that belong to their images", async () => {
    const digits = await loadDigits(await loadFixture("digits.csv.gz"));
    expect([digits.length, digits.inputs.length]).toEqual([1797, 1797 * 64]);
    const counts = new Array(10).fill(0);
    for (const label of digits.targets) counts[label]++;
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // as scikit-learn documents
    const { train, test } = splitDataset(digits, { validation: 0, test: 100, seed: 1 });
    expect(nearestNeighbour(train, test)).toBeGreaterThan(0.95);
    await expect(loadDigits(encode("1,2,3\n"))).rejects.toThrow(/line 1 must have 65 fields/);
    await expect(loadDigits(encode(`${"0,".repeat(63)}17,3\n`))).rejects.toThrow(/whole numbers up to 16/);
    await expect(loadDigits(encode(`${"0,".repeat(64)}x\n`))).rejects.toThrow(FormatError);
    await expect(loadDigits(encode(""))).rejects.toThrow(/no line/);
  });

  test("the 500 MNIST digits: 50 of each, and labels that belong to their images; permuting moves pixels alike", async () => {
    const images = join(folder, "mnist-500-images-idx3-ubyte.gz");
    const mnist = await loadIdxImages(images, join(folder, "mnist-500-labels-idx1-ubyte.gz"));
    expect([mnist.length, mnist.inputShape]).toEqual([500, [784, 1]]);
    for (let digit = 0; digit < 10; digit++) expect(mnist.targets.filter((label) => label === digit)).toHaveLength(50);
    expect(mnist.inputs.every((x) => x >= 0 && x <= 1)).toBe(true);
    const { train, test: held } = splitDataset(mnist, { validation: 0, test: 60, seed: 1 });
    expect(nearestNeighbour(train, held)).toBeGreaterThan(0.7);
    const permuted = permutePixels(mnist, 5);
    expect(permuted).toEqual(permutePixels(mnist, 5));
    expect(permuted.inputs).not.toEqual(mnist.inputs);
    const again = splitDataset(permuted, { validation: 0, test: 60, seed: 1 });
    expect(nearestNeighbour(again.train, again.test)).toBe(nearestNeighbour(train, held)); // distances know no order
  });

  test("a folder of four files; files that do not belong together are refused", async () => {
    const place = await mkdtemp(join(tmpdir(), "idx-"));
    const images = formatIdx(
      [3, 2, 2],
      Uint8Array.from({ length: 12 }, (_, i) => i * 20),
    );
    const labels = formatIdx([3], Uint8Array.of(0, 9, 4));
    for (const stem of ["train", "t10k"]) {
      await writeFile(join(place, `${stem}-images-idx3-ubyte`), images);
      await writeFile(join(place, `${stem}-labels-idx1-ubyte`), labels);
    }
    const { train, test: held } = await loadIdxFolder(place);
    expect([...train.targets, ...held.targets]).toEqual([0, 9, 4, 0, 9, 4]);
    expect(train.inputs[11]).toBe(Math.fround(220 / 255));
    await rm(place, { recursive: true });
    await expect(loadIdxImages(labels, labels)).rejects.toThrow(/images must be bytes \[n, rows, columns\]/);
    await expect(loadIdxImages(images, images)).rejects.toThrow(/labels must be bytes/);
    await expect(loadIdxImages(images, formatIdx([2], Uint8Array.of(0, 1)))).rejects.toThrow(/3 images but 2 labels/);
    await expect(loadIdxImages(images, formatIdx([3], Uint8Array.of(0, 1, 10)))).rejects.toThrow(
      /label 2 must be below 10/,
    );
  });
});

describe("time series", () => {
  test("Seattle: parts in time, nothing of the future in the scale, windows that do not cross", async () => {
    const series = await loadTimeSeries(join(folder, "seattle-weather.csv"), ["temp_max", "wind"]);
    expect([series.length, series.values[0], series.values[1]]).toEqual([1461, 12.8, 4.7]);
    const { train, validation, test: held, scale } = forecastWindows(series, { context: 30, horizon: 7 });
    const cut = Math.floor(1461 * 0.7);
    const head = series.values.filter((_, i) => i % 2 === 0).slice(0, cut);
    const mean = head.reduce((sum, x) => sum + x, 0) / cut;
    expect(scale.mean[0]).toBeCloseTo(mean, 10);
    expect(scale.std[0]).toBeCloseTo(Math.sqrt(head.reduce((sum, x) => sum + (x - mean) ** 2, 0) / cut), 10);
    expect([train.length, validation.length, held.length]).toEqual([1022 - 36, 219 - 36, 220 - 36]);
    const undo = (z: number, column: number): number => scale.mean[column] + scale.std[column] * z;
    // The first target of window 0 is day 30; f32 holds the standardised number to 2^-24 of about 3 deviations.
    expect(undo(train.targets[0], 0)).toBeCloseTo(series.values[60], 5);
    expect(undo(validation.inputs[0], 0)).toBeCloseTo(series.values[2 * cut], 5);
    expect(undo(held.targets.at(-1) as number, 1)).toBeCloseTo(series.values.at(-1) as number, 5);
    const future = { ...series, values: series.values.map((x, i) => (i >= 2 * cut ? x * 100 : x)) };
    expect(forecastWindows(future, { context: 30, horizon: 7 }).train).toEqual(train);
  });

  test("what is wrong is named", async () => {
    const csv = encode("t,x\n1,2\n3,\n");
    await expect(loadTimeSeries(csv, ["y"])).rejects.toThrow(/no column "y"; it has t, x/);
    await expect(loadTimeSeries(csv, ["x"])).rejects.toThrow(/record 2, column "x" must be a number, got ""/);
    await expect(loadTimeSeries(encode("t\nInfinity\n"), ["t"])).rejects.toThrow(FormatError);
    await expect(loadTimeSeries(encode("t\n"), ["t"])).rejects.toThrow(/no rows/);
    const short = await loadTimeSeries(encode("t\n1\n2\n3\n"), ["t"]);
    expect(() => forecastWindows(short, { context: 2, horizon: 1 })).toThrow(/shorter than context \+ horizon = 3/);
    expect(() => forecastWindows(short, { context: 1, horizon: 1, trainShare: 0.9, validationShare: 0.2 })).toThrow(
      ArgumentError,
    );
    const flat = await loadTimeSeries(encode(`t\n${"5\n".repeat(30)}`), ["t"]);
    expect(forecastWindows(flat, { context: 1, horizon: 1 }).train.inputs.every((x) => x === 0)).toBe(true);
  });
});
