/**
 * Which versions of WASI's interfaces the sandbox stands for. Pure.
 *
 * @module
 */

const implemented = /^wasi:(?:cli|clocks|filesystem|http|io|random|sockets)\//;

/**
 * Whether an imported interface, named with its version, is one of WASI's that the sandbox has, in a version that it
 * does not have: 0.3 and drafts have other types under the same names.
 */
export function isOtherWasi(name: string): boolean {
  return implemented.test(name) && !/@0\.2\.\d+$/.test(name);
}
