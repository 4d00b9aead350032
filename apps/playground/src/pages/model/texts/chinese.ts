import type { Draw } from "./draw.ts";

const CHILDREN = ["小明", "小红", "小华", "小芳", "小军", "小雨"];
const PEOPLE = [...CHILDREN, "爷爷", "奶奶", "爸爸", "妈妈", "弟弟", "妹妹", "老师"];
const COLORS = ["白", "黑", "黄", "灰", "花"];
const NAMES = ["豆豆", "毛毛", "乐乐", "球球", "点点", "圆圆"];
const PLACES = ["河边", "山上", "树下", "院子里", "公园里", "桥上"];
const TIMES = ["早上", "中午", "下午"];
const FOODS = ["苹果", "面条", "包子", "西瓜", "饺子", "米饭"];
const NUMBERS = ["", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十"];

interface Animal {
  readonly name: string;
  readonly one: string;
  readonly food: string;
  readonly does: string;
}
const ANIMALS: readonly Animal[] = [
  { name: "猫", one: "只", food: "鱼", does: "抓老鼠" },
  { name: "狗", one: "只", food: "骨头", does: "看家" },
  { name: "兔子", one: "只", food: "萝卜", does: "打洞" },
  { name: "鸟", one: "只", food: "虫子", does: "唱歌" },
  { name: "马", one: "匹", food: "草", does: "拉车" },
  { name: "牛", one: "头", food: "草", does: "耕田" },
];

interface Season {
  readonly name: string;
  readonly is: readonly string[];
  readonly do: readonly string[];
}
const SEASONS: readonly Season[] = [
  { name: "春天", is: ["花开了", "天气暖和了", "小草绿了"], do: ["放风筝", "种树", "看花"] },
  { name: "夏天", is: ["天气很热", "荷花开了", "太阳很大"], do: ["游泳", "吃西瓜", "捉虫子"] },
  { name: "秋天", is: ["叶子黄了", "天气凉了", "苹果红了"], do: ["摘苹果", "看月亮", "捡叶子"] },
  { name: "冬天", is: ["下雪了", "天气很冷", "河水结冰了"], do: ["堆雪人", "吃饺子", "滑冰"] },
];

const THINGS = [
  { name: "书", one: "本" },
  { name: "球", one: "个" },
  { name: "风筝", one: "只" },
  { name: "帽子", one: "顶" },
];

function pet(draw: Draw): string {
  const [child, friend] = draw.two(CHILDREN);
  const [animal, other] = draw.two(ANIMALS);
  const name = draw.of(NAMES);
  const ending = draw.of([
    `天黑了，${child}和${name}一起回家。`,
    `${friend}问：“它叫什么名字？”${child}说：“它叫${name}。”`,
    `${name}看见一${other.one}${other.name}，${draw.of(["就跑过去", "高兴地叫起来", "有一点怕"])}。`,
  ]);
  return `${child}有一${animal.one}${draw.of(COLORS)}${animal.name}，名字叫${name}。${name}喜欢吃${animal.food}，也会${animal.does}。${draw.of(TIMES)}，${child}带着${name}去${draw.of(PLACES)}玩。${ending}`;
}

function season(draw: Draw): string {
  const { name, is, do: things } = draw.of(SEASONS);
  const [one, other] = draw.two(PEOPLE);
  const thing = draw.of(things);
  return `${name}来了，${draw.of(is)}。${one}和${other}去${draw.of(PLACES)}${thing}。${one}说：“我喜欢${name}。”${other}说：“我也喜欢，${name}可以${thing}。”`;
}

function lost(draw: Draw): string {
  const child = draw.of(CHILDREN);
  const { name, one } = draw.of(THINGS);
  const color = draw.of(["红", "蓝", "绿", "黄"]);
  const [first, second] = draw.two(PLACES);
  const helper = draw.of(["爷爷", "奶奶", "爸爸", "妈妈"]);
  return `${child}的${name}不见了，那是一${one}${color}${name}。${child}去${first}找，没有找到。${helper}说：“不要急，我们去${second}看看。”他们在${second}找到了那${one}${color}${name}，${child}笑了。`;
}

function counting(draw: Draw): string {
  const all = draw.between(2, 10);
  const gone = draw.between(1, all - 1);
  const [verb, way, where] = draw.of([
    ["鸟", "飞走了", "树上"],
    ["鱼", "游走了", "水里"],
    ["羊", "跑走了", "山上"],
  ] as const);
  const one = verb === "鱼" ? "条" : "只";
  return `${where}有${NUMBERS[all]}${one}${verb}，${way}${NUMBERS[gone]}${one}，还有${NUMBERS[all - gone]}${one}。`;
}

function meal(draw: Draw): string {
  const [cook, eater] = draw.two(PEOPLE);
  const [food, drink] = [draw.of(FOODS), draw.of(["水", "茶", "牛奶", "豆浆"])];
  return `${draw.of(["早上", "中午", "晚上"])}，${cook}做了${food}。${eater}吃了${food}，喝了一杯${drink}，说：“${cook}做的${food}真好吃！”`;
}

function likes(draw: Draw): string {
  const { name, food, does } = draw.of(ANIMALS);
  return draw.of([`${name}喜欢吃什么？${name}喜欢吃${food}。`, `${name}会做什么？${name}会${does}。`]);
}

/** Stories that this project made up. */
export const CHINESE: readonly ((draw: Draw) => string)[] = [pet, season, lost, counting, meal, likes];
