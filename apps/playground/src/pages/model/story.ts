import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: {}, at: "own-text", answer: 1 },
    { view: { steps: "200" }, at: "own-curve", answer: 2 },
    { view: { steps: "200" }, at: "own-samples", answer: 0 },
    { view: { what: "tuned" }, at: "own-learn", answer: 1 },
    { view: {}, at: "own-models", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "Here is a text. For a new model each of its different characters becomes a <strong>token</strong>, a number; there is no list of words.",
        ask: "Why does that work for Chinese and for English alike?",
        options: [
          "the model knows both languages",
          "any script is a row of characters, and the model only sees numbers",
          "Chinese is translated first",
        ],
        reveal:
          "What a token is matters little to the model. How often tokens come, and after which, is what it learns.",
      },
      {
        say: "Start learning. The curve says how surprised the model is by the next token, in bits. A guess among 64 equally likely characters costs 6 bits.",
        ask: "What does a fall from 6 bits to 2 mean?",
        options: [
          "it is right three times as often",
          "it remembers three times as much",
          "it is as unsure as among 4 equally likely characters, no longer 64",
        ],
        reveal: "Two to the power of the bits: 2² = 4. Below 1 bit it mostly knows what comes.",
      },
      {
        say: "While it learns, it writes, always from the same beginning. Nothing was told to it about spelling or sentences.",
        ask: "What comes first in its samples?",
        options: [
          "the frequent characters, then words, then sentences",
          "whole sentences of your text, then new ones",
          "grammar, then spelling",
        ],
        reveal:
          "What is frequent and near is learned first: it lowers the surprise most. What hangs together over a whole story comes last.",
      },
      {
        say: "A model that has read books already can go on with your text. With an <strong>adapter</strong> its weights stay; beside each matrix W stands a product B A of rank 8, and y = W x + B A x.",
        ask: "W has 512 × 256 numbers. How many do A and B have together, at rank 8?",
        options: ["131,072, as many", "6,144, a twentieth", "64"],
        reveal: "8 × (512 + 256) = 6,144. B begins as zeros, so at first the model is what it was.",
      },
      {
        say: "What came of it is yours: a folder that other programs load, too. On “Mamba at work” and “One token, one block” it takes the place of the model of this site.",
        ask: "What must the folder hold besides the weights, so that another program can use it?",
        options: [
          "your text",
          "nothing",
          "the sizes (config.json), and which number stands for which character (tokenizer.json)",
        ],
        reveal:
          "Weights without the list of tokens are mute. Your text is not in the folder; but a small model that learned long enough may say parts of it.",
      },
    ],
    [
      {
        say: "这里有一段文字。对新模型来说，每个不同的字成为一个<strong>词元</strong>，也就是一个数；没有词表。",
        ask: "为什么中文和英文都能这样做？",
        options: ["模型懂两种语言", "任何文字都是一串字符，而模型只看到数", "中文先被翻译"],
        reveal: "词元是什么，对模型并不重要。它学的是：词元出现得多频繁，跟在什么后面。",
      },
      {
        say: "开始学习。曲线表示模型对下一个词元有多意外，以比特计。在 64 个同样可能的字里猜，要花 6 比特。",
        ask: "从 6 比特降到 2 比特，意味着什么？",
        options: ["猜对的次数是三倍", "记住的东西是三倍", "它就像只在 4 个同样可能的字里猜，而不再是 64 个"],
        reveal: "2 的比特数次方：2² = 4。低于 1 比特时，它多半知道接下来是什么。",
      },
      {
        say: "它边学边写，总是从同样的开头写起。没有人告诉它怎么组词、怎么造句。",
        ask: "样文里先出现的是什么？",
        options: ["常用的字，然后是词，然后是句子", "先是你文字里的整句，然后是新句子", "先是语法，然后是用字"],
        reveal: "常见的、离得近的先学会：这最能降低意外。贯穿整个故事的东西最后才来。",
      },
      {
        say: "读过书的模型可以接着学你的文字。用<strong>适配器</strong>时它的权重不动；每个矩阵 W 旁边有一个秩为 8 的乘积 B A，y = W x + B A x。",
        ask: "W 有 512 × 256 个数。秩为 8 时，A 和 B 一共有多少个数？",
        options: ["131,072，一样多", "6,144，二十分之一", "64"],
        reveal: "8 × (512 + 256) = 6,144。B 从零开始，所以一开始模型还是原来的样子。",
      },
      {
        say: "学成的东西归你：一个别的程序也能读的文件夹。在“Mamba 实战”和“一个词元，一个块”里，它可以代替本站的模型。",
        ask: "除了权重，文件夹里还必须有什么，别的程序才能用？",
        options: ["你的文字", "什么都不要", "各种尺寸（config.json），以及哪个数代表哪个字（tokenizer.json）"],
        reveal: "没有词元表，权重就说不出话。你的文字不在文件夹里；但一个小模型学得够久，可能会说出其中的一些。",
      },
    ],
  ),
};
