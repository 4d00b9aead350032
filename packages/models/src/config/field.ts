import { ConfigFields, type NumberRange } from "./fields.ts";

/** Whose names a file uses beside ours: Hugging Face transformers', or those of the papers' `mamba_ssm` package. */
export type Dialect = "transformers" | "mamba_ssm";

/** What is known of a layer while its fields are read: a default may follow from other fields. */
export interface Known {
  readonly dModel: number;
  /** The value of another field that is a number. */
  num(setting: string): number;
  /** Whether another field has this value. */
  is(setting: string, value: unknown): boolean;
  /** Whether the file says anything of a setting. */
  given(setting: string): boolean;
  fail(setting: string, must: string): never;
}

/** A default that follows from other fields, and how the README's table says it. */
export interface DerivedDefault {
  readonly text: string;
  of(known: Known): unknown;
}

interface FieldBase {
  /** What it means. */
  readonly doc: string;
  /** The value of an absent field; a field without one, and not optional, must be given. */
  readonly default?: unknown;
  /** May be absent. */
  readonly optional?: true;
  /** Only decides the defaults of other fields; the config itself does not keep it. */
  readonly shorthand?: true;
  /** A file may also call the default "auto". */
  readonly auto?: true;
  readonly names?: Readonly<Partial<Record<Dialect, string>>>;
}

interface NumberField extends FieldBase, NumberRange {
  /** `integer` is from 1 unless told. */
  readonly type: "integer" | "number" | "interval";
}
interface BooleanField extends FieldBase {
  readonly type: "boolean";
}
interface ChoiceField extends FieldBase {
  readonly type: "choice";
  readonly choices: readonly string[];
}
interface NumbersField extends FieldBase {
  readonly type: "numbers";
  readonly length: number;
}
interface RatesField extends FieldBase {
  /** An object of numbers in 0..1, each by its name. */
  readonly type: "rates";
  readonly keys: readonly string[];
}
interface RecordField extends FieldBase {
  /** An object with settings of its own. */
  readonly type: "record";
  /** What is in it, in words. */
  readonly text: string;
  read(fields: ConfigFields): object;
}

/** One setting of a layer, as a literal: type, range, default, meaning and names. */
export type Field = NumberField | BooleanField | ChoiceField | NumbersField | RatesField | RecordField;
/** Settings by name. */
export type Fields = Readonly<Record<string, Field>>;

type ValueOf<F> = F extends { type: "integer" | "number" }
  ? number
  : F extends { type: "boolean" }
    ? boolean
    : F extends { type: "choice"; choices: readonly (infer C)[] }
      ? C
      : F extends { type: "interval" }
        ? readonly [number, number]
        : F extends { type: "numbers" }
          ? readonly number[]
          : F extends { type: "rates"; keys: readonly (infer K extends string)[] }
            ? { readonly [Key in K]?: number }
            : F extends { type: "record"; read: (fields: ConfigFields) => infer R }
              ? R
              : never;

type Marked<F, Mark extends string> = {
  [K in keyof F]: F[K] extends Readonly<Record<Mark, true>> ? K : never;
}[keyof F];

/** The config that fields describe, for a layer of `dModel` channels. */
export type ConfigOf<F> = { readonly dModel: number } & {
  readonly [K in Exclude<keyof F, Marked<F, "optional"> | Marked<F, "shorthand">>]: ValueOf<F[K]>;
} & { readonly [K in Exclude<Marked<F, "optional">, Marked<F, "shorthand">>]?: ValueOf<F[K]> | undefined };

/** Settings as they may be given: all may be absent. */
export type GivenOf<F> = { readonly [K in keyof F]?: ValueOf<F[K]> | undefined };

/** The object that holds no field. */
export const NOTHING: ConfigFields = new ConfigFields({});

/** The default of a field, worked out where it follows from others. */
export function defaultOf({ default: standard }: Field, known: Known): unknown {
  return isDerived(standard) ? standard.of(known) : standard;
}

/**
 * Reads one field under the name a file has it by.
 * @param standard the value of an absent field, worked out only where it is needed
 */
export function readField(field: Field, source: ConfigFields, name: string, standard: () => unknown): unknown {
  const from = field.auto && source.is(name, "auto") ? NOTHING : source;
  const fallback = from.has(name) ? undefined : standard();
  if (field.optional && fallback === undefined && !from.has(name)) return undefined;
  switch (field.type) {
    case "integer":
      return from.integer(name, fallback as number | undefined, field);
    case "number":
      return from.number(name, fallback as number | undefined, field);
    case "boolean":
      return from.boolean(name, fallback as boolean);
    case "choice":
      return from.choice(name, field.choices, fallback as string);
    case "interval":
      return from.interval(name, fallback as readonly [number, number], field);
    case "numbers":
      return from.numbers(name, fallback as readonly number[] | undefined, field.length);
    case "rates":
      return readRates(from.object(name), field.keys);
    case "record":
      return from.has(name) ? field.read(from.object(name)) : fallback;
  }
}

function readRates(fields: ConfigFields, keys: readonly string[]): Readonly<Record<string, number>> {
  const out: Record<string, number> = {};
  for (const key of keys) if (fields.has(key)) out[key] = fields.number(key, undefined, { min: 0, max: 1 });
  fields.rejectUnknown();
  return out;
}

/** The values a field takes, in words. */
export function valuesText(field: Field): string {
  const auto = field.auto ? " or `auto`" : "";
  switch (field.type) {
    case "integer": {
      const { min = 1, max } = field;
      return (max === undefined ? `whole number from ${min}` : `whole number in ${min}..${max}`) + auto;
    }
    case "number": {
      const { min, max, above } = field;
      if (min === 0 && above && max === 1e30) return "positive number";
      return [
        "number",
        min === undefined ? "" : `${above ? "above" : "from"} ${min}`,
        max === undefined ? "" : `to ${max}`,
      ]
        .filter((part) => part !== "")
        .join(" ");
    }
    case "boolean":
      return "true, false";
    case "choice":
      return field.choices.map((name) => `\`${name}\``).join(", ");
    case "interval":
      return "[low, high]";
    case "numbers":
      return `${field.length} numbers`;
    case "rates":
      return `{ ${field.keys.join(", ")} }, each 0 to 1`;
    case "record":
      return field.text;
  }
}

/** A field's default, in words. */
export function defaultText({ default: standard, optional }: Field): string {
  if (isDerived(standard)) return standard.text;
  if (standard === undefined) return optional ? "none" : "must be given";
  return Array.isArray(standard) ? `[${standard.join(", ")}]` : JSON.stringify(standard).replaceAll('"', "");
}

function isDerived(standard: unknown): standard is DerivedDefault {
  return typeof standard === "object" && standard !== null && "of" in standard;
}
