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
      // It is no promise, which is what a promise asks of everything that it is given.
      return name === 'then' ? undefined : itself()[name]
    },
    set: (_, name, value) => Reflect.set(itself(), name, value),
    has: (_, name) => Object.hasOwn(known, name) || name in itself(),
  })
}

module.exports = { standIn }
