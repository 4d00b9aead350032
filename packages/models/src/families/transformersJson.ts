/** Fields that transformers declares as `float`: its strict configs refuse 1 where 1.0 is meant, and JSON.stringify writes both as 1. */
const FLOAT_FIELDS = [
  "layer_norm_epsilon",
  "mixer_rms_eps",
  "initializer_range",
  "time_step_min",
  "time_step_max",
  "time_step_floor",
  "time_step_scale",
  "rms_norm_eps",
  "norm_eps",
  "[a-z_]+_multiplier",
  "logits_scaling",
  "partial_rotary_factor",
  "linear_(?:a_log|dt)_(?:min|max)",
  "linear_dt_init_floor",
  "routed_scaling_factor",
  "logits_soft_cap",
  "w_init_variance_scale",
];
const FLOAT_LINES = new RegExp(`^(  "(?:${FLOAT_FIELDS.join("|")})": -?\\d+)(,?)$`, "gm");
const FLOAT_LISTS = /"(?:time_step_limit|mlp_multipliers|ssm_multipliers)": \[[^\]]*\]/g;
const ROPE_NUMBERS = /^( +"(?:rope_theta|(?:[a-z_]+_)?factor|beta_(?:fast|slow)|mscale|mscale_all_dim)": -?\d+)(,?)$/gm;
const WHOLE_ITEMS = /^(\s*-?\d+)(,?)$/gm;

/** `config.json` as text, with whole numbers written as Python floats (`1.0`) in the fields that transformers types so. */
export function formatTransformersJson(config: object): string {
  const text = JSON.stringify(config, null, 2)
    .replaceAll(FLOAT_LINES, "$1.0$2")
    .replaceAll(ROPE_NUMBERS, "$1.0$2")
    .replace(FLOAT_LISTS, (list) => list.replaceAll(WHOLE_ITEMS, "$1.0$2"));
  return `${text}\n`;
}
