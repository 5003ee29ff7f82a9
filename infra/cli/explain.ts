import type { Environment } from "../config/environment";
import { explain } from "../operate/explain";
import { exitCodes } from "./exit-codes";
import { colours, print, printJson } from "./terminal";

/** Draws one secret's way from the store to the resource that refers to it. */
export async function showExplanation(environment: Environment, name: string, json: boolean): Promise<number> {
  const explanation = explain(environment, name);
  if (json) {
    printJson(explanation);
    return exitCodes.done;
  }
  const { default: boxen } = await import("boxen"); // an ES module
  const { stations, reference } = explanation;
  const texts = stations.map(({ lines }) => lines.join("\n"));
  const width =
    4 + Math.max(...stations.flatMap(({ title, lines }) => [title.length + 2, ...lines.map((line) => line.length)]));
  const boxes = stations.map(({ title }, index) =>
    boxen(texts[index]!, { title, width, padding: { left: 1, right: 1, top: 0, bottom: 0 } }),
  );
  const arrow = `${" ".repeat(Math.floor(width / 2))}↓`;
  print(boxes.join(`\n${arrow}\n`));
  if (reference === undefined) {
    print("\nIts row has no scope with a field for it, so no resource refers to it: it is a file only.");
    return exitCodes.done;
  }
  const [field = "", ...others] = reference.fields;
  const [parent, leaf] = field.includes(".")
    ? [field.slice(0, field.lastIndexOf(".")), field.split(".").at(-1)!]
    : ["", field];
  const isParameter = parent === "parameter";
  const paste = isParameter ? { name: leaf, _valueString: reference.element } : { [`_${leaf}`]: reference.element };
  const where = isParameter
    ? "as an element of parameter"
    : `as _${leaf}${parent === "" ? "" : ` of ${parent}`}, in place of ${field}`;
  print(`\n${colours.bold(`Paste this into the resource, ${where}:`)}\n`);
  print(JSON.stringify(paste, undefined, 2));
  if (others.length > 0) print(`\nOther fields that take it: ${others.join(", ")}`);
  return exitCodes.done;
}
