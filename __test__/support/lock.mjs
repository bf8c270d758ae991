// Several test processes may want the same installed or built folder at once; one makes it, the others wait.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Runs `work` while holding a lock folder. `mkdir` is atomic on every file system we run on, which a lock file
 * written in two steps is not.
 *
 * @template T
 * @param {string} lockDir
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(lockDir, work) {
  mkdirSync(path.dirname(lockDir), { recursive: true })
  while (!tryAcquire(lockDir)) {
    if (isAbandoned(lockDir)) removeAbandoned(lockDir)
    else await delay(200)
  }
  try {
    return await work()
  } finally {
    rmSync(lockDir, { recursive: true, force: true })
  }
}

/** @param {string} lockDir */
function tryAcquire(lockDir) {
  try {
    mkdirSync(lockDir)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
  writeFileSync(path.join(lockDir, 'pid'), String(process.pid))
  return true
}

/**
 * A killed test run leaves its lock behind. Signal 0 asks whether its owner still lives.
 *
 * @param {string} lockDir
 */
function isAbandoned(lockDir) {
  /** @type {number} */
  let pid
  try {
    pid = Number(readFileSync(path.join(lockDir, 'pid'), 'utf8'))
  } catch {
    return false // Just taken and not yet signed, or just released.
  }
  return pid > 0 && !isAlive(pid)
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH'
  }
}

/**
 * Renaming first makes sure that only one of the waiting processes removes it, and never a fresh lock.
 *
 * @param {string} lockDir
 */
function removeAbandoned(lockDir) {
  const grave = `${lockDir}.${process.pid}.abandoned`
  try {
    renameSync(lockDir, grave)
  } catch {
    return
  }
  rmSync(grave, { recursive: true, force: true })
}
