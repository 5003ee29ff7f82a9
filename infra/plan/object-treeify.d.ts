declare module "object-treeify" {
  /** Formats nested objects as a tree of their keys. */
  export default function treeify(tree: object): string;
}
