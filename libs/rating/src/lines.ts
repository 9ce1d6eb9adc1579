/**
 * The lines of one trip while it is rated: what each (policy, local day, rule, road class, zone set) adds up to, in columns
 * that are kept from trip to trip. Lines are found through an open-addressed hash; a stretch allocates nothing.
 */
export class Lines {
  size = 0
  policy = new Uint16Array(64)
  day = new Int32Array(64)
  rule = new Int16Array(64)
  roadClass = new Uint8Array(64)
  zoneSet = new Uint16Array(64)
  distanceMm = new Float64Array(64)
  inferredMm = new Float64Array(64)
  fixes = new Float64Array(64)
  counts = new Uint32Array(64)
  /** Line + 1 of a slot; 0 where it is free. Twice as many slots as there is room for lines. */
  private slots = new Uint32Array(128)
  private slotOf = new Uint32Array(64)
  private last = -1

  clear(): void {
    for (let line = 0; line < this.size; line++) this.slots[this.slotOf[line]] = 0
    this.size = 0
    this.last = -1
  }

  lineOf(policy: number, day: number, rule: number, roadClass: number, zoneSet: number): number {
    const { last } = this
    if (last >= 0 && this.is(last, policy, day, rule, roadClass, zoneSet)) return last
    const mask = this.slots.length - 1
    let slot = hash(policy, day, rule, roadClass, zoneSet) & mask
    for (let line; (line = this.slots[slot] - 1) >= 0; slot = (slot + 1) & mask)
      if (this.is(line, policy, day, rule, roadClass, zoneSet)) return (this.last = line)
    if (this.size === this.policy.length) {
      this.grow()
      return this.lineOf(policy, day, rule, roadClass, zoneSet)
    }
    const line = this.size++
    this.slots[slot] = line + 1
    this.slotOf[line] = slot
    this.policy[line] = policy
    this.day[line] = day
    this.rule[line] = rule
    this.roadClass[line] = roadClass
    this.zoneSet[line] = zoneSet
    this.distanceMm[line] = this.inferredMm[line] = this.fixes[line] = this.counts[line] = 0
    return (this.last = line)
  }

  drive(line: number, mm: number, inferred: boolean, fixes: number): void {
    this.distanceMm[line] += mm
    if (inferred) this.inferredMm[line] += mm
    this.fixes[line] += fixes
  }

  count(line: number): void {
    this.counts[line]++
  }

  private is(line: number, policy: number, day: number, rule: number, roadClass: number, zoneSet: number): boolean {
    return (
      this.rule[line] === rule &&
      this.roadClass[line] === roadClass &&
      this.zoneSet[line] === zoneSet &&
      this.day[line] === day &&
      this.policy[line] === policy
    )
  }

  private grow(): void {
    const size = this.policy.length * 2
    const wider = <T extends { set(from: T): void }>(of: new (length: number) => T, from: T): T => {
      const to = new of(size)
      to.set(from)
      return to
    }
    this.policy = wider(Uint16Array, this.policy)
    this.day = wider(Int32Array, this.day)
    this.rule = wider(Int16Array, this.rule)
    this.roadClass = wider(Uint8Array, this.roadClass)
    this.zoneSet = wider(Uint16Array, this.zoneSet)
    this.distanceMm = wider(Float64Array, this.distanceMm)
    this.inferredMm = wider(Float64Array, this.inferredMm)
    this.fixes = wider(Float64Array, this.fixes)
    this.counts = wider(Uint32Array, this.counts)
    this.slotOf = new Uint32Array(size)
    this.slots = new Uint32Array(size * 2)
    const mask = this.slots.length - 1
    for (let line = 0; line < this.size; line++) {
      let slot =
        hash(this.policy[line], this.day[line], this.rule[line], this.roadClass[line], this.zoneSet[line]) & mask
      while (this.slots[slot]) slot = (slot + 1) & mask
      this.slots[slot] = line + 1
      this.slotOf[line] = slot
    }
  }
}

/** Multiplicative hashing (Knuth, TAOCP 6.4) of the five numbers. */
function hash(policy: number, day: number, rule: number, roadClass: number, zoneSet: number): number {
  const mixed = Math.imul(
    Math.imul((day << 4) + roadClass + (policy << 24), 0x9e3779b1) + rule * 31 + zoneSet,
    0x85ebca6b,
  )
  return mixed ^ (mixed >>> 15)
}
