import { deepmergeCustom } from "deepmerge-ts";

/** A chart's values with those of a user over them: objects are merged, lists and everything else replaced, as Helm does. */
export const overrideValues = deepmergeCustom({ mergeArrays: false });
