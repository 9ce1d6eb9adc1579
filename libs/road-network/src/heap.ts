/** A binary heap of numbered things by key, the least on top; what does not fit is left out. */
export class Heap {
  size = 0
  readonly key: Float64Array
  readonly item: Int32Array

  constructor(capacity: number) {
    this.key = new Float64Array(capacity)
    this.item = new Int32Array(capacity)
  }

  push(key: number, item: number): void {
    if (this.size >= this.key.length) return
    let i = this.size++
    while (i > 0) {
      const up = (i - 1) >> 1
      if (this.key[up] <= key) break
      this.key[i] = this.key[up]
      this.item[i] = this.item[up]
      i = up
    }
    this.key[i] = key
    this.item[i] = item
  }

  popTop(): void {
    const n = --this.size
    const key = this.key[n]
    let i = 0
    for (;;) {
      let down = 2 * i + 1
      if (down >= n) break
      if (down + 1 < n && this.key[down + 1] < this.key[down]) down++
      if (this.key[down] >= key) break
      this.key[i] = this.key[down]
      this.item[i] = this.item[down]
      i = down
    }
    this.key[i] = key
    this.item[i] = this.item[n]
  }
}
