/**
 * WIT files joined to one text, as the tools take it: the main package first, its dependencies nested. Pure.
 *
 * @module
 */

export interface WitFile {
  readonly path: string;
  readonly text: string;
}

/** Own files share a package; every dependency's files name theirs. */
export function joinedWit(files: {
  readonly own: readonly WitFile[];
  readonly deps: readonly WitFile[];
}): string {
  const main = packages(files.own);
  const name = [...main.keys()].find((each) => each !== "") ?? "";
  const body = [...main.values()].flat().join("\n");
  const head = name === "" ? "" : `package ${name};\n`;
  const nested = [...packages(files.deps)].map(
    ([each, texts]) => `package ${each} {\n${texts.join("\n")}\n}`,
  );
  return [`${head}${body}`, ...nested].join("\n");
}

const packagePattern = /^(\s*(?:\/\/[^\n]*\n\s*)*)package\s+([^\s;{]+)\s*;/;

/** The texts of each package, without the line that names it. */
function packages(files: readonly WitFile[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { text } of files) {
    const name = packagePattern.exec(text)?.[2] ?? "";
    found.set(name, [...(found.get(name) ?? []), text.replace(packagePattern, "$1")]);
  }
  return found;
}
