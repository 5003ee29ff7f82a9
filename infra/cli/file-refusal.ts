const reasons: Readonly<Record<string, string>> = {
  EACCES: "you have no permission",
  EPERM: "you have no permission",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "your quota of the disk is used up",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file",
  ENAMETOOLONG: "its name is too long",
  EEXIST: "there is something else by that name",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
};

/** What the file system refused, and why; undefined for any other error. */
export function fileRefusal(error: unknown): string | undefined {
  const { code, path, syscall } = Object(error) as { code?: unknown; path?: unknown; syscall?: unknown };
  if (typeof code !== "string" || typeof syscall !== "string") return undefined;
  const reason = reasons[code];
  if (reason === undefined) return undefined;
  const what = typeof path === "string" ? `${syscall} ${path}` : syscall;
  return `the file system refuses to ${what}: ${reason} (${code})`;
}
