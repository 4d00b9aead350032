import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { letters: "4A15C22B40F" }, at: "strip", answer: 1 },
    { view: {}, at: "static", answer: 0 },
    { view: { knob: "1,1,1,1,1" }, at: "jar", answer: 2 },
    { view: { knob: "2,0.05,2,0.05,2" }, at: "jar", answer: 1 },
    { view: { size: "small", len: "24" }, at: "start", answer: 0 },
    { view: { letters: "4A15C22B40F" }, at: "strip", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "<strong>Selective copying</strong>: letters stand somewhere in noise, and shall be repeated in order. Where they stand changes from sequence to sequence.",
        ask: "Why is that hard for S4, whose A, B and C are the same at every step?",
        options: [
          "its state is too small",
          "its weights depend on how long ago something was, and here that says nothing",
          "it cannot see letters",
        ],
        reveal: "A fixed filter answers “what was 12 steps ago?”. The task asks “what were the letters?”.",
      },
      {
        say: "Mamba’s change stands in one table: B, C and Δ get an axis for the token. They are computed <strong>from the input</strong>, by a linear projection; before, they were the same numbers for all.",
        ask: "Which one stays the same for all tokens in Mamba, too?",
        options: ["A", "B", "Δ"],
        reveal:
          "How the state fades by itself stays fixed. But A acts through exp(Δ A), so by choosing Δ a token chooses how much fades.",
      },
      {
        say: "One number as a memory, and the same Δ = 1 for all five words.",
        ask: "Which word fills most of the jar at the end?",
        options: ["the first", "all alike", "the last"],
        reveal:
          "The last: each step wrote 63 % of its own word and kept 37 % of what was there, whether the word matters or not.",
      },
      {
        say: "Now the fillers have a small Δ and the words a large one.",
        ask: "So a <strong>small</strong> Δ …",
        options: ["focuses on the token", "ignores the token and keeps the state", "clears the state"],
        reveal:
          "Small Δ: the context goes on undisturbed. Large Δ: the state is reset to this token. A gate, found by learning.",
      },
      {
        say: "Press start. Both networks learn from the same data; the challenger is Mamba’s own layer, whose Δ, B and C may not look at the token.",
        ask: "Which one will reach 95 % first?",
        options: ["Mamba", "the one without selection", "both alike"],
        reveal: "Then try giving the challenger parts of the selection back, one by one, at the end of the page.",
      },
      {
        say: "Under the sequence, each row is an answer, and each square how much of its score was read from that place, computed through all of the network.",
        ask: "After training, where should the strongest square of a row be?",
        options: [
          "at the last token",
          "at the same distance in every row",
          "at the letter that is answered, wherever it stands",
        ],
        reveal: "Drag the letter, and the square goes with it. That is content, and not position.",
      },
    ],
    [
      {
        say: "<strong>选择性复制</strong>：字母散落在噪声里，要按顺序重复出来。它们的位置每次都不同。",
        ask: "S4 的 A、B、C 每一步都相同，为什么这对它很难？",
        options: ["它的状态太小", "它的权重取决于多久以前，而这里“多久”毫无意义", "它看不见字母"],
        reveal: "固定的滤波器回答的是“12 步之前是什么？”，任务问的却是“字母是哪些？”。",
      },
      {
        say: "Mamba 的改变就在一张表里：B、C 和 Δ 多了词元这一维。它们由<strong>输入</strong>经线性投影算出；以前，它们对所有词元都是同样的数。",
        ask: "在 Mamba 里，哪一个对所有词元仍然相同？",
        options: ["A", "B", "Δ"],
        reveal: "状态自身如何衰减是固定的。但 A 通过 exp(ΔA) 起作用，所以词元选择 Δ，就选择了衰减多少。",
      },
      {
        say: "记忆只有一个数，五个词的 Δ 都是 1。",
        ask: "最后罐子里最多的是哪个词？",
        options: ["第一个", "一样多", "最后一个"],
        reveal: "最后一个：每一步都写入 63 % 的当前词，保留 37 % 的原有内容，不管这个词重不重要。",
      },
      {
        say: "现在填充词的 Δ 小，实词的 Δ 大。",
        ask: "所以<strong>小的</strong> Δ ……",
        options: ["专注于这个词元", "忽略这个词元，保留状态", "清空状态"],
        reveal: "Δ 小：上下文不受打扰地继续。Δ 大：状态被重置为这个词元。这是一扇学出来的门。",
      },
      {
        say: "点开始。两个网络用同样的数据学习；挑战者就是 Mamba 自己的层，只是它的 Δ、B、C 不许看词元。",
        ask: "哪个先达到 95 %？",
        options: ["Mamba", "没有选择的那个", "一样快"],
        reveal: "之后可以在页尾把选择的各部分一个个还给挑战者试试。",
      },
      {
        say: "序列下面，每行是一个回答，每个方格是它的得分有多少读自那个位置，是穿过整个网络算出来的。",
        ask: "训练之后，每行最强的方格应该在哪里？",
        options: ["在最后一个词元", "在每行相同的距离上", "在所回答的字母处，无论它站在哪里"],
        reveal: "拖动字母，方格跟着走。看的是内容，不是位置。",
      },
    ],
  ),
};
