import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "../config/environment";
import { assertChartLogins } from "../images/chart-login";
import { helmTemplate, NoHelmError } from "../images/helm-template";
import { type ListedImage, listImages } from "../images/list-images";
import { CommandError, exitCodes } from "./exit-codes";
import { colours, show, tell } from "./terminal";

/** Lists the environment's images. */
export async function showImages(environment: Environment, json: boolean, render = helmTemplate): Promise<number> {
  await assertChartLogins(environment);
  const images = await listImages(environment, render).catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    if (error instanceof NoHelmError) {
      throw new CommandError(
        `${error.message}: it renders the charts, whose images this lists.`,
        exitCodes.notEquipped,
      );
    }
    throw new CommandError(error.message, exitCodes.failed);
  });
  show({ environment: environment.name, images }, json, format);
  const loose = images.filter(({ digest }) => digest === undefined);
  if (loose.length > 0 && !json) {
    tell(
      `${loose.length} of ${images.length} are not pinned: a tag may move. A registry client tells the digest of each, as\n` +
        `  ${shellCommand("crane", "digest", loose[0]!.source)}`,
    );
  }
  return exitCodes.done;
}

/** One image a line. */
function format({ images }: { readonly images: readonly ListedImage[] }): string {
  return images
    .map(({ image, source, digest, usedBy }) =>
      [
        colours.bold(image),
        `    ${digest ?? "not pinned"}; of ${usedBy.join(", ")}`,
        ...(source === image ? [] : [`    a mirror of ${source}`]),
      ].join("\n"),
    )
    .join("\n");
}
