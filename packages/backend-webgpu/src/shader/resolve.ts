/*
 * A shader's text is put together when it is loaded. Lines that begin with `//:` say how:
 *
 *   //: variant FORMAT = f32 | f16 | q8        the shader exists in these ways; a dispatch names one
 *   //: include linear/parts/weights/$FORMAT   a file's text stands here; the variant's value takes the place of its name
 *
 * `enable` lines of included files move to the front, where WGSL wants them. No import of other packages: the build uses this too.
 */

/** Values of a shader's variants by name. */
export type Variant = Readonly<Record<string, string>>;

const variantLine = /^\/\/: variant (\w+) = (.+)$/gm;
const includeLine = /^\/\/: include (\S+)$/gm;
const enableLine = /^enable \w+;\n?/gm;

/** The variants that a shader's own text declares: names and what each may be, in order. */
export function variantsOf(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...text.matchAll(variantLine)].map(([, name, values]) => [name!, values!.split("|").map((value) => value.trim())]),
  );
}

/** Every choice of values of a shader's variants. */
export function allVariants(text: string): Variant[] {
  let choices: Variant[] = [{}];
  for (const [name, values] of variantsOf(text))
    choices = choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value })));
  return choices;
}

/** A shader's whole text in one of its variants. `files` has every text by its path. @throws Error for a file that is not there. */
export function resolveShader(files: Readonly<Record<string, string>>, path: string, variant: Variant): string {
  const expand = (file: string, from: string): string => {
    const text = files[file];
    if (text === undefined) throw new Error(`${from}: includes ${file}, which is not there`);
    return text.replace(includeLine, (_, target: string) => {
      const chosen = target.replace(/\$(\w+)/g, (whole, name: string) => variant[name] ?? whole);
      return expand(chosen, file);
    });
  };
  const text = expand(path, path).replace(variantLine, "");
  const enabled = new Set([...text.matchAll(enableLine)].map(([line]) => line.trim()));
  return [...enabled, text.replace(enableLine, "")].join("\n").trim();
}
