import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  csvRecords,
  fastaRecords,
  formatWav,
  imageRows,
  linesOf,
  parseIdx,
  readClassFolder,
  readCsvSequences,
  readCsvSeries,
  readFastaSequences,
  readJsonSequences,
  readWavSequences,
  type Line,
} from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Comes in pieces of one byte, which cut characters, line ends and the sign of gzip. */
const drop = (all: Uint8Array): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === all.length) controller.close();
      else controller.enqueue(all.subarray(at, ++at));
    },
  });
};
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
};

describe("lines", () => {
  it("come whole, however bytes come, packed or not", async () => {
    const text = "\uFEFFgrün\r\n\nlast";
    const want: Line[] = [
      { text: "grün", number: 1 },
      { text: "", number: 2 },
      { text: "last", number: 3 },
    ];
    expect(await all(linesOf(bytes(text)))).toEqual(want);
    expect(await all(linesOf(drop(bytes(text))))).toEqual(want);
    expect(await all(linesOf(drop(new Uint8Array(gzipSync(text)))))).toEqual(want);
    expect(await all(linesOf(new Uint8Array()))).toEqual([]);
  });

  it("tell where bytes are no text, and that gzip is damaged", async () => {
    const wrong = new Uint8Array([...bytes("ab\ncd"), 0xff, ...bytes("\nx")]);
    await expect(all(linesOf(wrong))).rejects.toThrow(/line 2, from byte 3, is not valid UTF-8/);
    const packed = new Uint8Array(gzipSync("a".repeat(1000)));
    packed[packed.length - 6] ^= 1;
    await expect(all(linesOf(packed))).rejects.toThrow(/is damaged/);
  });
});

describe("CSV", () => {
  const table = [
    "who,day,x,y,mood",
    "a,2020-01-01,1,0.5,good",
    "a,2020-01-03,NA,0.25,bad",
    'b,2020-01-01,3,,"good"',
    "b,2020-01-02,4,1e2,",
    "b,2020-01-05,5,2,good",
  ].join("\n");

  it("becomes sequences: groups, missing values, dates, classes", async () => {
    const options = { sequence: "who", inputs: ["x", "y"], target: "mood", time: "day" };
    const { inputs, targets, times, classes } = await readCsvSequences(drop(bytes(`${table}\n`)), options);
    expect(inputs).toEqual([
      [
        [1, 0.5],
        [Number.NaN, 0.25],
      ],
      [
        [3, Number.NaN],
        [4, 100],
        [5, 2],
      ],
    ]);
    expect(classes).toEqual(["bad", "good"]);
    expect(targets).toEqual([
      [1, 0],
      [1, Number.NaN, 1],
    ]);
    expect(times!.map((each) => each.map((day) => day - times![0]![0]!))).toEqual([
      [0, 2],
      [0, 1, 4],
    ]);
  });

  it("one answer a sequence must be the same on all rows", async () => {
    const text = "id,x,y\n1,5,7\n1,6,7\n2,8,9\n";
    const options = { sequence: "id", inputs: ["x"], target: "y", per: "sequence" } as const;
    expect(await readCsvSequences(bytes(text), options)).toEqual({ inputs: [[5, 6], [8]], targets: [7, 9] });
    const odd = "id,x,y\n1,5,7\n1,6,8\n";
    await expect(readCsvSequences(bytes(odd), options)).rejects.toThrow(/line 3: y must be the same in all rows/);
  });

  it("becomes series", async () => {
    expect(await readCsvSeries(bytes("t,a,b\n0,1,2\n3,3,4\n"), { columns: ["a", "b"], time: "t" })).toEqual({
      series: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      times: [[0, 3]],
    });
  });

  it("records go over lines in quotes, and errors name the line of the file", async () => {
    const records = await all(csvRecords(drop(bytes('a,b\n1,"x\ny ""z"""\n2,w\n\n'))));
    expect(records).toEqual([
      { fields: ["a", "b"], line: 1 },
      { fields: ["1", 'x\ny "z"'], line: 2 },
      { fields: ["2", "w"], line: 4 },
    ]);
    const read = (text: string): Promise<unknown> => readCsvSeries(bytes(text), { columns: ["a"] });
    await expect(read("a,b\n1,2\n1\n")).rejects.toThrow(/line 3 must have 2 fields, got 1/);
    await expect(read("a,b\n1,2\nx,2\n")).rejects.toThrow(/line 3, column "a" must be a number, got "x"/);
    await expect(read('a,b\n1,2\n"3,2\n4,4\n')).rejects.toThrow(/quote opened on line 3 is never closed/);
    await expect(read("a,b\n1,2\n\n1,2\n")).rejects.toThrow(/line 3 is empty/);
    await expect(read('a,b\n1,2\n3"",2\n')).rejects.toThrow(/line 3 has a quote inside/);
    await expect(read("b\n1\n")).rejects.toThrow(/has no column "a"; it has b/);
    await expect(read("a\n")).rejects.toThrow(/has no rows/);
  });
});

