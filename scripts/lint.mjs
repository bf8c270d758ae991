// `npm run lint`: formatting, lints and types of Rust and JavaScript.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { quick } from './cargo.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** @type {[string, string[]][]} */
const CHECKS = [
  ['cargo', ['fmt', '--check']],
  // The addon's exports are registered only outside of `cfg(test)`, so its tests run without it.
  ['cargo', ['clippy', ...quick(), '--lib', '--', '-D', 'warnings']],
  ['cargo', ['clippy', ...quick(), '--all-targets', '--no-default-features', '--', '-D', 'warnings']],
  ['cargo', ['doc', ...quick(), '--no-deps', '--no-default-features']],
  [process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
  [process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']],
  // Pages of docs/ that are made from code are what the code says.
  [process.execPath, ['scripts/docs.mjs', '--check']],
]

// Where compiling leaves the types of the addon (.cargo/config.toml), which the last check reads.
mkdirSync(path.join(root, 'target/napi-types'), { recursive: true })

for (const [command, args] of CHECKS) {
  console.log(`> ${path.basename(command)} ${args.map(argument => path.basename(argument)).join(' ')}`)
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, RUSTDOCFLAGS: '-D warnings' },
  })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? 1)
}
