export { compileGrammar, type Grammar, type GrammarOptions, type GrammarSource } from "./grammar.ts";
