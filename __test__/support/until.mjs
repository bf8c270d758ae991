// Waits for something that happens elsewhere and tells nobody: another thread, another process.

/** @param {() => Promise<boolean> | boolean} holds */
export async function until(holds) {
  const deadline = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not come to that')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
