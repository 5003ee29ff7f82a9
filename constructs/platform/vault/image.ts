/** An image as charts take it; a digest goes as their tag: they put a colon between the two. */
export function splitImage(image: string): { readonly repository: string; readonly tag: string } {
  const colon = image.lastIndexOf(":");
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}
