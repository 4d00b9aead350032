import type { Interpreter } from "@huggingface/jinja";

/** A parsed template: variables to text. */
export type Rendering = (variables: Readonly<Record<string, unknown>>) => string;

const LONGEST_RANGE = 1_000_000;
/** A second or two of work; a conversation of ten thousand messages takes a tenth. */
const MOST_STEPS = 2_000_000;
/** Letters of a template, of which the longest that are published have a tenth; of a text that it makes of others. */
const LONGEST_TEMPLATE = 1 << 20;
const LONGEST_TEXT = 1 << 22;
/** What a filter may be told as a number: how far to indent, how wide to make. */
const LARGEST_NUMBER = 256;
/** Of white space in a row: the library's expressions go over it once for each place in it. */
const MOST_SPACE = 10_000_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/**
 * Parses Jinja as transformers sets it up for chat templates: blocks leave no white space, and `range` and `strftime_now` are there. The library's own
 * `Template` lets none of its globals be replaced, and we need our own `raise_exception` and a `range` that does not count for ever.
 */
export async function parseJinja(text: string): Promise<Rendering> {
  checkLength(text);
  const { Environment, Interpreter, parse, tokenize } = await import("@huggingface/jinja");
  const program = parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));

  /** Counts what it does: nothing else could stop a loop in a loop. */
  class CountingInterpreter extends Interpreter {
    #left = MOST_STEPS;
    readonly #looped = new Set<unknown>();
    /** What only a part is taken of. */
    readonly #partly = new Set<unknown>();
    readonly #numbers = new Set<unknown>();

    override evaluate(
      ...[node, environment]: Parameters<Interpreter["evaluate"]>
    ): ReturnType<Interpreter["evaluate"]> {
      const parts = (node ?? {}) as NodeParts;
      // Rounds of a loop whose body does nothing are no steps of their own: its list is counted.
      if (parts.type === "For") this.#looped.add(parts.iterable);
      if (parts.type === "MemberExpression") this.#partly.add(parts.object);
      if (parts.type === "FilterExpression") for (const each of numbersOf(parts)) this.#numbers.add(each);
      const result = super.evaluate(node, environment);
      const { value } = result as { value: unknown };
      if (this.#numbers.has(node) && typeof value === "number" && Math.abs(value) > LARGEST_NUMBER)
        throw new Error(`a filter's number must be at most ${LARGEST_NUMBER}, got ${value}`);
      if (typeof value === "string" && value.length > LONGEST_TEXT && makesValue(parts))
        throw new Error(`it makes a text of more than ${LONGEST_TEXT} letters`);
      const made = makesValue(parts) || this.#looped.has(node);
      // A comparison, a filter or a function may go over all of what it is given.
      const seen = parts.type === "Identifier" && !this.#partly.has(node);
      this.#left -= 1 + (made ? weight(value) : seen ? weight(value) >> 5 : 0);
      if (this.#left < 0) throw new Error(`it takes more than ${MOST_STEPS} steps`);
      return result;
    }
  }

  return (variables) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...variables })) environment.set(name, value);
    const result = new CountingInterpreter(environment).run(program);
    return String(result.value);
  };
}

/** What of the library's nodes is looked at. */
interface NodeParts {
  readonly type?: string;
  readonly iterable?: unknown;
  readonly object?: unknown;
  readonly property?: { readonly type?: string };
  readonly filter?: { readonly args?: readonly { readonly type?: string; readonly value?: unknown }[] };
}

/** The nodes of what a filter is told. */
function numbersOf({ filter }: NodeParts): readonly unknown[] {
  return (filter?.args ?? []).map((arg) => (arg.type === "KeywordArgumentExpression" ? arg.value : arg));
}

/** Whether a node makes a value, and does not only look at one that is there. */
function makesValue({ type, property }: NodeParts): boolean {
  return type !== "Identifier" && (type !== "MemberExpression" || property?.type === "SliceExpression");
}

/** Steps that making a value counts for. */
function weight(value: unknown): number {
  return typeof value === "string" ? value.length >> 5 : Array.isArray(value) ? value.length : 0;
}

/** Errors: Error for a template that it would take too long to cut into its parts. */
function checkLength(text: string): void {
  if (text.length > LONGEST_TEMPLATE)
    throw new Error(`it must have at most ${LONGEST_TEMPLATE} letters, got ${text.length}`);
  let cost = 0;
  for (const [space] of text.matchAll(/\s+/g)) cost += space.length ** 2;
  if (cost > MOST_SPACE) throw new Error("it has too much white space in a row");
}

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: boundedRange,
  strftime_now: (format: string) => formatTime(new Date(), format),
};

/** Python's `range`. */
function boundedRange(first: number, end?: number, step: number = 1): number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= LONGEST_RANGE)) throw new Error(`range must be at most ${LONGEST_RANGE} long`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** The parts of Python's `strftime` that templates use, in English wherever it runs, as models were trained. */
export function formatTime(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const [month, day] = [MONTHS[date.getMonth()], DAYS[date.getDay()]];
  const parts: Readonly<Record<string, string>> = {
    "%": "%",
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    B: month,
    b: month.slice(0, 3),
    d: two(date.getDate()),
    A: day,
    a: day.slice(0, 3),
    H: two(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
  };
  return format.replaceAll(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole);
}
