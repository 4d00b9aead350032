import { ChatTemplate, loadChatTemplate } from "@statespace/text";

const template = await ChatTemplate.parse("{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}");
console.log(template.render([{ role: "user", content: "Hello" }]));
console.log((await loadChatTemplate("./model"))?.names); // of a checkpoint's folder
