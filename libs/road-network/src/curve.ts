/**
 * Place of a point on Hilbert's curve (Über die stetige Abbildung einer Linie auf ein Flächenstück, 1891) of 2^16 by 2^16 cells: what is
 * near on it is near on the ground. x and y in [0, 65536).
 */
export function hilbert(x: number, y: number): number {
  let d = 0
  for (let s = 0x8000; s > 0; s >>= 1) {
    const rx = (x & s) > 0 ? 1 : 0
    const ry = (y & s) > 0 ? 1 : 0
    d += s * s * ((3 * rx) ^ ry)
    if (ry === 0) {
      if (rx === 1) {
        x = 0xffff - x
        y = 0xffff - y
      }
      const swap = x
      x = y
      y = swap
    }
  }
  return d
}
