import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { byteCharacters, type Tokenizer } from "@statespace/text";
import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from "@mlc-ai/web-xgrammar";
import { loadLibrary, type Library } from "./library.ts";
import type { TokenGuide } from "../generate/guides/tokenGuide.ts";

/** What a text must be: one of these. */
export interface GrammarSource {
  /** JSON by a schema, on one line; `true` for any JSON. */
  readonly jsonSchema?: object | true;
  /** A regular expression that all of the text matches. */
  readonly regex?: string;
  /** A grammar in the EBNF of XGrammar, whose rule `root` all of the text follows. */
  readonly ebnf?: string;
}

/** What a text must be, compiled; made by `compileGrammar`. */
export interface Grammar {
  /** The option `guide` of `stream`, `tokens`, `generate` and `submit`. */
  readonly guide: () => TokenGuide;
  /** Frees it; texts that it is used for must be over. */
  dispose(): void;
}

/** Which tokens a grammar is for. */
export interface GrammarOptions {
  /** Scores of the model; default those of the tokenizer. */
  readonly vocabSize?: number;
  /** Tokens that end a text; without any, a text ends as soon as it is complete. Default the tokenizer's end of text. */
  readonly eosTokenIds?: readonly number[];
}

/** Compilers by tokenizer: taking a vocabulary in takes a while. */
const compilers = new WeakMap<Tokenizer, Map<string, Promise<GrammarCompiler>>>();

/**
 * Compiles what a text must be for a tokenizer, through `@mlc-ai/web-xgrammar`. Give `grammar.guide` to `stream`, `generate` or `submit`: the text then
 * follows it from its first new token to its last, and ends where it is complete. Only `maxNewTokens` may cut it.
 * @throws ArgumentError for a grammar that is none, or an option that is unknown; BackendError where the package is not installed.
 */
export async function compileGrammar(
  tokenizer: Tokenizer,
  source: GrammarSource,
  options: GrammarOptions = {},
): Promise<Grammar> {
  refuseUnknown("compileGrammar", source, ["jsonSchema", "regex", "ebnf"], {
    schema: "jsonSchema",
    json: "jsonSchema",
    grammar: "ebnf",
  });
  refuseUnknown("compileGrammar", options, ["vocabSize", "eosTokenIds"]);
  const given = Object.values(source).filter((value) => value !== undefined);
  if (given.length !== 1) throw new ArgumentError("compileGrammar: must get one of jsonSchema, regex and ebnf");
  const { vocabSize = tokenizer.vocabSize, eosTokenIds = tokenizer.eosId === undefined ? [] : [tokenizer.eosId] } =
    options;
  const own = await loadLibrary();
  const compiler = await compilerOf(own, tokenizer, vocabSize, eosTokenIds);
  try {
    const compiled = await compile(compiler, source);
    // The library lets control characters into strings of a bounded length, where JSON has none; on one line there are none elsewhere.
    const banned = typeof source.jsonSchema === "object" ? withControlCharacters(tokenizer, vocabSize) : [];
    const make = (): Promise<GrammarMatcher> =>
      own.GrammarMatcher.createGrammarMatcher(compiled, undefined, eosTokenIds.length === 0);
    return { guide: () => new GrammarGuide(make, banned), dispose: () => compiled.dispose() };
  } catch (cause) {
    throw new ArgumentError(`compileGrammar: the grammar cannot be used: ${messageOf(cause)}`, { cause });
  }
}

async function compile(compiler: GrammarCompiler, source: GrammarSource): Promise<CompiledGrammar> {
  const { jsonSchema, regex, ebnf } = source;
  if (regex !== undefined)
    return compiler.compileStructuralTag({ type: "structural_tag", format: { type: "regex", pattern: regex } });
  if (ebnf !== undefined) return compiler.compileGrammar(ebnf);
  if (jsonSchema === true) return compiler.compileBuiltinJSONGrammar();
  // Without the choice of whitespace: small models do not find out of it.
  return compiler.compileJSONSchema(JSON.stringify(jsonSchema), false, -1, [", ", ": "]);
}

