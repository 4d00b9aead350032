import { ArgumentError } from "@statespace/core";
import type { JsonObject } from "@statespace/files";
import { encodeJson } from "./encodeJson.ts";
import { defaultOf, NOTHING, readField, type Dialect, type Fields } from "./field.ts";
import { ConfigFields } from "./fields.ts";

/** Says what is wrong with a setting, by its name. */
export type Fail = (setting: string, must: string) => never;

/** The name a setting has in some file; `undefined` where it has none. */
export type Names = (setting: string) => string | undefined;

/** How `Schema.read` finds and fills fields. */
export interface SchemaReadOptions<Given> {
  /** Its own name unless told. */
  readonly names?: Names;
  /** Values of absent fields, before the schema's own. */
  readonly defaults?: Given;
}

/** What a config of any layer has. */
interface AnyConfig {
  readonly dModel: number;
}

/**
 * The settings of a layer, each declared once. Types, reading, checking, writing and the README's table follow from it.
 * `check` sees what no field sees alone.
 */
export class Schema<Config extends AnyConfig, Given extends object = Partial<Config>> {
  readonly kind: string;
  readonly fields: Fields;
  readonly #check: (config: Config, fail: Fail) => void;

  /** @param groups fields, in the order of the table */
  constructor(kind: string, groups: readonly Fields[], check: (config: Config, fail: Fail) => void = () => {}) {
    this.kind = kind;
    this.fields = Object.assign({}, ...groups) as Fields;
    this.#check = check;
  }

  /** The same schema under another name, with some fields declared anew (of the same type). */
  with(kind: string, fields: Fields): Schema<Config, Given> {
    return new Schema(kind, [this.fields, fields], this.#check);
  }

  /** The names that a dialect has for the settings, some of them replaced by a family's own. */
  names(dialect: Dialect | undefined, own: Readonly<Record<string, string>> = {}): Names {
    return (setting) => own[setting] ?? (dialect && this.fields[setting]?.names?.[dialect]);
  }

  /** Reads the settings of a file's object. @throws FormatError naming the setting. */
  read(source: ConfigFields, dModel: number, options: SchemaReadOptions<Given> = {}): Config {
    const { names = (setting: string): string => setting } = options;
    const defaults = (options.defaults ?? {}) as Readonly<Record<string, unknown>>;
    const fail: Fail = (setting, must) => {
      throw source.error(names(setting) ?? setting, must);
    };
    const given = (setting: string): boolean => {
      const name = names(setting);
      return (name !== undefined && source.has(name)) || defaults[setting] !== undefined;
    };
    const values = new Map<string, unknown>();
    const valueOf = (setting: string): unknown => {
      if (values.has(setting)) return values.get(setting);
      const field = this.fields[setting];
      if (field === undefined) throw new ArgumentError(`${this.kind}: there is no setting ${setting}`);
      const name = names(setting);
      const standard = (): unknown => defaults[setting] ?? defaultOf(field, known);
      const value = readField(field, name === undefined ? NOTHING : source, name ?? setting, standard);
      values.set(setting, value);
      return value;
    };
    const known = {
      dModel,
      fail,
      given,
      num: (setting: string): number => valueOf(setting) as number,
      is: (setting: string, value: unknown): boolean => valueOf(setting) === value,
    };
    const config: Record<string, unknown> = { dModel };
    for (const [setting, { shorthand }] of Object.entries(this.fields)) {
      const value = valueOf(setting);
      if (value !== undefined && !shorthand) config[setting] = value;
    }
    // The fields are the type's: see ConfigOf.
    this.#check(config as unknown as Config, fail);
    return config as unknown as Config;
  }

  /** A whole config from the settings that differ from the defaults. @throws ArgumentError naming the setting. */
  resolve(dModel: number, given?: Given): Config {
    const source = new ConfigFields({ ...given } as JsonObject, "", {
      what: this.kind,
      error: (message) => new ArgumentError(message),
    });
    const config = this.read(source, dModel);
    source.ignore("dModel");
    source.rejectUnknown();
    return config;
  }

  /** The settings that have a name in a file, as it holds them. */
  write(config: Config, names: Names = (setting) => setting): JsonObject {
    const out: JsonObject = {};
    for (const setting of Object.keys(this.fields)) {
      const value = (config as unknown as Readonly<Record<string, unknown>>)[setting];
      const name = names(setting);
      if (name !== undefined && value !== undefined) out[name] = encodeJson(value);
    }
    return out;
  }
}
