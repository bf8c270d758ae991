// In: how something is made that may never be needed. Out: an object that stands for it, and makes it once something of it is used.

/**
 * @param {object} known what is known of it without making it
 * @param {() => any} make
 * @returns {any}
 */
function standIn(known, make) {
  /** @type {any} */
  let made
  const itself = () => {
    made ??= make()
    return made
  }
  return new Proxy(known, {
    get(_, name) {
      if (Object.hasOwn(known, name)) return Reflect.get(known, name)
      return isAskedOfEverything(name) ? undefined : itself()[name]
    },
    set: (_, name, value) => Reflect.set(itself(), name, value),
    has: (_, name) => Object.hasOwn(known, name) || (!isAskedOfEverything(name) && name in itself()),
  })
}

/**
 * Whether a name is asked for without interest in what is stood for, which has none of them: a promise asks for `then` of whatever
 * it is given, and Jest for a symbol of whatever is global, when nothing can be loaded any more.
 * @param {string | symbol} name
 */
const isAskedOfEverything = name => name === 'then' || typeof name === 'symbol'

module.exports = { standIn }
