import { readOwnTracks, readState, readTraccar } from '#contracts'
import { type NewsHandler } from '#messaging'
import { type Clock, type Log, type Metrics } from '#runtime'
import { savePresence, type Store } from '#store'
import { type Accept } from './accept'

/** What is done with what comes in besides batches. */
export const NEWS = Symbol('News')

/**
 * What comes in besides batches: what a device says of its state, and positions over a bridge, which end in the same inbox
 * by the same door. Resolves when it is taken in, or when it never can be.
 */
export const newsHandler =
  (accept: Accept, store: Store, clock: Clock, metrics: Metrics, log: Log): NewsHandler =>
  async (news) => {
    const count = (fate: string) => metrics.news.inc({ kind: news.kind, fate })
    if (news.kind === 'state') {
      const online = readState(news.bytes)
      if (online !== null) await store.transaction((tx) => savePresence(tx, news.device, online, clock.now()))
      else log.warn({ device: news.device }, 'a state that can not be read')
      return count(online === null ? 'refused' : 'taken')
    }
    const read = news.kind === 'owntracks' ? readOwnTracks(news.device, news.bytes) : readTraccar(news.bytes)
    switch (read.kind) {
      case 'position':
        return count((await accept.position(read.device, read.batch)).fate)
      case 'state':
        await store.transaction((tx) => savePresence(tx, read.device, read.online, clock.now()))
        return count('taken')
      case 'refused':
        if (news.kind === 'owntracks') await accept.refuse(news.device, news.bytes, read.why)
        else log.warn({ kind: news.kind, why: read.why }, 'a message of a bridge was refused')
        return count('refused')
      case 'ignored':
        return count('ignored')
    }
  }
