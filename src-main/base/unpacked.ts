/**
 * In a package the program lies in an archive (app.asar) that only Electron's own main thread can read. What worker threads and other
 * programs open lies beside it, under the same names; elsewhere this changes nothing. For paths and URLs.
 */
export function unpacked(place: string): string {
  return place.replace(/([\\/]app\.asar)([\\/])/, '$1.unpacked$2')
}
