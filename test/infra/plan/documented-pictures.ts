import { resolve } from "node:path";
import type { Environment } from "../../../infra/config/environment";
import { readEnvironment } from "../../../infra/config/environment-file";
import { drawPicture } from "../../../infra/plan/picture";
import { waysOf } from "../../../infra/plan/ways";

const repository = resolve(__dirname, "../../..");

/** Folder of the documentation's pictures. */
export const pictures = resolve(repository, "docs/pictures");

/** An environment that the documentation shows: that of a first `npm start`, or an example. */
export function documented(name: "dev" | "tenants" | "production"): Environment {
  const folder = name === "dev" ? "test/environments" : "examples/environments";
  return readEnvironment(resolve(repository, folder), name).environment;
}

/** Its picture, as the documentation has it. */
export function drawDocumented(name: "dev" | "tenants"): string {
  return drawPicture(waysOf(documented(name)));
}
