#!/usr/bin/env node

// The `ferronext` command, for those who have installed the distribution alone: package managers link the commands of
// direct dependencies only.

const path = require('node:path')

require(path.join(path.dirname(require.resolve('ferronext/package.json')), 'bin/ferronext.js'))
