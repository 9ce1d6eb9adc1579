import { setTimeout as delay } from 'node:timers/promises'
import { localBell, type Ring } from '#messaging'
import { openLog } from '#runtime'

const log = openLog({ logLevel: 'silent' }, 'test')
const ring = (key: string, stage = 'match'): Ring => ({ stage, key })
/** For as long as the test may take: a busy machine is no fault. */
const until = async (holds: () => boolean) => {
  while (!holds()) await delay(1)
}

describe('the bell within the process', () => {
  it('answers in order what was rung before anybody listened, equal rings once', async () => {
    const bell = localBell(log)
    await bell.ring([ring('a'), ring('b'), ring('a'), ring('a', 'rate')])
    await bell.ring([ring('b'), ring('c')])
    const answered: string[] = []
    await bell.listen(async ({ stage, key }) => void answered.push(`${stage} ${key}`), 1)
    await until(() => answered.length === 4)
    expect(answered).toEqual(['match a', 'match b', 'rate a', 'match c'])
    await bell.close()
  })

  it('keeps a ring that comes while an equal one is being answered', async () => {
    const bell = localBell(log)
    let answers = 0
    await bell.listen(async () => {
      answers++
      await delay(20)
    }, 2)
    await bell.ring([ring('a')])
    await until(() => answers === 1)
    await bell.ring([ring('a')])
    await bell.ring([ring('a')])
    await until(() => answers === 3)
    await delay(60)
    // The second found a free worker and the third waited for one: equal rings are one only while they wait.
    expect(answers).toBe(3)
    await bell.close()
  })

  it('answers at most `workers` at once, and goes on after an answer that fails', async () => {
    const bell = localBell(log)
    let now = 0
    let most = 0
    let answers = 0
    await bell.listen(async ({ key }) => {
      most = Math.max(most, ++now)
      await delay(2)
      now--
      answers++
      if (Number(key) % 2) throw new Error('no luck')
    }, 3)
    await bell.ring(Array.from({ length: 30 }, (_, i) => ring(String(i))))
    await until(() => answers === 30)
    expect(most).toBe(3)
    await bell.close()
  })

  it('waits for the answers in hand when it closes, and takes no more', async () => {
    const bell = localBell(log)
    const answered: string[] = []
    await bell.listen(async ({ key }) => {
      await delay(30)
      answered.push(key)
    }, 1)
    await bell.ring([ring('a'), ring('b')])
    await bell.close()
    await bell.ring([ring('c')])
    await delay(50)
    expect(answered).toEqual(['a'])
  })
})