function compilerOf(
  own: Library,
  tokenizer: Tokenizer,
  vocabSize: number,
  eosTokenIds: readonly number[],
): Promise<GrammarCompiler> {
  const made = compilers.get(tokenizer) ?? new Map<string, Promise<GrammarCompiler>>();
  compilers.set(tokenizer, made);
  const key = `${vocabSize}/${eosTokenIds.join()}`;
  const had = made.get(key);
  if (had !== undefined) return had;
  const compiler = (async () => {
    const words = vocabulary(tokenizer, vocabSize);
    const info = await own.TokenizerInfo.createTokenizerInfo(words, "byte_level", false, vocabSize, [...eosTokenIds]);
    return own.GrammarCompiler.createGrammarCompiler(info);
  })();
  made.set(key, compiler);
  compiler.catch(() => made.delete(key));
  return compiler;
}

/** Each token's bytes, in the printable alphabet of byte-level BPE; those without text are empty, and never part of one. */
function vocabulary(tokenizer: Tokenizer, vocabSize: number): string[] {
  const bytesOf = bytesByToken(tokenizer);
  const alphabet = byteCharacters();
  return Array.from({ length: vocabSize }, (_, id) =>
    id >= tokenizer.vocabSize ? "" : Array.from(bytesOf(id), (byte) => alphabet[byte]!).join(""),
  );
}

/**
 * What a token adds to a text. Where a tokenizer does not tell its tokens' bytes, that is what it adds behind a letter; one that is part of
 * a character adds nothing there, and is left out of texts that follow a grammar.
 */
function bytesByToken(tokenizer: Tokenizer): (id: number) => Uint8Array {
  const { tokenBytes } = tokenizer;
  if (tokenBytes !== undefined) return (id) => tokenBytes.call(tokenizer, id);
  const before = [...tokenizer.encode("a")].slice(-1);
  const length = tokenizer.decode(before).length;
  const encoder = new TextEncoder();
  return (id) => {
    const text = tokenizer.decode([...before, id]).slice(length);
    return text.includes("\ufffd") ? new Uint8Array() : encoder.encode(text);
  };
}

/** Tokens that hold a control character. */
function withControlCharacters(tokenizer: Tokenizer, vocabSize: number): number[] {
  const ids: number[] = [];
  const bytesOf = bytesByToken(tokenizer);
  for (let id = 0; id < Math.min(vocabSize, tokenizer.vocabSize); id++)
    if (bytesOf(id).some((byte) => byte < 0x20)) ids.push(id);
  return ids;
}

/** A word of a mask that allows all of its 32 tokens. */
const ALL = -1;

/** Holds one text to a grammar. */
class GrammarGuide implements TokenGuide {
  readonly #make: () => Promise<GrammarMatcher>;
  readonly #banned: readonly number[];
  #matcher: GrammarMatcher | undefined;
  #allowed: Int32Array | undefined;
  #disposed = false;

  constructor(make: () => Promise<GrammarMatcher>, banned: readonly number[]) {
    this.#make = make;
    this.#banned = banned;
  }

  async prepare(): Promise<void> {
    this.#matcher ??= await this.#make();
    this.#allowed = await this.#matcher.getNextTokenBitmask();
  }

  guide(bias: Float32Array): void {
    const allowed = this.#allowed!;
    // Of most words of the mask all tokens are allowed, or none: those are not looked at one by one.
    for (let word = 0; 32 * word < bias.length; word++) {
      const bits = allowed[word]!;
      const from = 32 * word;
      if (bits === 0) bias.fill(Number.NEGATIVE_INFINITY, from, from + 32);
      else if (bits !== ALL)
        for (let id = from; id < Math.min(from + 32, bias.length); id++)
          if (((bits >>> (id & 31)) & 1) === 0) bias[id] = Number.NEGATIVE_INFINITY;
    }
    for (const id of this.#banned) bias[id] = Number.NEGATIVE_INFINITY;
  }

  accept(id: number): boolean {
    this.#matcher!.acceptToken(id);
    return this.#matcher!.isTerminated();
  }

  dispose(): void {
    if (!this.#disposed) this.#matcher?.dispose();
    this.#disposed = true;
  }
}

/** Embind throws numbers and objects of its own. */
function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
