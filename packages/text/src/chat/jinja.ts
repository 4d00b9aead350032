import type { Interpreter } from "@huggingface/jinja";

/** A parsed template: variables to text. */
export type Rendering = (variables: Readonly<Record<string, unknown>>) => string;

const LONGEST_RANGE = 1_000_000;
/** A second or two of work; a conversation of ten thousand messages takes a tenth. */
const MOST_STEPS = 2_000_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/**
 * Parses Jinja as transformers sets it up for chat templates: blocks leave no white space, and `range` and `strftime_now` are there. The library's own
 * `Template` lets none of its globals be replaced, and we need our own `raise_exception` and a `range` that does not count for ever.
 */
export async function parseJinja(text: string): Promise<Rendering> {
  const { Environment, Interpreter, parse, tokenize } = await import("@huggingface/jinja");
  const program = parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));

  /** Counts what it does: nothing else could stop a loop in a loop. */
  class CountingInterpreter extends Interpreter {
    #left = MOST_STEPS;
    readonly #looped = new Set<unknown>();

    override evaluate(
      ...[node, environment]: Parameters<Interpreter["evaluate"]>
    ): ReturnType<Interpreter["evaluate"]> {
      // Rounds of a loop whose body does nothing are no steps of their own: its list is counted.
      if (node?.type === "For") this.#looped.add((node as { iterable?: unknown }).iterable);
      const result = super.evaluate(node, environment);
      this.#left -= 1 + (makesValue(node) || this.#looped.has(node) ? weight(result.value) : 0);
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

/** Whether a node makes a value, and does not only look at one that is there. */
function makesValue(node: unknown): boolean {
  const { type, property } = (node ?? {}) as { type?: string; property?: { type?: string } };
  return type !== "Identifier" && (type !== "MemberExpression" || property?.type === "SliceExpression");
}

/** Steps that making a value counts for. */
function weight(value: unknown): number {
  return typeof value === "string" ? value.length >> 6 : Array.isArray(value) ? value.length : 0;
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
