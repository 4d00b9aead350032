declare module "*.tex" {
  /** MathML by name, rendered while building. */
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}
