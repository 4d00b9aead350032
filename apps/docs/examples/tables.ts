import { csvRecords, forecastWindows, linesOf, loadFixture, loadTimeSeries, parseCsv } from "@statespace/datasets";

const weather = await loadFixture("seattle-weather.csv");
const series = await loadTimeSeries(weather, ["temp_max", "temp_min"]);
const { train, scale } = forecastWindows(series, { context: 30, horizon: 7 });
console.log(train.length, "windows of", train.inputShape, "mean", scale.mean.map(Math.round));
console.log(parseCsv('name,says\nAhab,"Thar, she blows"')[1]); // quoted fields may hold commas
for await (const { fields } of csvRecords(new TextEncoder().encode("a,b\n1,2\n"), {})) console.log(fields);
for await (const { text, number } of linesOf(new TextEncoder().encode("one\r\ntwo"))) console.log(number, text);
