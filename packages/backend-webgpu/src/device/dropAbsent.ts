/**
 * A shader without the storage bindings in `absent`: their variables stay, private and of one element, so that code which
 * names them for nothing compiles. What a fused kernel does not use then counts against no limit of the device.
 */
export function dropAbsent(code: string, absent: readonly number[]): string {
  return absent.reduce((text, number) => {
    const declaration = new RegExp(
      `@group\\(0\\) @binding\\(${number}\\) var<storage, (?:read|read_write)> (\\w+): array<(\\w+)>;`,
    );
    return text.replace(declaration, "var<private> $1: array<$2, 1>;");
  }, code);
}
