// How cargo is asked when there is no time for the slow optimisation of the link: by the demo, the tests and the lints, so that no
// dependency is compiled for more than one of them.

import { spawnSync } from 'node:child_process'

/** @returns {string[]} the features that this machine can build, beside the default ones */
export function features() {
  // The AVIF encoder has assembly for x86-64, which is several times as fast and needs this assembler.
  const assembles = process.arch !== 'x64' || spawnSync('nasm', ['-v']).status === 0
  return assembles ? ['--features', 'asm'] : []
}

/** @returns {string[]} arguments of `cargo build`, `test` and `clippy` */
export const quick = () => ['--locked', '--profile', 'quick', ...features()]
