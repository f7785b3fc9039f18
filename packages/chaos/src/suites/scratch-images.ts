/**
 * Folders from which images are built out of nothing: a program of this machine, its libraries, and no distribution.
 *
 * @module
 */
import { copyFileSync, cpSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectFilesOf, projectRoot } from "./project-files.ts";
import { sharedLibrariesOf } from "./shared-libraries.ts";

/** Only what compiles components, which no node of the suite does: hundreds of megabytes. */
const compilers = [
  "@bytecodealliance/componentize-js",
  "@bytecodealliance/jco",
  "@bytecodealliance/jco-transpile",
];

/** Where the project is in the image. */
const app = "/coppice";
const nodeProgram = `${app}/packages/chaos/src/real/chaos-node.ts`;

/** An image that runs a nats-server with JetStream. */
export async function natsImage(folder: string, natsServer: string): Promise<void> {
  await addProgram(folder, natsServer, "nats-server");
  mkdirSync(join(folder, "root/data"), { recursive: true });
  writeFileSync(
    join(folder, "root/nats-server.conf"),
    'listen: 0.0.0.0:4222\njetstream { store_dir: "/data", max_file: 128MB, max_mem: 64MB }\n',
  );
  writeDockerfile(folder, ["/nats-server", "-c", "/nats-server.conf"]);
}

/** An image that runs a node of this project; its command is the node's options. */
export async function nodeImage(folder: string): Promise<void> {
  await addProgram(folder, process.execPath, "node");
  const { packages, libraries, links } = projectFilesOf("packages/chaos", compilers);
  const target = join(folder, "root", app);
  for (const path of packages)
    for (const part of ["package.json", "src"])
      cpSync(join(projectRoot, path, part), join(target, path, part), { recursive: true });
  for (const path of libraries)
    cpSync(join(projectRoot, path), join(target, path), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.slice(projectRoot.length + path.length).includes("node_modules"),
    });
  for (const path of links) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    symlinkSync(readlinkSync(join(projectRoot, path)), join(target, path));
  }
  mkdirSync(join(folder, "root/tmp"));
  writeDockerfile(folder, ["/node", nodeProgram]);
}

async function addProgram(folder: string, program: string, name: string): Promise<void> {
  const root = join(folder, "root");
  mkdirSync(root, { recursive: true });
  copyFileSync(program, join(root, name));
  for (const library of await sharedLibrariesOf(program)) {
    mkdirSync(dirname(join(root, library)), { recursive: true });
    copyFileSync(library, join(root, library)); // What a link leads to, under the link's name.
  }
}

function writeDockerfile(folder: string, entrypoint: readonly string[]): void {
  const lines = ["FROM scratch", "ADD root /", `ENTRYPOINT ${JSON.stringify(entrypoint)}`];
  writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
}
