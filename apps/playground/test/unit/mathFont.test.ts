import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import temml from "temml";
import { describe, expect, it } from "vitest";
import { parseFormulas } from "../../build/formulas.ts";

/** The shipped math font has what the formulas need, so that they look alike where a device has none. */
const source = join(import.meta.dirname, "../../src");
const font = readFileSync(join(source, "style/mathFont.woff2"));

/** Characters that a WOFF2 font maps to glyphs, and the names of its tables. Source: WOFF2 (W3C), section 4; OpenType's cmap, formats 4 and 12. */
function readFont(file: Buffer): { tables: string[]; characters: Set<number> } {
  const known = (
    "cmap head hhea hmtx maxp name OS/2 post cvt  fpgm glyf loca prep CFF  VORG EBDT EBLC gasp hdmx kern LTSH PCLT VDMX vhea vmtx BASE GDEF GPOS GSUB EBSC JSTF " +
    "MATH CBDT CBLC COLR CPAL SVG  sbix acnt avar bdat bloc bsln cvar fdsc feat fmtx fvar gvar hsty just lcar mort morx opbd prop trak Zapf Silf Glat Gloc Feat Sill"
  ).match(/.{4} ?/g)!;
  expect(file.toString("latin1", 0, 4)).toBe("wOF2");
  let at = 48;
  const number = (): number => {
    let value = 0;
    for (;;) {
      const byte = file[at++]!;
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
  };
  const tables: { name: string; length: number }[] = [];
  for (let i = 0; i < file.readUInt16BE(12); i++) {
    const flags = file[at++]!;
    let name = known[flags & 63]?.slice(0, 4);
    if ((flags & 63) === 63) name = file.toString("latin1", at, (at += 4));
    const length = number();
    // glyf and loca are transformed unless version 3 says that they are not
    const transformed = name === "glyf" || name === "loca" ? flags >> 6 !== 3 : flags >> 6 !== 0;
    tables.push({ name: name!, length: transformed ? number() : length });
  }
  const data = brotliDecompressSync(file.subarray(at, at + file.readUInt32BE(20)));
  let from = 0;
  const characters = new Set<number>();
  for (const { name, length } of tables) {
    if (name === "cmap") readMap(data.subarray(from, from + length), characters);
    from += length;
  }
  return { tables: tables.map(({ name }) => name), characters };
}

function readMap(cmap: Buffer, characters: Set<number>): void {
  for (let i = 0; i < cmap.readUInt16BE(2); i++) {
    const table = cmap.subarray(cmap.readUInt32BE(4 + 8 * i + 4));
    if (table.readUInt16BE(0) === 12)
      for (let g = 0; g < table.readUInt32BE(12); g++)
        for (let c = table.readUInt32BE(16 + 12 * g); c <= table.readUInt32BE(20 + 12 * g); c++) characters.add(c);
    if (table.readUInt16BE(0) === 4) {
      const twice = table.readUInt16BE(6);
      for (let s = 0; s < twice; s += 2)
        for (let c = table.readUInt16BE(16 + twice + s); c <= table.readUInt16BE(14 + s) && c < 0xffff; c++)
          characters.add(c);
    }
  }
}

const { tables, characters } = readFont(font);

it("is small, and knows how mathematics is set", () => {
  expect(font.length).toBeLessThan(12_000);
  expect(tables).toContain("MATH");
  expect(readFileSync(join(source, "style/mathFont.LICENSE"), "utf8")).toContain("SIL Open Font License");
});

/** A name of one letter is slanted, which browsers do by characters of its own. */
function slanted(letter: string): string {
  if (letter === "h") return "ℎ";
  if (/[a-z]/.test(letter)) return String.fromCodePoint(0x1d44e + letter.charCodeAt(0) - 97);
  return /[A-Z]/.test(letter) ? String.fromCodePoint(0x1d434 + letter.charCodeAt(0) - 65) : letter;
}

describe.each(globSync("pages/*/formulas.tex", { cwd: source }))("%s", (file) => {
  it.each(parseFormulas(readFileSync(join(source, file), "utf8")))("%s has all its characters", (_, tex) => {
    const html = temml.renderToString(tex, { displayMode: true, annotate: false });
    const text = html.replace(/<mi>([A-Za-z])<\/mi>/g, (_whole, letter: string) => `<mi>${slanted(letter)}</mi>`);
    const shown = text
      .replace(/<[^>]*>/g, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&");
    // function application, and spaces of all kinds, are not drawn
    const needed = [...shown].filter((character) => !/[\s\u2061-\u2064]/u.test(character));
    // a root's sign stands in no text
    if (/<m(sqrt|root)>/.test(html)) needed.push("√");
    expect(needed.filter((character) => !characters.has(character.codePointAt(0)!))).toEqual([]);
  });
});

it("has the letters of both notations", () => {
  for (const letter of "xuh") expect(characters.has(slanted(letter).codePointAt(0)!), letter).toBe(true);
});
