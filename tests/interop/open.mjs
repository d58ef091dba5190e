// Open one sealed file with OpenPGP.js and write out what the literal packet holds.
//
//     node tests/interop/open.mjs SECRET-KEY-FILE SEALED-FILE OUTPUT-FILE
//
// Exit 0 only if all of it authenticated. Nothing is written otherwise.

import { readFile, writeFile } from 'node:fs/promises'
import { config, decrypt, readMessage, readPrivateKey } from 'openpgp'

// The encrypted data packet is LibrePGP's (tag 20), which OpenPGP.js knows and asks to be asked for.
config.enableParsingV5Entities = true

const [keyFile, sealedFile, outputFile] = process.argv.slice(2)
const decryptionKeys = await readPrivateKey({ armoredKey: await readFile(keyFile, 'utf8') })
const message = await readMessage({ binaryMessage: await readFile(sealedFile) })
const { data } = await decrypt({ message, decryptionKeys, format: 'binary' })
await writeFile(outputFile, data)
