import { FormatError, Rng } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  encodeNucleotides,
  formatFasta,
  formatIdx,
  formatWav,
  parseCsv,
  parseFasta,
  parseIdx,
  parseMnistJson,
  parseWav,
} from "../src/index.ts";

/** Damages bytes at random, many times: the parser must return or throw a `FormatError`, nothing else. */
function expectHardened(valid: Uint8Array, parse: (bytes: Uint8Array) => unknown, rounds: number = 3000): void {
  const rng = new Rng(7);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    let bytes = valid.slice();
    if (round % 3 === 0) bytes = bytes.subarray(0, rng.integer(bytes.length + 1));
    for (let i = rng.integer(4); i >= 0 && bytes.length > 0; i--)
      bytes[rng.integer(Math.min(bytes.length, round % 2 ? 64 : bytes.length))] = rng.integer(256);
    try {
      parse(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(rounds / 20);
}

describe("IDX", () => {
  test("reads back what it writes, and big-endian types", () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i * 7);
    expect(parseIdx(formatIdx([2, 3, 4], data))).toEqual({ shape: [2, 3, 4], data });
    expect(parseIdx(Uint8Array.of(0, 0, 0x0b, 1, 0, 0, 0, 2, 0xff, 0xfe, 1, 0)).data).toEqual(Int16Array.of(-2, 256));
    expect(parseIdx(Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0)).data).toEqual(Float32Array.of(1));
    expect(parseIdx(Uint8Array.of(0, 0, 0x08, 1, 0, 0, 0, 0)).data).toHaveLength(0);
  });

  test("names what is wrong, before it allocates", () => {
    expect(() => parseIdx(Uint8Array.of(1, 0, 8, 1))).toThrow(/magic/);
    expect(() => parseIdx(Uint8Array.of(0, 0, 7, 1))).toThrow(/unknown element type 0x7/);
    expect(() => parseIdx(Uint8Array.of(0, 0, 8, 3, 0, 0))).toThrow(/header of 3 dimensions/);
    expect(() => parseIdx(Uint8Array.of(0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255))).toThrow(/asks for/);
    expect(() => formatIdx([2, 2], new Uint8Array(3))).toThrow(FormatError);
  });

  test("survives damage", () => expectHardened(formatIdx([3, 4, 4], new Uint8Array(48).fill(9)), parseIdx));
});

describe("CSV", () => {
  test("RFC 4180: quotes, doubled quotes, line breaks within, CRLF, empty fields, no last line break", () => {
    const text = '\ufeffa,b,c\r\n"x, ""y""",,"two\r\nlines"\n1,2,3';
    expect(parseCsv(text)).toEqual([
      ["a", "b", "c"],
      ['x, "y"', "", "two\r\nlines"],
      ["1", "2", "3"],
    ]);
    expect(parseCsv("a;b\n", { delimiter: ";" })).toEqual([["a", "b"]]);
    expect(parseCsv("")).toEqual([]);
    expect(parseCsv("a,\n,b\n")).toEqual([
      ["a", ""],
      ["", "b"],
    ]);
    expect(parseCsv('""\n"x"')).toEqual([[""], ["x"]]);
    expect(parseCsv("a,b,")).toEqual([["a", "b", ""]]);
  });

  test.each([
    ["a,b\n1\n", /line 2 must have 2 fields, got 1/],
    ['a\n"b', /quote opened on line 2 is never closed/],
    ['a\nb"c', /line 2 has a quote inside/],
    ['"a"b', /line 1 has text after/],
    ['"a\nb"c', /line 2 has text after/],
    ["a\rb", /carriage return/],
  ])("%j is refused", (text, message) => {
    expect(() => parseCsv(text)).toThrow(FormatError);
    expect(() => parseCsv(text)).toThrow(message);
  });

  test("any table survives being written and read", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 300; round++) {
      const width = 1 + rng.integer(4);
      const field = (): string => Array.from({ length: rng.integer(5) }, () => 'a",\n\r é'[rng.integer(7)]).join("");
      const table = Array.from({ length: 1 + rng.integer(4) }, () => Array.from({ length: width }, field));
      const text = table.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")).join("\r\n");
      expect(parseCsv(text)).toEqual(table);
    }
  });

  test("survives damage", () =>
    expectHardened(new TextEncoder().encode('a,b\n"x ""y""",2\n3,4\n'), (bytes) =>
      parseCsv(new TextDecoder().decode(bytes)),
    ));
});

describe("FASTA", () => {
  const records = [
    { id: "seq1", description: "first of two", sequence: "ACGTN".repeat(40) },
    { id: "seq2", description: "", sequence: "MKV*" },
  ];

  test("reads back what it writes; comments, blank lines, CRLF and lower case are borne", () => {
    expect(parseFasta(formatFasta(records, 60))).toEqual(records);
    expect(parseFasta(";note\r\n>a b c\r\nac\r\n\r\ngt\r\n")).toEqual([
      { id: "a", description: "b c", sequence: "ACGT" },
    ]);
    expect([...encodeNucleotides("ACGTUNacgtR")]).toEqual([1, 2, 3, 4, 4, 0, 1, 2, 3, 4, 0]);
  });

  test.each([
    ["ACGT", /line 1 holds residues before any header/],
    [">\nACGT", /line 1 is a header without a name/],
    [">a\n>b\nAC", /record on line 1 has no residues/],
    [">a\nAC1T", /line 2 holds a character/],
    ["", /no record/],
  ])("%j is refused", (text, message) => {
    expect(() => parseFasta(text)).toThrow(FormatError);
    expect(() => parseFasta(text)).toThrow(message);
  });

  test("survives damage", () => expectHardened(new TextEncoder().encode(formatFasta(records)), parseFasta));
});

