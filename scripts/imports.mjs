// Reads the imports of a TypeScript or JavaScript file from its syntax tree.
import { readFileSync } from "node:fs";
import { parseAst } from "rolldown/parseAst";

/**
 * @typedef {object} Import
 * @property {string} specifier
 * @property {"value" | "type" | "dynamic"} kind "type" leaves no trace at run time; "dynamic" is `import()`
 * @property {number} line 1-based
 */

/** @param {string} file @returns {Import[]} */
export function readImports(file) {
  return parseImports(readFileSync(file, "utf8"), file);
}

/** @param {string} source @param {string} file names the language by its extension */
export function parseImports(source, file) {
  const lang = /\.[cm]?tsx$/.test(file) ? "tsx" : /\.[cm]?ts$/.test(file) ? "ts" : "js";
  const program = parseAst(source, { lang, sourceType: "module" }, file);
  const found = [];
  const add = (node, specifier, kind) => {
    if (typeof specifier !== "string") return;
    found.push({ specifier, kind, line: source.slice(0, node.start).split("\n").length });
  };
  walk(program, (node) => {
    if (node.type === "ImportDeclaration") add(node, node.source.value, node.importKind === "type" ? "type" : "value");
    else if (node.type === "ExportNamedDeclaration" || node.type === "ExportAllDeclaration") {
      add(node, node.source?.value, node.exportKind === "type" ? "type" : "value");
    } else if (node.type === "ImportExpression") add(node, node.source.value, "dynamic");
    else if (node.type === "TSImportType") add(node, (node.source ?? node.argument?.literal)?.value, "type");
  });
  return found;
}

function walk(node, visit) {
  if (Array.isArray(node)) {
    for (const each of node) walk(each, visit);
  } else if (node !== null && typeof node === "object") {
    if (typeof node.type === "string") visit(node);
    for (const value of Object.values(node)) {
      if (value !== null && typeof value === "object") walk(value, visit);
    }
  }
}
