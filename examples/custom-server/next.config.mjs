import path from 'node:path'
import { fileURLToPath } from 'node:url'

const projectDir = path.dirname(fileURLToPath(import.meta.url))

/** @type {import('next').NextConfig} */
export default {
  // This app lies inside another package with a lockfile of its own; without this, Next.js would guess the outer one.
  turbopack: { root: projectDir },
  outputFileTracingRoot: projectDir,
}
