import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { Me } from '#contracts'
import { type Resource, useGet, whenSignedOut } from './api'
import { Failed, Loading, SignIn } from './states'

const Context = createContext<Me | null>(null)

/** Whoever is signed in. */
export function useMe(): Me {
  const me = useContext(Context)
  if (!me) throw new Error('nobody is signed in here')
  return me
}
export const useMaybeMe = (): Me | null => useContext(Context)

const Asked = createContext<{ me: Resource<Me>; isOver: boolean } | null>(null)

/** Asks once who is signed in, and is told when a session is over. */
export function Identity({ children }: { children: ReactNode }) {
  const me = useGet<Me>('/v1/me')
  const [isOver, setOver] = useState(false)
  useEffect(() => whenSignedOut(() => setOver(true)), [])
  return (
    <Asked value={{ me, isOver }}>
      <Context value={me.state === 'ready' ? me.data : null}>{children}</Context>
    </Asked>
  )
}

/** Shows its children to whoever is signed in, and to others the way in. */
export function SignedIn({ children }: { children: ReactNode }) {
  const { me, isOver } = useContext(Asked)!
  if (me.state === 'loading') return <Loading />
  if (isOver) return <SignIn isExpired={me.state === 'ready'} />
  if (me.state === 'failed') return <Failed problem={me.problem} reload={me.reload} />
  return children
}
