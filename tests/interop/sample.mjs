// Prints the sample that the page's script takes of each file.
import { openAsBlob } from "node:fs";
import { pathToFileURL } from "node:url";

const [script, ...paths] = process.argv.slice(2);
const { takeSample } = await import(pathToFileURL(script));
for (const path of paths) console.log(await takeSample(await openAsBlob(path)));
