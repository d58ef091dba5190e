// From what a person chose or dragged to a list of files with the paths that they have there.

function chosen(file, path) {
  return { file, path, name: file.name, length: file.size, modified: file.lastModified };
}

export function fromInput(input) {
  return Array.from(input.files, (file) => chosen(file, file.webkitRelativePath));
}

// The entries must be taken at once: after the event the browser has forgotten them.
export async function fromDrop(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((give, fail) => entry.file(give, fail));
    const path = entry.fullPath.slice(1);
    found.push(chosen(file, path.includes("/") ? path : ""));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // Browsers give a hundred at a time, and none when there are no more.
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (some.length === 0) return;
    for (const one of some) await walk(one, found);
  }
}
