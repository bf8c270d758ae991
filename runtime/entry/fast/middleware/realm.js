// In: the response that belongs to a request. Out: a request of Node's or the sandbox's own class, with a signal that is aborted when the client
// disconnects. Upstream: `signalFromNodeResponse` of next/dist/server/web/spec-extension/adapters/next-request.js.

/**
 * @typedef {import('.').Realm} Realm
 * @typedef {import('../../render').Response} Response
 * @typedef {import('../../../next/package').NextPackage} NextPackage
 */

const { AbortController } = globalThis

/** The controller of the request that is being constructed. @type {AbortController | undefined} */
let captured

class CapturedController extends AbortController {
  constructor() {
    super()
    captured = this
  }
}

/**
 * The constructor of `Request` makes a controller for the signal that the request has. To have it follow another signal costs three times as
 * much as all the rest of it, so this takes that controller: for the moment of the call, the global class is one that shows its instances.
 * @template T
 * @param {NextPackage} next
 * @param {Response} res
 * @param {(signal?: AbortSignal) => T} construct
 * @returns {T}
 */
function withOwnSignal(next, res, construct) {
  if (res.errored || res.destroyed || globalThis.AbortController !== AbortController) {
    return withFollowedSignal(next, res, construct)
  }
  captured = undefined
  globalThis.AbortController = CapturedController
  let request
  try {
    request = construct()
  } finally {
    globalThis.AbortController = AbortController
  }
  const controller = /** @type {AbortController | undefined} */ (captured)
  if (controller === undefined) return withFollowedSignal(next, res, construct)
  res.once('close', () => {
    if (!res.writableFinished) controller.abort(new (next.load('nextRequest').ResponseAborted)())
  })
  return request
}

/** @type {Realm['withSignal']} */
const withFollowedSignal = (next, res, construct) => construct(next.load('nextRequest').signalFromNodeResponse(res))

/** Middleware in Node's runtime. @type {Realm} */
const NODE_REALM = {
  isEdge: false,
  Request,
  Response,
  run: (_waitUntil, _headers, work) => work(),
  withSignal: withOwnSignal,
}

module.exports = { NODE_REALM, withFollowedSignal }
