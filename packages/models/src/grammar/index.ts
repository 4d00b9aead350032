export { compileGrammar, Grammar, type GrammarOptions, type GrammarSource } from "./grammar.ts";
