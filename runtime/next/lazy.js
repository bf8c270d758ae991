// In: how to make an object that may never be needed. Out: a proxy that makes it when it is first used.

/**
 * @param {object} known properties that are known without making the object
 * @param {() => any} make
 * @returns {any}
 */
function lazyObject(known, make) {
  /** @type {any} */
  let made
  const object = () => {
    made ??= make()
    return made
  }
  return new Proxy(known, {
    get(_, name) {
      if (Object.hasOwn(known, name)) return Reflect.get(known, name)
      return isProbe(name) ? undefined : object()[name]
    },
    set: (_, name, value) => Reflect.set(object(), name, value),
    has: (_, name) => Object.hasOwn(known, name) || (!isProbe(name) && name in object()),
  })
}

/**
 * Whether a name is read of any object, without interest in this one: a promise reads `then` of every value, and Jest reads symbols
 * of every global when modules can no longer be loaded. The objects have none of these.
 * @param {string | symbol} name
 */
const isProbe = name => name === 'then' || typeof name === 'symbol'

module.exports = { lazyObject }
