import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";

/** How an adapter is made, with PEFT's meanings and defaults. */
export interface AdapterOptions {
  /** Columns of the low-rank product (PEFT's `r`). Default 8. */
  readonly rank?: number;
  /** The product counts alpha / rank, or alpha / sqrt(rank) with `useRslora` (PEFT's `lora_alpha`). Default 8. */
  readonly alpha?: number;
  /** Share of a layer's inputs that the product does not see while training (PEFT's `lora_dropout`). Default 0. */
  readonly dropout?: number;
  /**
   * Which linear layers: names, or ends of names, as the model's family calls them (`["q_proj", "in_proj"]`), a regular expression that
   * fits a whole name, or `"all-linear"`, all but the head. Default `"all-linear"`, less those that PEFT refuses.
   */
  readonly targetModules?: string | readonly string[];
  /** Which of them not, said in the same way. */
  readonly excludeModules?: string | readonly string[];
  /** Modules that are trained whole, by the ends of their names (`["lm_head"]`). */
  readonly modulesToSave?: readonly string[];
  /** Only these layers, where `targetModules` is a list. */
  readonly layersToTransform?: number | readonly number[];
  /** What stands before a layer's number in names, where it is not the first number. */
  readonly layersPattern?: string | readonly string[];
  /** Other ranks by regular expressions that fit the end of a name. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  /** Other alphas, likewise. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** The product counts alpha / sqrt(rank) (Kalajdzievski 2023, arXiv 2312.03732). */
  readonly useRslora?: boolean;
  /** Rows of the adapted weight get a length of their own (DoRA: Liu et al. 2024, arXiv 2402.09353). */
  readonly useDora?: boolean;
  /** First values of A: PyTorch's for a linear layer (`true`), or `"gaussian"`, of deviation 1 / rank. B begins as zeros. */
  readonly init?: true | "gaussian";
  /** Of the first values. Default 0. */
  readonly seed?: number;
}

/** Options with every default in its place; what has none may be absent. */
export interface AdapterSettings extends AdapterOptions {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly useRslora: boolean;
  readonly useDora: boolean;
  readonly init: true | "gaussian";
}

const NAMES: Readonly<Record<keyof AdapterOptions, true>> = {
  rank: true,
  alpha: true,
  dropout: true,
  targetModules: true,
  excludeModules: true,
  modulesToSave: true,
  layersToTransform: true,
  layersPattern: true,
  rankPattern: true,
  alphaPattern: true,
  useRslora: true,
  useDora: true,
  init: true,
  seed: true,
};
const OTHER_NAMES = {
  r: "rank",
  loraR: "rank",
  loraAlpha: "alpha",
  loraDropout: "dropout",
  targets: "targetModules",
  initLoraWeights: "init",
  rslora: "useRslora",
  dora: "useDora",
};

/** @throws ArgumentError naming the option that is unknown or out of its range. */
export function resolveAdapterOptions(options: AdapterOptions): AdapterSettings {
  refuseUnknown("adapter", options, Object.keys(NAMES), OTHER_NAMES);
  const settings: AdapterSettings = {
    rank: 8,
    alpha: 8,
    dropout: 0,
    useRslora: false,
    useDora: false,
    init: true,
    ...(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as AdapterOptions),
  };
  const ranks = Object.entries(settings.rankPattern ?? {}).map(([key, rank]) => [`rankPattern.${key}`, rank] as const);
  for (const [name, rank] of [["rank", settings.rank] as const, ...ranks])
    if (!(Number.isSafeInteger(rank) && rank >= 1))
      throw new ArgumentError(`adapter: ${name} must be a whole number >= 1, got ${rank}`);
  const alphas = Object.entries(settings.alphaPattern ?? {}).map(([key, a]) => [`alphaPattern.${key}`, a] as const);
  for (const [name, alpha] of [["alpha", settings.alpha] as const, ...alphas])
    if (!Number.isFinite(alpha) || alpha <= 0)
      throw new ArgumentError(`adapter: ${name} must be a number > 0, got ${alpha}`);
  if (!(settings.dropout >= 0 && settings.dropout < 1))
    throw new ArgumentError(`adapter: dropout must be in [0, 1), got ${settings.dropout}`);
  if (settings.init !== true && settings.init !== "gaussian")
    throw new ArgumentError(`adapter: init must be true or "gaussian", got ${JSON.stringify(settings.init)}`);
  if (settings.layersToTransform !== undefined && !Array.isArray(settings.targetModules))
    throw new ArgumentError("adapter: layersToTransform is for targetModules that are a list of names");
  return settings;
}

/** Rank of a module's product, and the factor it counts with. */
export function strengthOf(
  settings: AdapterSettings,
  module: string,
): { readonly rank: number; readonly scale: number } {
  const rank = patternValue(settings.rankPattern, module) ?? settings.rank;
  const alpha = patternValue(settings.alphaPattern, module) ?? settings.alpha;
  return { rank, scale: alpha / (settings.useRslora ? Math.sqrt(rank) : rank) };
}

function patternValue(patterns: Readonly<Record<string, number>> = {}, module: string): number | undefined {
  const found = Object.keys(patterns).find((pattern) => pythonPattern(`(.*\\.)?(${pattern})`).test(module));
  return found === undefined ? undefined : patterns[found];
}

/** Longest regular expression that is taken: names of modules need none that is longer, and it may come from a file. */
const LONGEST = 512;

/** A regular expression in Python's way of writing that fits a whole name. @throws ArgumentError where it is none. */
export function pythonPattern(source: string): RegExp {
  if (source.length > LONGEST)
    throw new ArgumentError(
      `adapter: a regular expression must have at most ${LONGEST} characters, got ${source.length}`,
    );
  try {
    return new RegExp(`^(?:${source.replaceAll("(?P<", "(?<").replaceAll("\\Z", "$")})$`);
  } catch (cause) {
    throw new ArgumentError(`adapter: ${source} is no regular expression`, { cause });
  }
}
