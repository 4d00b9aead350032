import { parseExpression, type Part } from "./expressionTree.ts";

/** Characters of every kind that tokenizers tell apart: two parts that take one of them in common can take each other's text. */
const SAMPLES: readonly string[] = [
  ...Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)),
  ..."ǅʰ̀Ααאعहไกᄀあアㄅ中文한々〇०٠Ⅳ①²½‐–—“”…、。，！？《》€∑→▁\u200b\u200d\u2028\u2029\u3000\ufeff\ufffd😀𝐀𠀀",
];

/** Repeats of one text that overlap in one sequence: of three the time grows with the cube of a text's length. */
const MOST_OVERLAPS = 2;
/** Bounds from which on a repeat of a character, and of a group that can take a text in several ways, costs as if it had none. */
const [MANY, MANY_ROUNDS] = [32, 4];

/**
 * Why an expression can take a time out of all proportion to the text it is matched with, in a few words; `undefined` where no reason is seen.
 * Three kinds are told: a repeat in a repeat that can take the same text in many ways, `(a+)+`; alternatives that begin alike in
 * a repeat, `(a|ab?)*`; and three or more repeats in a row that can take each other's text, `a*a*a*`. Engines that go back find out
 * exponentially or cubically late that there is no match, and nothing can stop them.
 */
export function expressionFault(source: string): string | undefined {
  const alternatives = parseExpression(source);
  return alternatives === undefined ? undefined : faultOf(alternatives);
}

function faultOf(alternatives: readonly (readonly Part[])[]): string | undefined {
  for (const sequence of alternatives) {
    const found = overlapping(sequence);
    if (found !== undefined) return found;
    for (const part of sequence) {
      const inside = part.alternatives === undefined ? undefined : (faultOf(part.alternatives) ?? repeatFault(part));
      if (inside !== undefined) return inside;
    }
  }
  return undefined;
}

const repeats = ({ max }: Part): boolean => max >= MANY;

/** What a repeated group holds that can take the same text in many ways. */
function repeatFault(part: Part): string | undefined {
  if (part.max < MANY_ROUNDS || part.alternatives === undefined) return undefined;
  for (const sequence of part.alternatives) {
    // What has to come in each round, and cannot be taken by the part that varies, leaves one way only.
    const ends = (inner: Part): boolean =>
      sequence.some((each) => each !== inner && each.min > 0 && !each.empty && !meets(each, inner));
    if (sequence.some((inner) => varies(inner) && !ends(inner))) return "a repeat inside a repeat";
  }
  const begins = part.alternatives.map((sequence) => firsts(sequence));
  const alike = begins.some((set, i) => begins.slice(0, i).some((other) => intersects(set, other)));
  return alike ? "alternatives that begin alike inside a repeat" : undefined;
}

/** Whether it, or what it holds, takes text of no fixed length. */
function varies(part: Part): boolean {
  if (part.empty) return false;
  return (
    part.min !== part.max || (part.alternatives?.some((sequence) => sequence.some((each) => varies(each))) ?? false)
  );
}

/** Repeats in a row, with nothing that must come between, which can take each other's text. */
function overlapping(sequence: readonly Part[]): string | undefined {
  let run: Part[] = [];
  for (const part of sequence) {
    if (part.empty) continue;
    if (repeats(part)) {
      run = [...run.filter((each) => meets(each, part)), part];
      if (run.length > MOST_OVERLAPS) return `${run.length} repeats in a row that take the same text`;
    } else if (part.min > 0) run = run.filter((each) => meets(each, part));
  }
  return undefined;
}

const meets = (a: Part, b: Part): boolean => intersects(characters(a), characters(b));

function intersects(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const character of a) if (b.has(character)) return true;
  return false;
}

/** Sample characters that a part can take anywhere in its text. */
function characters(part: Part): ReadonlySet<string> {
  if (part.atom !== undefined) return ofAtom(part.atom);
  return union((part.alternatives ?? []).flat().map((each) => characters(each)));
}

/** Sample characters that a sequence can begin with. */
function firsts(sequence: readonly Part[]): ReadonlySet<string> {
  const found: ReadonlySet<string>[] = [];
  for (const part of sequence) {
    if (part.empty) continue;
    found.push(
      part.alternatives === undefined ? characters(part) : union(part.alternatives.map((each) => firsts(each))),
    );
    if (part.min > 0) break;
  }
  return union(found);
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const set of sets) for (const character of set) all.add(character);
  return all;
}

const known = new Map<string, ReadonlySet<string>>();

function ofAtom(atom: string): ReadonlySet<string> {
  const found = known.get(atom) ?? new Set(matching(atom));
  if (known.size > 1000) known.clear();
  known.set(atom, found);
  return found;
}

/** Where the engine does not know the atom (another dialect's), it may take anything. */
function matching(atom: string): readonly string[] {
  for (const flags of ["vs", "us", "s"])
    try {
      const expression = new RegExp(`^(?:${atom})$`, flags);
      return SAMPLES.filter((character) => expression.test(character));
    } catch {
      // The next dialect.
    }
  return SAMPLES;
}
