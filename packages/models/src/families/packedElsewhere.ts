import { FormatError } from "@statespace/core";
import { isJsonObject, quote, type JsonObject } from "@statespace/files";

/** Whose packing `quantization_config.quant_method` names, for the error. */
const METHODS: Readonly<Record<string, string>> = {
  bitsandbytes: "bitsandbytes",
  gptq: "GPTQ",
  awq: "AWQ",
  fp8: "fp8 with scales",
  fbgemm_fp8: "fp8 with scales (FBGEMM)",
  mxfp4: "MXFP4",
  "compressed-tensors": "compressed-tensors",
  torchao: "torchao",
  quanto: "quanto",
  hqq: "HQQ",
};

/**
 * Refuses weights that another library has packed in a form of its own.
 * @throws FormatError naming it
 */
export function refusePackedElsewhere(config: JsonObject): void {
  const { text_config: text } = config;
  const own = config.quantization_config ?? (isJsonObject(text) ? text.quantization_config : undefined);
  if (!isJsonObject(own)) return;
  // The first files of bitsandbytes do not name it.
  const bits = own.load_in_4bit === true || own.load_in_8bit === true;
  const method = own.quant_method ?? (bits ? "bitsandbytes" : "no method that is named");
  const name = typeof method === "string" ? (METHODS[method] ?? quote(method)) : "no method that is named";
  throw new FormatError(
    `config: quantization_config: the weights are packed by ${name}, which is not read; load the checkpoint that it was made of, and pack it here: { weights: "q4" } or "q8"`,
  );
}
