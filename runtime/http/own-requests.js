// In: a request for a server action, for which upstream may fetch from this same server: the page that has the action, or the page that it
// redirects to. Out: the fetched request has the `Host` of the original one, which `fetch` does not allow to set. Another worker may receive
// it, so it is signed with a key of the build. Upstream: createForwardedActionResponse and createRedirectRenderResult of
// app-render/action-handler.js.

const { AsyncLocalStorage } = require('node:async_hooks')
const { createHmac, timingSafeEqual } = require('node:crypto')
const { subscribe } = require('node:diagnostics_channel')
const { PUBLIC_ORIGIN } = require('./forwarded-origin')

/** @typedef {import('../entry/render').Request} Request */

/** `<signature> <host> <public origin>`, on requests of this server to itself; the last is optional. */
const HEADER = 'x-ferronext-host'

/** The origin of this server, and the signed value for requests to it. @type {AsyncLocalStorage<{ origin: string, sealed: string }> | undefined} */
let storage

/** Recognises requests of this server to itself. @typedef {ReturnType<typeof ownRequests>} OwnRequests */

/** @param {string | null} key of the build; without one no request is recognised */
function ownRequests(key) {
  const seal = (/** @type {string} */ text) =>
    createHmac('sha256', key ?? '')
      .update(`host\0${text}`)
      .digest()
  return {
    /**
     * Runs an entry. Its requests to `ownUrl` get the host of the request.
     * @template T
     * @param {Request} req
     * @param {string} ownUrl
     * @param {() => T} run
     * @returns {T}
     */
    keepHost(req, ownUrl, run) {
      const { host } = req.headers
      if (key === null || host === undefined || !URL.canParse(ownUrl)) return run()
      storage ??= openStorage()
      const origin = req[PUBLIC_ORIGIN]
      const text = origin === undefined ? host : `${host} ${origin}`
      return storage.run({ origin: new URL(ownUrl).origin, sealed: `${seal(text).toString('hex')} ${text}` }, run)
    },

    /**
     * Whether a request comes from this server. If so, its host and its origin are restored.
     * @param {Request} req
     */
    isOwn(req) {
      const { headers } = req
      const value = headers[HEADER]
      if (value === undefined) return false
      delete headers[HEADER]
      const [, given = '', text = ''] = /^([\da-f]{64}) (.+)$/.exec(String(value)) ?? []
      if (key === null || given === '' || !timingSafeEqual(Buffer.from(given, 'hex'), seal(text))) return false
      const [host, origin] = text.split(' ')
      headers.host = host
      if (origin !== undefined) req[PUBLIC_ORIGIN] = origin
      return true
    },
  }
}

/** Node's `fetch` publishes each request before it is sent, and subscribers can add headers. */
function openStorage() {
  /** @type {NonNullable<typeof storage>} */
  const opened = new AsyncLocalStorage()
  subscribe('undici:request:create', message => {
    const store = opened.getStore()
    const { request } = /** @type {any} */ (message)
    if (store !== undefined && String(request?.origin) === store.origin) request.addHeader?.(HEADER, store.sealed)
  })
  return opened
}

module.exports = { ownRequests }
