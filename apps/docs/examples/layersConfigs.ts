import { dssConfig, lsslConfig, s4Config, s4dConfig, s5Config } from "@statespace/models";

for (const config of [s4Config(16), s4dConfig(16), dssConfig(16, { kernelLength: 64 }), s5Config(16), lsslConfig(16)])
  console.log(JSON.stringify(config).slice(0, 100));