/** A WAV file with one chunk to skip before the data. */
function wav(
  coding: number,
  bits: number,
  channels: number,
  data: Uint8Array,
  extensible: boolean = false,
): Uint8Array {
  const fmt = new DataView(new ArrayBuffer(extensible ? 40 : 16));
  fmt.setUint16(0, extensible ? 0xfffe : coding, true);
  fmt.setUint16(2, channels, true);
  fmt.setUint32(4, 8000, true);
  fmt.setUint16(12, (channels * bits) / 8, true);
  fmt.setUint16(14, bits, true);
  if (extensible) fmt.setUint16(24, coding, true);
  const chunk = (name: string, body: Uint8Array): number[] => {
    const size = new Uint8Array(Uint32Array.of(body.length).buffer);
    return [...new TextEncoder().encode(name), ...size, ...body, ...(body.length % 2 ? [0] : [])];
  };
  const body = [
    ...chunk("fmt ", new Uint8Array(fmt.buffer)),
    ...chunk("LIST", Uint8Array.of(1, 2, 3)),
    ...chunk("data", data),
  ];
  return Uint8Array.from([...chunk("RIFF", new Uint8Array(0)), ...new TextEncoder().encode("WAVE"), ...body]);
}

describe("WAV", () => {
  test.each([
    [1, 8, [0, 128, 255], [-1, 0, 127 / 128]],
    [1, 16, [0, 0x80, 0xff, 0x7f, 1, 0], [-1, 32767 / 32768, 1 / 32768]],
    [1, 24, [0, 0, 0x80, 0xff, 0xff, 0x7f, 1, 0, 0, 0xff, 0xff, 0xff], [-1, 8388607 / 8388608, 2 ** -23, -(2 ** -23)]],
    [1, 32, [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
    [3, 32, [0, 0, 0, 0x3f, 0, 0, 0x80, 0xbf], [0.5, -1]],
  ])("coding %i of %i bits", (coding, bits, bytes, expected) => {
    for (const extensible of [false, true]) {
      const sound = parseWav(wav(coding, bits, 1, Uint8Array.from(bytes), extensible));
      expect(sound).toEqual({ sampleRate: 8000, channels: 1, samples: Float32Array.from(expected) });
    }
  });

  test("reads back what it writes, to half a step of 16 bits", () => {
    const samples = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const { samples: back, channels } = parseWav(formatWav({ sampleRate: 16000, channels: 2, samples }));
    expect(channels).toBe(2);
    // Rounding costs half a step; the top sample may clip to 32767, one step below 1.
    back.forEach((x, i) => expect(Math.abs(x - samples[i])).toBeLessThanOrEqual(2 ** -15));
  });

  test("names what is wrong", () => {
    const good = wav(1, 16, 1, Uint8Array.of(1, 2, 3, 4));
    const edit = (at: number, ...bytes: number[]): Uint8Array => {
      const copy = good.slice();
      copy.set(bytes, at);
      return copy;
    };
    expect(() => parseWav(good.subarray(0, 11))).toThrow(/not a RIFF WAVE/);
    expect(() => parseWav(edit(16, 0xff, 0xff, 0xff, 0xff))).toThrow(
      /"fmt " of 4294967295 bytes at 12 runs past the end/,
    );
    expect(() => parseWav(edit(20, 2))).toThrow(/coding 2 with 16 bits/);
    expect(() => parseWav(edit(22, 0))).toThrow(/0 channels/);
    expect(() => parseWav(edit(32, 3))).toThrow(/block align/);
    expect(() => parseWav(edit(12, 0x66, 0x6d, 0x74, 0x30))).toThrow(/"data" comes before "fmt "/);
    expect(() => parseWav(good.subarray(0, 36))).toThrow(/no "data"/);
    expect(() => parseWav(wav(1, 16, 2, Uint8Array.of(1, 2)))).toThrow(/whole number of frames/);
    expect(() => parseWav(wav(3, 32, 1, Uint8Array.of(0, 0, 0xc0, 0x7f)))).toThrow(/not finite/);
  });

  test("survives damage", () => expectHardened(wav(1, 24, 2, new Uint8Array(60)), (bytes) => parseWav(bytes)));
});

test("mnist JSON: pixels become bytes, digits labels; anything else is refused", () => {
  const file = (value: number, count: number = 784): string => JSON.stringify({ data: new Array(count).fill(value) });
  const files = Array.from({ length: 10 }, (_, digit) => file(digit / 10, digit === 3 ? 1568 : 784));
  const { images, labels } = parseMnistJson(files);
  expect(images.shape).toEqual([11, 28, 28]);
  expect([...labels.data]).toEqual([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9]);
  expect(images.data[784 * 4]).toBe(Math.round(0.3 * 255));
  for (const bad of ["", "null", "[]", '{"data":[]}', '{"data":[1]}', file(2), file(Number.NaN), file(-0.1)]) {
    expect(() => parseMnistJson([...files.slice(0, 9), bad])).toThrow(FormatError);
  }
  expect(() => parseMnistJson(files.slice(1))).toThrow(FormatError);
});
