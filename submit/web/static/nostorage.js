// Nothing is kept in this browser. tus-js-client tries localStorage as soon as it is loaded, so
// this is loaded before it: from here on the page has none.

const refuse = () => {
  throw new DOMException("This page keeps nothing.", "SecurityError");
};

for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
  Object.defineProperty(window, name, { get: refuse });
}
