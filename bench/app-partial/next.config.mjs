import path from 'node:path'
import { fileURLToPath } from 'node:url'

// The installed `next` lies two folders up, in the workspace that the app is built in.
const workspace = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** @type {import('next').NextConfig} */
export default {
  turbopack: { root: workspace },
  outputFileTracingRoot: workspace,
  cacheComponents: true,
}