describe("JSON lines", () => {
  it("become sequences", async () => {
    const text = '{"input":[1,null,3],"target":2}\n\n{"input":[[1,2]],"target":[0.5]}\n';
    expect(await readJsonSequences(bytes(text))).toEqual({
      inputs: [[1, Number.NaN, 3], [[1, 2]]],
      targets: [2, [0.5]],
    });
    const words = '{"input":[1],"target":"no","times":[4]}\n{"input":[2],"target":"yes","times":[5]}';
    expect(await readJsonSequences(bytes(words))).toMatchObject({
      targets: [0, 1],
      classes: ["no", "yes"],
      times: [[4], [5]],
    });
  });

  it.each([
    ["{", /line 1: is not JSON/],
    ["[1]", /line 1: must be an object/],
    ['{"input":[1],"target":1}\n{"input":[],"target":1}', /line 2: input must be a list of steps/],
    ['{"input":["x"],"target":1}', /line 1: input\[0\] must be a number, got "x"/],
    ['{"input":[1],"target":1}\n{"input":[1],"target":1,"times":[1]}', /line 2: times must be there on all lines/],
    ['{"input":[1],"target":1}\n{"input":[1],"target":"a"}', /must be a word on all lines, or on none/],
    ["", /has no lines/],
  ])("refuses %j", async (text, message) => {
    await expect(readJsonSequences(bytes(text))).rejects.toThrow(message);
  });
});

describe("FASTA", () => {
  it("becomes ids with the class that the header ends in, as it comes", async () => {
    const text = ">r1 chr1 coding\nACg\nT\n>r2 other\nNNU\n";
    expect(await readFastaSequences(drop(bytes(text)))).toEqual({
      inputs: [
        [1, 2, 3, 4],
        [0, 0, 4],
      ],
      targets: [0, 1],
      classes: ["coding", "other"],
    });
    const records = fastaRecords(bytes(text));
    expect((await records.next()).value).toEqual({ id: "r1", description: "chr1 coding", sequence: "ACGT" });
    await records.return();
    const lengths = await readFastaSequences(bytes(text), { target: ({ sequence }) => sequence.length });
    expect(lengths.targets).toEqual([4, 3]);
  });

  it.each([
    ["ACGT\n", /line 1 holds residues before any header/],
    [">a\n>b\nA\n", /record on line 1 has no residues/],
    [">a x\nA1\n", /line 2 holds a character that is no residue/],
    [">a\nA\n", /a has no word in its header/],
    ["", /has no records/],
  ])("refuses %j", async (text, message) => {
    await expect(readFastaSequences(bytes(text))).rejects.toThrow(message);
  });
});

describe("sounds, images and folders", () => {
  let root: string;
  const tone = (sampleRate: number, value: number): Uint8Array =>
    formatWav({ sampleRate, channels: 1, samples: new Float32Array(4).fill(value) });
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "classes-"));
    for (const [folder, name, content] of [
      ["sounds/yes", "1.wav", tone(8000, 0.5)],
      ["sounds/no", "1.wav", tone(8000, 0.25)],
      ["texts/up", "b.txt", "hi"],
      ["texts/up", "a.txt", "yo"],
      ["texts/down", "a.md", "no"],
      ["mixed/x", "a.txt", "no"],
      ["mixed/y", "a.wav", tone(8000, 0)],
    ] as const) {
      await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, folder, name), content);
    }
    await mkdir(join(root, "empty/x"), { recursive: true });
  });
  afterAll(() => rm(root, { recursive: true }));

  it("a folder for each class", async () => {
    expect(await readClassFolder(join(root, "sounds"))).toEqual({
      inputs: [
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.5, 0.5, 0.5],
      ],
      targets: [0, 1],
      classes: ["no", "yes"],
      sampleRate: 8000,
    });
    const tokenizer = { encode: (text: string): Int32Array => Int32Array.from(bytes(text)) };
    const texts = await readClassFolder(join(root, "texts"), { tokenizer });
    expect(texts.inputs.map((ids) => String.fromCharCode(...(ids as number[])))).toEqual(["no", "yo", "hi"]);
    expect(texts.targets).toEqual([0, 1, 1]);
    await expect(readClassFolder(join(root, "texts"))).rejects.toThrow(/texts, which need a tokenizer/);
    await expect(readClassFolder(join(root, "mixed"))).rejects.toThrow(/has sounds and texts/);
    await expect(readClassFolder(join(root, "empty"))).rejects.toThrow(/x: has no \.wav/);
    await expect(readClassFolder(join(root, "nowhere"))).rejects.toThrow(/has no folder, one for each class/);
  });

  it("sounds must be of one rate", async () => {
    const sounds = [8000, 16000].map((rate) => ({ source: tone(rate, 0), target: 1 }));
    await expect(readWavSequences(sounds)).rejects.toThrow(
      /must have 1 channels at 8000 Hz as the first, got 1 at 16000/,
    );
  });

  it("images row by row", () => {
    const idx = (shape: readonly number[], data: readonly number[]): Uint8Array =>
      new Uint8Array([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n]), ...data]);
    const images = parseIdx(idx([2, 2, 2], [0, 255, 51, 0, 255, 255, 0, 0]), "images");
    expect(imageRows(images, parseIdx(idx([2], [7, 3]), "labels"))).toEqual({
      inputs: [
        [
          [0, 1],
          [0.2, 0],
        ],
        [
          [1, 1],
          [0, 0],
        ],
      ],
      targets: [7, 3],
    });
    expect(() => imageRows(images, parseIdx(idx([1], [7]), "labels"))).toThrow(/labels \[n\]/);
  });
});
