import { GruMixer, LstmMixer } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

describeMixerLaws("GRU", (build) => new GruMixer({ dModel: 3, dHidden: 3 }, build), { dModel: 3 });
describeMixerLaws("GRU with a projection", (build) => new GruMixer({ dModel: 3, dHidden: 5 }, build), { dModel: 3 });
describeMixerLaws("LSTM", (build) => new LstmMixer({ dModel: 3, dHidden: 3 }, build), { dModel: 3 });
describeMixerLaws("LSTM with a projection", (build) => new LstmMixer({ dModel: 2, dHidden: 4 }, build), { dModel: 2 });
