/**
 * The folders of this workspace that a node needs to run: its packages' sources and what they depend on, nothing else.
 *
 * @module
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../../../..", import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface ProjectFiles {
  /** The workspace's own packages. */
  readonly packages: readonly string[];
  /** Folders of libraries. */
  readonly libraries: readonly string[];
  /** Links below `node_modules` folders by which one finds another. */
  readonly links: readonly string[];
}

/** Of the package in that folder, with everything that it needs when it runs, `except` for some libraries. All relative to the root. */
export function projectFilesOf(start: string, except: readonly string[]): ProjectFiles {
  const [packages, libraries, links] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const waiting = [join(projectRoot, start)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const path = relative(projectRoot, folder);
    const isLibrary = path.startsWith("node_modules");
    const known = isLibrary ? libraries : packages;
    if (known.has(path)) continue;
    known.add(path);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    for (const name of names) {
      if (except.includes(name)) continue;
      const link = linkFrom(folder, name);
      if (link === undefined) continue; // An optional one for another platform.
      links.add(relative(projectRoot, link));
      waiting.push(realpathSync(link));
    }
  }
  return { packages: [...packages], libraries: [...libraries], links: [...links] };
}

/** Where Node finds that package from a folder. */
function linkFrom(folder: string, name: string): string | undefined {
  for (let at = folder; at.startsWith(projectRoot); at = dirname(at)) {
    const link = join(at, "node_modules", name);
    if (existsSync(link)) return link;
    if (at === dirname(at)) return undefined;
  }
  return undefined;
}
