import type ferronext from 'ferronext'
import type { NextServerOptions } from '../dist/server/next'

/** The options of next() that upstream does not have. */
export type FerronextOptions = Omit<
  ferronext.NextServerOptions,
  keyof NextServerOptions | 'turbo' | 'turbopack' | 'webpack'
>
