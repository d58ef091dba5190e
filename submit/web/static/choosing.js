// From what a person chose or dragged to a list of files with the paths that they have there.

function chosen(file, path) {
  return { file, path, name: file.name, length: file.size, modified: file.lastModified };
}

export function fromInput(input) {
  return Array.from(input.files, (file) => chosen(file, file.webkitRelativePath));
}

// The entries must be taken at once: after the event the browser has forgotten them.
export function fromDrop(transfer) {
  return readEntries(Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(Boolean));
}

// Give the files, and what the browser cannot read: that does not keep back the rest.
export async function readEntries(entries) {
  const found = [];
  const unread = [];
  for (const entry of entries) await walk(entry, found, unread);
  return { found, unread };
}

async function walk(entry, found, unread) {
  try {
    if (entry.isFile) found.push(await fileOf(entry));
    else await walkFolder(entry, found, unread);
  } catch {
    unread.push({ entry, path: pathOf(entry), name: entry.name, length: 0, offset: 0 });
  }
}

async function walkFolder(entry, found, unread) {
  const reader = entry.createReader();
  for (;;) {
    // Browsers give a hundred at a time, and none when there are no more.
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (some.length === 0) return;
    for (const one of some) await walk(one, found, unread);
  }
}

async function fileOf(entry) {
  return chosen(await new Promise((give, fail) => entry.file(give, fail)), pathOf(entry));
}

function pathOf(entry) {
  const path = entry.fullPath.slice(1);
  return path.includes("/") ? path : "";
}
