import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { Acknowledgements } from './acknowledgements'

const opened = () => {
  const written: Buffer[] = []
  const made = new Acknowledgements((bytes) => written.push(bytes))
  const ids = () => {
    const all = Buffer.concat(written)
    expect(all.length % 4).toBe(0)
    return Array.from({ length: all.length / 4 }, (_, i) => {
      expect([all[4 * i], all[4 * i + 1]]).toEqual([0x40, 2])
      return all.readUInt16BE(4 * i + 2)
    })
  }
  return { made, written, ids }
}

describe('acknowledgements', () => {
  it('go out in the order of the messages, whatever the order in which they are done, and none before its message', () =>
    fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(Array.from({ length: 40 }, (_, i) => i)), async (done) => {
        const { made, ids } = opened()
        const answers = Array.from({ length: 40 }, (_, i) => made.expect({ qos: 1, messageId: 1000 + i }))
        for (const [n, i] of done.entries()) {
          answers[i]()
          if (n % 7 === 0) await turn()
        }
        await turn()
        const firstUndone = Array.from({ length: 40 }, (_, i) => i).findIndex((i) => !done.includes(i))
        expect(ids()).toEqual(Array.from({ length: firstUndone < 0 ? 40 : firstUndone }, (_, i) => 1000 + i))
      }),
      { numRuns: 50 },
    ))

  it('share a write where they are due together', async () => {
    const { made, written, ids } = opened()
    const answers = [1, 2, 3].map((messageId) => made.expect({ qos: 1, messageId }))
    answers.forEach((answer) => answer())
    await turn()
    expect(written).toHaveLength(1)
    expect(ids()).toEqual([1, 2, 3])
  })

  it('owe nothing to a message at QoS 0, nor on a later connection what came on an earlier one', async () => {
    const { made, ids } = opened()
    made.expect({ qos: 0 })()
    const late = made.expect({ qos: 1, messageId: 1 })
    made.forget()
    const sameId = made.expect({ qos: 1, messageId: 1 })
    late()
    await turn()
    expect(ids()).toEqual([])
    sameId()
    await turn()
    expect(ids()).toEqual([1])
  })
})
