// Uploads files with tus-js-client, as a person's script would, all at once. The orders come as JSON
// on standard input, for a cookie has no place in the list of processes; what became of them goes out.

import { createReadStream } from "node:fs"
import { text } from "node:stream/consumers"
import tus from "tus-js-client"

const AFTER_ABORT = 100 // milliseconds; tus-js-client must see its old request fail first

function send(order) {
  return new Promise((resolve) => {
    let timer
    const watch = () => {
      clearTimeout(timer)
      timer = setTimeout(resume, order.stall)
    }
    const resume = async () => {
      // tus-js-client waits for ever on a connection that says nothing.
      await upload.abort()
      setTimeout(() => {
        upload.start()
        watch()
      }, AFTER_ABORT)
    }
    const end = (outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    const upload = new tus.Upload(createReadStream(order.path), {
      endpoint: order.endpoint,
      uploadUrl: order.url,
      headers: { Cookie: order.cookie },
      metadata: { filename: order.name },
      chunkSize: order.chunk,
      uploadDataDuringCreation: order.together,
      retryDelays: order.delays,
      storeFingerprintForResuming: false,
      onProgress: watch,
      onChunkComplete: watch,
      onSuccess: () => end({ url: upload.url }),
      onError: (error) => end({ error: String(error) }),
    })
    upload.start()
    watch()
  })
}

const orders = JSON.parse(await text(process.stdin))
console.log(JSON.stringify(await Promise.all(orders.map(send))))
