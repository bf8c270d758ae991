// Checked by `npm run lint`: the documented server compiles against ferronext in strict mode, and the two `next` functions
// stand in for each other where a custom server uses them.

import { createServer } from 'node:http'
import { parse } from 'node:url'
import type upstream from 'next/dist/server/next'
import ferronext from '../../index'

const app = ferronext({ dev: false, dir: '.', hostname: 'localhost', port: 3000 })
const handle = app.getRequestHandler()
app.prepare().then(() => {
  createServer((req, res) => {
    const parsedUrl = parse(req.url ?? '/', true)
    handle(req, res, parsedUrl)
  })
})

type Options = Parameters<typeof ferronext>[0]
type UpstreamOptions = Parameters<typeof upstream>[0]
type App = ReturnType<typeof upstream>

/** Options of one are options of the other. */
export const options: [Options, UpstreamOptions] = [
  {} as Pick<UpstreamOptions, keyof Options & keyof UpstreamOptions>,
  {} as Options,
]

/** What a custom server does with upstream's app it can do with ours. */
export const ours: Pick<
  App,
  | 'prepare'
  | 'getRequestHandler'
  | 'getUpgradeHandler'
  | 'close'
  | 'hostname'
  | 'port'
  | 'render'
  | 'renderToHTML'
  | 'renderError'
  | 'renderErrorToHTML'
  | 'render404'
  | 'setAssetPrefix'
> = app

declare const theirs: typeof upstream

/** The function itself stands in for upstream's, */
export const asTheirs: typeof upstream = ferronext
/** and upstream's for ours, as far as an app has what both have. */
type Shared = Pick<ReturnType<typeof ferronext>, keyof ReturnType<typeof ferronext> & keyof App>
export const asOurs: (...args: Parameters<typeof ferronext>) => Shared = theirs

/** What is ferronext's own. */
export const own = [
  ferronext({ trustProxy: false }),
  ferronext({ trustProxy: ['10.0.0.0/8', 'loopback'] }),
  ferronext({ conf: { redirects: async () => [], compress: false } }),
  ferronext({ accessLog: entry => entry.route.length, metrics: '/metrics', health: { ready: '/ready' } }),
]
// @ts-expect-error a number of proxies is no list of addresses
ferronext({ trustProxy: 1 })
