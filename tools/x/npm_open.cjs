// SPDX-License-Identifier: Apache-2.0
//
// Opens a package's file as `npm pack` would: registry, proxy, certificates and tokens are those of the user's npm configuration.
//
//   node npm_open.cjs NPM PACKAGE HEADERS      NPM: path of the program npm; HEADERS: more request headers, as JSON
//
// Writes one line of JSON (status, headers) and then the bytes to stdout. Exit code: 0 they ended as HTTP says; 1 they did not, and
// stderr says why; 3 this npm is built otherwise than versions 8 to 11.
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')

const CHANGED = 3
const [program, wanted, more] = process.argv.splice(2) // npm must not take them for its own

function parts () {
  try {
    const npm = fs.realpathSync(program)
    const inside = createRequire(npm)
    return [inside(path.join(path.dirname(npm), '../lib/npm.js')), inside('pacote'), inside('npm-registry-fetch')]
  } catch (error) {
    console.error(error.message)
    process.exit(CHANGED)
  }
}

async function main () {
  const [Npm, pacote, fetch] = parts()
  const npm = new Npm()
  await npm.load()
  const options = npm.flatOptions
  const manifest = await pacote.manifest(wanted, options)
  const { resolved } = new pacote.RemoteFetcher(manifest._resolved, options) // a mirror's metadata may name the original registry
  const headers = { 'accept-encoding': 'identity', ...JSON.parse(more) }
  const answer = await fetch(resolved, { ...options, cache: undefined, headers }).catch(refused)
  process.stdout.write(JSON.stringify({ status: answer.status, headers: Object.fromEntries(answer.headers) }) + '\n')
  if (answer.body) {
    // Not pipe(): of what it holds back, nothing would arrive after an error.
    answer.body.on('data', chunk => process.stdout.write(chunk)).on('error', fail).on('end', () => process.stdout.end())
  }
}

function refused (error) {
  if (!error.statusCode) throw error
  console.error(error.message)
  return { status: error.statusCode, headers: [] }
}

function fail (error) {
  console.error(error.message)
  process.stdout.write('', () => process.exit(1))
}

main().catch(fail)
