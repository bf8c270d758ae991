// Names the machine, because no figure means anything without it.

import { readFileSync } from 'node:fs'
import os from 'node:os'

export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim() || 'unknown CPU',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    os: readOsName(),
    node: process.version,
  }
}

function readOsName() {
  try {
    return readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="?([^"\n]+)/m)?.[1] ?? os.type()
  } catch {
    return `${os.type()} ${os.release()}`
  }
}
