import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { temperature: "0", tokens: "60" }, at: "load", answer: 1 },
    { view: { temperature: "0", tokens: "60" }, at: "write", answer: 0 },
    { view: { temperature: "0.8" }, at: "write", answer: 2 },
    { view: {}, at: "load", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "Load the model. It has one state a layer, and reads each token once.",
        ask: "After 1,000 tokens its memory has …",
        options: ["grown 1,000 times", "the same size as after one", "halved"],
        reveal:
          "Compare “State” and “A Transformer’s cache here” while it writes: one line stands still, the other grows.",
      },
      {
        say: "Write with temperature 0: always the likeliest token. Then switch the backend in the middle of a sentence.",
        ask: "What moves to the other backend?",
        options: ["the state alone", "the whole text, which is read again", "the weights of the last token"],
        reveal: "The state is all of the past. It can be saved, copied, moved to another device, and read on.",
      },
      {
        say: "A fork: save the state, and go on twice from it with temperature 0.8.",
        ask: "Why do the two texts differ?",
        options: [
          "the states differ",
          "the model forgets",
          "the same distribution was drawn from with other random numbers",
        ],
        reveal: "Same past, same probabilities; chance chooses.",
      },
      {
        say: "Below, the microscope: every token with its surprise, its Δ in each layer, and who reads it later.",
        ask: "A token that the model had expected has …",
        options: ["many bits of surprise", "few bits of surprise", "no Δ"],
        reveal: "Bits are −log₂ of the probability: 1 bit for one of two, 10 bits for one of a thousand.",
      },
    ],
    [
      {
        say: "载入模型。它每层有一个状态，每个词元只读一遍。",
        ask: "1,000 个词元之后，它的记忆……",
        options: ["大了 1,000 倍", "与一个词元之后一样大", "减半了"],
        reveal: "写作时比较“状态”和“Transformer 在这里的缓存”：一条不动，另一条增长。",
      },
      {
        say: "温度设为 0：总取最可能的词元。然后在句子中间切换后端。",
        ask: "搬到另一个后端的是什么？",
        options: ["只有状态", "整段文字，要重读一遍", "最后一个词元的权重"],
        reveal: "状态就是全部的过去。它可以保存、复制、搬到别的设备，再继续读。",
      },
      {
        say: "分叉：保存状态，用温度 0.8 从它出发写两次。",
        ask: "两段文字为什么不同？",
        options: ["状态不同", "模型会遗忘", "同一个分布，用不同的随机数来抽"],
        reveal: "过去相同，概率相同；由偶然来选。",
      },
      {
        say: "下面是显微镜：每个词元的意外程度、它在各层的 Δ，以及后来谁读了它。",
        ask: "模型预料到的词元……",
        options: ["意外程度高", "意外程度低", "没有 Δ"],
        reveal: "比特数是概率的 −log₂：二选一是 1 比特，千里挑一是 10 比特。",
      },
    ],
  ),
};
