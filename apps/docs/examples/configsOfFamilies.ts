import {
  familyConfig,
  families,
  familyNamed,
  familyOf,
  parseModelConfig,
  resolveModelConfig,
} from "@statespace/models";

const published = { model_type: "mamba", vocab_size: 64, hidden_size: 32, num_hidden_layers: 2 }; // as transformers has it
const config = parseModelConfig(published);
console.log(config.layers.length, familyOf(published).name, familyNamed("mamba2").name, families.length, "families");
console.log(familyConfig(config, "mamba")["hidden_size"], resolveModelConfig(config).layers.length); // back again
