import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { noise: "1" }, at: "sequence", answer: 1 },
    { view: { noise: "1", asked: "2" }, at: "sequence", answer: 2 },
    { view: {}, at: "learn", answer: 0 },
    { view: {}, at: "measure", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "Two pairs stand in noise, each question beside its answer. At the end a question comes again. This is <strong>one-shot</strong>: one example, shown once.",
        ask: "Why can’t a model have learned the answer in training?",
        options: [
          "it was trained on too little",
          "questions and answers are paired anew in every sequence",
          "the words are new",
        ],
        reveal:
          "So the answer must come from the text itself: from what this sequence says. That is learning in context.",
      },
      {
        say: "To answer, something must find the earlier place of the same question, and read the token <em>after</em> it. In Transformers the heads that do so are called <strong>induction heads</strong>.",
        ask: "Why can’t a fixed filter (S4) do it?",
        options: [
          "the question is too far away",
          "it has too few weights",
          "the distance from question to question differs each time, and a filter knows distances only",
        ],
        reveal: "A, B and C are the same for each token, so it cannot ask “like this one?”. It is static.",
      },
      {
        say: "Press the button: three learners, the same data, in this tab.",
        ask: "Which ones will learn it?",
        options: ["Mamba and attention", "S4 and Mamba", "all three"],
        reveal:
          "Attention compares tokens. Mamba writes what follows a question into a place of its state that belongs to that question, and reads from there.",
      },
      {
        say: "Now longer texts than any of training: the pairs, then ever more noise, then the question. A state of fixed size can read them all; whether it still <em>remembers</em> is another matter.",
        ask: "What must Mamba do at each noise token to remember for ever?",
        options: ["write it with a large Δ", "keep the state: Δ so small that exp(ΔA) is almost exactly 1", "count it"],
        reveal:
          "“Unlimited context” is a promise about cost, not about memory: each noise token still wears a little off. Trained at 256 tokens and for longer, the paper’s model held to a million.",
      },
    ],
    [
      {
        say: "两对问答散落在噪声里，问题与答案相邻。最后，一个问题再次出现。这就是<strong>单样本</strong>：一个例子，只给一次。",
        ask: "为什么模型不可能在训练时就学到答案？",
        options: ["训练得太少", "每个序列里问题和答案都重新配对", "这些词是新的"],
        reveal: "所以答案只能来自文字本身，来自这个序列说了什么。这就是在上下文中学习。",
      },
      {
        say: "要回答，就得找到同一个问题先前的位置，读出它<em>后面</em>的词元。在 Transformer 里，做这件事的头叫<strong>归纳头</strong>。",
        ask: "固定的滤波器（S4）为什么做不到？",
        options: ["问题太远", "权重太少", "两次问题的距离每次都不同，而滤波器只认距离"],
        reveal: "A、B、C 对每个词元都相同，所以它不会问“像不像这个？”。它是静态的。",
      },
      {
        say: "按下按钮：三个学习者，同样的数据，就在这个标签页里。",
        ask: "哪些能学会？",
        options: ["Mamba 和注意力", "S4 和 Mamba", "三个都能"],
        reveal: "注意力比较词元。Mamba 把问题后面的东西写进状态中属于那个问题的地方，再从那里读出。",
      },
      {
        say: "现在用比训练更长的文字：先是问答对，再是越来越多的噪声，最后是问题。固定大小的状态都能读完；是否还<em>记得</em>，是另一回事。",
        ask: "要永远记住，Mamba 在每个噪声词元处必须怎么做？",
        options: ["用大的 Δ 写入它", "保留状态：Δ 小到 exp(ΔA) 几乎正好是 1", "数一数它"],
        reveal:
          "“无限上下文”说的是代价，不是记忆：每个噪声词元仍会磨掉一点。论文的模型在 256 个词元上训练得更久，能保持到一百万。",
      },
    ],
  ),
};
