import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { isOpen, markerPath, seriesStyle, sparse } from "../../src/components/seriesStyle.ts";

type Vector = readonly [number, number, number];
type Rows = readonly [Vector, Vector, Vector];

const css = readFileSync(resolve(import.meta.dirname, "../../src/style/colors.css"), "utf8");
const themes = {
  light: css.slice(0, css.indexOf('[data-theme="dark"]')),
  dark: css.slice(css.indexOf('[data-theme="dark"]')),
};
/** The colours of series; the same names as in the plots. */
const SERIES = ["mamba", "s4", "attention", "rnn", "bad", "quiet"];

const times = (rows: Rows, v: Vector): Vector =>
  rows.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Vector;

/** Linear light of `#rrggbb`. */
function linear(hex: string): Vector {
  return [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as unknown as Vector;
}

function colorOf(theme: keyof typeof themes, name: string): Vector {
  const hex = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(themes[theme])?.[1];
  if (hex === undefined) throw new Error(`colors.css has no --${name}`);
  return linear(hex);
}

/** Full dichromacy, on linear light. Source: Machado, Oliveira and Fernandes 2009, table of severity 1.0. */
const eyes: Readonly<Record<string, Rows>> = {
  "full colour vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

/** Source: Ottosson 2020, "A perceptual color space for image processing". */
function okLab(light: Vector): Vector {
  const lms = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    light,
  ).map((x) => Math.cbrt(Math.max(0, x))) as unknown as Vector;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    lms,
  );
}

const luminance = ([r, g, b]: Vector): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (a: Vector, b: Vector): number => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
};

describe.each(["light", "dark"] as const)("in %s colours", (theme) => {
  it.each(Object.entries(eyes))("each two series are apart to %s", (_, rows) => {
    const seen = SERIES.map((name) => {
      const [r, g, b] = times(rows, colorOf(theme, name));
      return okLab([Math.max(0, Math.min(1, r)), Math.max(0, Math.min(1, g)), Math.max(0, Math.min(1, b))]);
    });
    for (let i = 0; i < seen.length; i++)
      for (let j = 0; j < i; j++) {
        const distance = Math.hypot(...seen[i]!.map((x, c) => x - seen[j]![c]!));
        // 0.02 is a just noticeable difference side by side; lines are thin and far apart, so six times that
        expect(distance, `${SERIES[i]} and ${SERIES[j]}`).toBeGreaterThan(0.12);
      }
  });

  it.each(SERIES)("%s can be read as text", (name) => {
    for (const ground of ["surface", "background"])
      expect(contrast(colorOf(theme, name), colorOf(theme, ground)), ground).toBeGreaterThan(4.5);
  });
});

it("each two series differ in their dashes and in their markers", () => {
  expect(new Set(SERIES.map((tone) => seriesStyle(tone).dash.join())).size).toBe(SERIES.length);
  expect(new Set(SERIES.map((tone) => markerPath(seriesStyle(tone).marker, 3))).size).toBe(SERIES.length);
  expect(SERIES.map((tone) => seriesStyle(tone).marker).filter(isOpen)).toHaveLength(2);
});

it("a line's markers are spread over it, and no two series have theirs at one place", () => {
  const all = [0, 1, 2, 3].map((series) => sparse(0, 399, 7, series, 4));
  for (const marks of all) {
    expect(marks).toHaveLength(7);
    expect(Math.max(...marks) - Math.min(...marks)).toBeGreaterThan(300);
  }
  expect(new Set(all.flat()).size).toBe(28);
  expect(sparse(0, 4, 7, 0, 2)).toEqual([0, 1, 2, 3, 4]);
});
